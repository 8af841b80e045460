"""Archives (归档): all of a campaign on a node in one file, each naming the one before it on that node.

A tar file of a fixed shape, written and read in one go, whatever its size: the entries, an index of them, and a signed
manifest that names the index by its hash.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Annotated, BinaryIO, Literal, Self

from pydantic import Field

from ..provenance import Value
from .auditlog import Span
from .canonical import canonical, digest
from .package import CHUNK
from .peers import PeerKey
from .receipts import Signature, Verdict
from .signatures import signature_over, verdict_on_all
from .signing import PublicKey, SigningKey
from .wire import Count, Line, Moment, Sha256, take

INDEX, MANIFEST, LOG = "index.jsonl", "manifest.json", "audit.jsonl"
BLOCK = 512
LARGEST_ENTRY = 4 * 2**30


class Known(Value):
    """The keys of a node, as they were pinned where the archive was made."""

    node: Line
    keys: Annotated[tuple[PeerKey, ...], Field(max_length=64)]


class Counts(Value):
    """How much an archive holds."""

    submissions: Count = 0
    receipts: Count = 0
    files: Count = 0
    annotated: Count = 0
    messages: Count = 0


class Index(Value):
    """The list of entries: how many, and its own size and hash."""

    entries: Count
    size: Count
    hash: Sha256


class ArchiveManifest(Value):
    """What an archive says of itself; `previous` is the hash of the one before it on the node."""

    format: Literal["gmsafety-archive"] = "gmsafety-archive"
    version: Literal[1] = 1
    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    node: Line
    title: Line
    campaign: Line
    number: Annotated[Count, Field(ge=1)]
    previous: Sha256 | None
    made_at: Moment
    counts: Counts
    audit: Span | None
    index: Index
    known: tuple[Known, ...] = ()

    @property
    def hash(self) -> str:
        """What the next archive names as `previous`."""
        return digest(canonical(self.model_dump()))


class SignedArchive(Value):
    """A manifest with the signatures of the node that made the archive."""

    manifest: ArchiveManifest
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=4)]

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signatures."""
        return verdict_on_all(self.manifest, self.signatures, keys)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a manifest; Malformed lists everything that does not fit. Does not verify."""
        return take(cls, content, noun="归档的清单")


def header_of(name: str, size: int) -> bytes:
    """The one block that stands before an entry of this name and size."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


class ArchiveWriter:
    """Writes an archive from its first byte to its last; nothing of it is held in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._index = file, TemporaryFile()  # noqa: SIM115 - closed with the index
        self._entries = 0

    def add(self, name: str, content: bytes) -> None:
        """Add an entry."""
        self.add_pieces(name, len(content), (content,))

    def add_pieces(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """Add an entry piece by piece; ValueError where they are not of that size together."""
        hashed = self._put(name, size, pieces)
        self._index.write(canonical({"hash": hashed, "name": name, "size": size}) + b"\n")
        self._entries += 1

    def _put(self, name: str, size: int, pieces: Iterable[bytes]) -> str:
        hashed, left = hashlib.sha256(), size
        self._file.write(header_of(name, size))
        for piece in pieces:
            hashed.update(piece)
            left -= len(piece)
            self._file.write(piece)
        if left:
            raise ValueError(f"{name} is not of the size that was told")
        self._file.write(bytes(-size % BLOCK))
        return hashed.hexdigest()

    def index(self) -> Index:
        """Write the index; nothing can be added after it."""
        size = self._index.tell()
        self._index.seek(0)
        hashed = self._put(INDEX, size, pieces_of(self._index))
        self._index.close()
        return Index(entries=self._entries, size=size, hash=hashed)

    def finish(self, manifest: ArchiveManifest, keys: Iterable[SigningKey]) -> SignedArchive:
        """Write the signed manifest, and the end."""
        signed = SignedArchive(manifest=manifest, signatures=tuple(signature_over(manifest, key) for key in keys))
        content = canonical(signed.model_dump())
        self._put(MANIFEST, len(content), (content,))
        self._file.write(bytes(2 * BLOCK))
        return signed


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file from where it stands, piece by piece."""
    return iter(lambda: file.read(CHUNK), b"")
