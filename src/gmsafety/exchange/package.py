"""Packages (.gmx): messages, their files and answers, carried by hand between networks that do not touch.

A zip whose manifest names every other entry by hash and size and is signed by the node that packed it. All entries
are stored, in a fixed order and without dates: the same parcel gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, BinaryIO, Literal

from pydantic import Field

from ..provenance import Value
from .canonical import canonical, digest
from .envelope import opened
from .receipts import Signature, Verdict
from .signatures import signature_over, verdict_on_all
from .signing import PublicKey, SigningKey
from .wire import Count, Line, Moment, Sha256, take

SUFFIX = ".gmx"
MANIFEST = "manifest.json"
MOST_ENTRIES = 100_000
CHUNK = 2**20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100600 << 16


class Entry(Value):
    """An entry of the package: the hash and the number of its bytes."""

    hash: Sha256
    size: Count


_Entries = Annotated[tuple[Entry, ...], Field(max_length=MOST_ENTRIES)]


class Manifest(Value):
    """What a package holds; messages and answers in their order, files by hash."""

    format: Literal["gmx"] = "gmx"
    version: Literal[1] = 1
    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    id: Line
    sender: Line
    receiver: Line
    made_at: Moment
    messages: _Entries = ()
    answers: _Entries = ()
    blobs: _Entries = ()

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Every entry with its name in the zip."""
        for kind, entries in (("messages", self.messages), ("answers", self.answers)):
            yield from ((f"{kind}/{number:06}.json", entry) for number, entry in enumerate(entries, 1))
        yield from ((f"blobs/{entry.hash}", entry) for entry in self.blobs)


class SignedManifest(Value):
    """A manifest with the signatures of the node that packed it."""

    manifest: Manifest
    signatures: Annotated[tuple[Signature, ...], Field(min_length=1, max_length=4)]

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signatures with keys of the sender: one by a known key is needed, and none may be wrong."""
        return verdict_on_all(self.manifest, self.signatures, keys)

    def to_bytes(self) -> bytes:
        """The manifest as it lies in the package."""
        return canonical(self.model_dump())


def read_manifest(content: bytes) -> SignedManifest:
    """Read a manifest; Malformed lists everything that does not fit. Does not verify."""
    return take(SignedManifest, content, noun="包的清单")


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be packed: messages in the order of their channel, answers to messages that came."""

    id: str
    sender: str
    receiver: str
    made_at: dt.datetime
    messages: Iterable[bytes] = ()
    answers: Iterable[bytes] = ()


OpenBlob = Callable[[str], AbstractContextManager[BinaryIO]]
"""Opens the bytes of an attachment by its hash."""


def pack(parcel: Parcel, to: Path, *, keys: Sequence[SigningKey], blob: OpenBlob) -> SignedManifest:
    """Write a package with every file that its messages name; ValueError where a file is another than they say.

    What was there before stays until the new one is whole. A large file is never held in memory.
    """
    with NamedTemporaryFile(dir=to.parent, prefix=".", suffix=SUFFIX, delete=False) as part:
        try:
            with zipfile.ZipFile(part, "w") as archive:
                signed = _fill(archive, parcel, keys, blob)
            part.flush()
            os.fsync(part.fileno())
            part.close()
            os.replace(part.name, to)
        except BaseException:
            part.close()
            os.unlink(part.name)
            raise
    return signed


def _fill(archive: zipfile.ZipFile, parcel: Parcel, keys: Sequence[SigningKey], blob: OpenBlob) -> SignedManifest:
    named: dict[str, int] = {}
    messages = []
    for number, content in enumerate(parcel.messages, 1):
        named.update({a.hash: a.size for a in opened(content).envelope.attachments})
        messages.append(_put(archive, f"messages/{number:06}.json", content))
    answers = [_put(archive, f"answers/{number:06}.json", c) for number, c in enumerate(parcel.answers, 1)]
    blobs = [_put_blob(archive, Entry(hash=h, size=size), blob) for h, size in sorted(named.items())]
    manifest = Manifest(
        id=parcel.id, sender=parcel.sender, receiver=parcel.receiver, made_at=parcel.made_at,
        messages=tuple(messages), answers=tuple(answers), blobs=tuple(blobs),
    )  # fmt: skip
    signed = SignedManifest(manifest=manifest, signatures=tuple(signature_over(manifest, key) for key in keys))
    _put(archive, MANIFEST, signed.to_bytes())
    return signed


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> Entry:
    archive.writestr(_info(name, len(content)), content)
    return Entry(hash=digest(content), size=len(content))


def _put_blob(archive: zipfile.ZipFile, entry: Entry, blob: OpenBlob) -> Entry:
    hashed, size = hashlib.sha256(), 0
    with blob(entry.hash) as source, archive.open(_info(f"blobs/{entry.hash}", entry.size), "w") as target:
        while chunk := source.read(CHUNK):
            hashed.update(chunk)
            size += len(chunk)
            target.write(chunk)
    if (hashed.hexdigest(), size) != (entry.hash, entry.size):
        raise ValueError(f"附件 {entry.hash} 与信封所写的不符")
    return entry


def _info(name: str, size: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system, info.external_attr, info.file_size = 3, _PLAIN_FILE, size
    return info
