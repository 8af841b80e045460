"""Reading a package (.gmx) that anybody may have made: everything wrong at once, nothing ever written."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

from ..errors import GmsafetyError
from .answers import read_answer
from .envelope import Message, opened
from .errors import Malformed, NotCanonical
from .mailroom import LARGEST_MESSAGE
from .package import CHUNK, MANIFEST, MOST_ENTRIES, Entry, SignedManifest, read_manifest
from .receipts import Verdict
from .signing import PublicKey

LARGEST_MANIFEST = 32 * 2**20
LARGEST_BLOB = 4 * 2**30
LARGEST_DIRECTORY = 32 * 2**20
MOST_INFLATION = 200
"""No message shrinks more than that; what does is made to fill a disk or a memory."""
_SMALL = 2**20

KeysOf = Callable[[str, dt.datetime], Iterable[PublicKey]]
"""The keys of a node that may sign at a moment."""

_NAME = re.compile(r"manifest\.json|(messages|answers)/\d{6}\.json|blobs/[0-9a-f]{64}")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
_ROWS = (
    ("no-package", "GM-E831", "不是包文件，或已损坏、不完整"),
    ("no-manifest", "GM-E832", "没有清单，或清单不合规定"),
    ("not-for-us", "GM-E833", "不是发给本节点的包"),
    ("unknown-signer", "GM-E834", "没有可用来核对清单签名的公钥"),
    ("bad-signature", "GM-E835", "清单的签名不符"),
    ("unsafe-name", "GM-E836", "文件名不安全或不合规定"),
    ("link", "GM-E837", "是链接或特殊文件"),
    ("twice", "GM-E838", "文件名重复"),
    ("not-listed", "GM-E839", "清单里没有"),
    ("absent", "GM-E840", "清单里有，包里没有"),
    ("size-differs", "GM-E841", "大小与清单不符"),
    ("hash-differs", "GM-E842", "内容与清单的校验值不符"),
    ("inflates", "GM-E843", "解压后异常膨胀，或与别的文件重叠"),
    ("encoded", "GM-E844", "加了密，或用了不支持的压缩方法"),
    ("too-large", "GM-E845", "过大，或文件过多"),
    ("no-message", "GM-E846", "不是一条消息，或内容与信封不符"),
    ("message-astray", "GM-E847", "消息的收发节点不是包的收发节点"),
    ("message-signature", "GM-E848", "消息的签名不符，或没有可用来核对的公钥"),
    ("chain-broken", "GM-E849", "与前一条消息不衔接"),
    ("attachment-absent", "GM-E850", "包里没有它的附件，或大小不符"),
    ("no-answer", "GM-E851", "不是一份答复，或不是发出节点的答复"),
    ("answer-signature", "GM-E852", "答复的签名不符，或没有可用来核对的公钥"),
)


class PackageFaultKind(NamedTuple):
    """Something that can be wrong with a package."""

    slug: str
    code: str
    words: str


PACKAGE_FAULTS = MappingProxyType({row[0]: PackageFaultKind(*row) for row in _ROWS})
"""Everything that can be wrong with a package."""


class PackageFault(NamedTuple):
    """One thing that is wrong: the kind, and the entry; nothing for the whole."""

    kind: PackageFaultKind
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where or '整个包'}：{self.kind.words}"


def _fault(slug: str, where: str = "") -> PackageFault:
    return PackageFault(PACKAGE_FAULTS[slug], where)


class PackageRefused(GmsafetyError):
    """A file of which not even the manifest can be read, or whose content changed since it was examined."""

    def __init__(self, fault: PackageFault) -> None:
        self.fault = fault
        super().__init__(f"{fault}（{fault.kind.code}）")


@contextmanager
def opened_package(path: Path) -> Iterator[Package]:
    """Open a package; PackageRefused where its manifest cannot be read. Checks nothing else: see `Package.faults`."""
    with path.open("rb") as file:
        try:
            _look_at_directory(file)
            archive = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise PackageRefused(_fault("no-package")) from error
        with archive:
            yield Package(archive)


def _look_at_directory(file: BinaryIO) -> None:
    """Refuse a list of entries that is too long to be taken into memory."""
    length = file.seek(0, 2)
    tail_at = max(0, length - 65_557 - 76)
    file.seek(tail_at)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise PackageRefused(_fault("no-package"))
    (size,) = struct.unpack("<L", tail[at + 12 : at + 16])
    far = tail.rfind(b"PK\x06\x06", 0, at)
    if far >= 0 and len(tail) - far >= 48:
        size = max(size % 0xFFFFFFFF, *struct.unpack("<Q", tail[far + 40 : far + 48]))
    if size > LARGEST_DIRECTORY:
        raise PackageRefused(_fault("too-large"))
    file.seek(0)


class Package:
    """A package that is open. Nothing of it is to be used before `faults` found none."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._infos = {info.filename: info for info in archive.infolist()}
        self.signed: SignedManifest = self._manifest()

    def _manifest(self) -> SignedManifest:
        info = self._infos.get(MANIFEST)
        if info is None or info.file_size > LARGEST_MANIFEST or any(wrong for _, wrong in _shapes(info)):
            raise PackageRefused(_fault("no-manifest"))
        try:
            return read_manifest(self._archive.read(info))
        except (Malformed, NotCanonical, *_BROKEN) as error:
            raise PackageRefused(_fault("no-manifest")) from error

    def messages(self) -> Iterator[bytes]:
        """The messages in their order; PackageRefused at one that is another than the manifest says."""
        return self._contents("messages/")

    def answers(self) -> Iterator[bytes]:
        """The answers in their order; as `messages`."""
        return self._contents("answers/")

    def blob(self, hash_: str) -> Iterator[bytes]:
        """The bytes of a file, piece by piece; PackageRefused at their end where they are not those of the hash."""
        entry = next((e for e in self.signed.manifest.blobs if e.hash == hash_), None)
        if entry is None:
            raise PackageRefused(_fault("absent", f"blobs/{hash_}"))
        return self._pieces(f"blobs/{hash_}", entry)

    def _contents(self, folder: str) -> Iterator[bytes]:
        for name, entry in self.signed.manifest.entries():
            if name.startswith(folder):
                yield b"".join(self._pieces(name, entry))

    def _pieces(self, name: str, entry: Entry) -> Iterator[bytes]:
        """The bytes of an entry, never more than the manifest says."""
        hashed, left = hashlib.sha256(), entry.size
        try:
            with self._archive.open(name) as source:
                while chunk := source.read(min(CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise PackageRefused(_fault("size-differs", name))
                    hashed.update(chunk)
                    yield chunk
        except KeyError:
            raise PackageRefused(_fault("absent", name)) from None
        except _BROKEN as error:
            raise PackageRefused(_fault("hash-differs", name)) from error
        if left or hashed.hexdigest() != entry.hash:
            raise PackageRefused(_fault("size-differs" if left else "hash-differs", name))

    def faults(self, keys: KeysOf, *, node: str | None = None) -> tuple[PackageFault, ...]:
        """Everything that is wrong; `node` is who it must be for, None for anybody who only looks.

        Entries are read through only where names, sizes and shapes are sound.
        """
        outside = [*self._about_manifest(keys, node), *self._about_entries()]
        grave = any(f.kind.slug in ("too-large", "inflates", "encoded") for f in outside)
        return tuple(dict.fromkeys(outside if grave else [*outside, *self._about_contents(keys)]))

    def _about_manifest(self, keys: KeysOf, node: str | None) -> Iterator[PackageFault]:
        manifest = self.signed.manifest
        if node is not None and manifest.receiver != node:
            yield _fault("not-for-us")
        verdict = self.signed.verify(keys(manifest.sender, manifest.made_at))
        if verdict is not Verdict.VALID:
            yield _fault("unknown-signer" if verdict is Verdict.UNKNOWN_KEY else "bad-signature", MANIFEST)

    def _about_entries(self) -> Iterator[PackageFault]:
        infos = self._archive.infolist()
        listed = dict(self.signed.manifest.entries())
        if len(infos) > MOST_ENTRIES or len(listed) > MOST_ENTRIES:
            yield _fault("too-large")
            return
        seen: set[str] = set()
        for info in infos:
            yield from (_fault(slug, _shown(info.filename)) for slug, wrong in _shapes(info) if wrong)
            if info.filename in seen:
                yield _fault("twice", _shown(info.filename))
            elif info.filename not in listed and info.filename != MANIFEST:
                yield _fault("not-listed", _shown(info.filename))
            seen.add(info.filename)
        for name, entry in listed.items():
            if name in seen and self._infos[name].file_size != entry.size:
                yield _fault("size-differs", name)
            if entry.size > (LARGEST_BLOB if name.startswith("blobs/") else LARGEST_MESSAGE):
                yield _fault("too-large", name)
        yield from (_fault("inflates", _shown(name)) for name in _overlapping(infos))

    def _about_contents(self, keys: KeysOf) -> Iterator[PackageFault]:
        last: Message | None = None
        blobs = {entry.hash: entry.size for entry in self.signed.manifest.blobs}
        for name, entry in self.signed.manifest.entries():
            try:
                if name.startswith("blobs/"):
                    for _ in self._pieces(name, entry):
                        pass
                    continue
                content = b"".join(self._pieces(name, entry))
            except PackageRefused as refused:
                yield refused.fault
                continue
            if name.startswith("answers/"):
                yield from self._about_answer(name, content, keys)
                continue
            message = _message(content)
            if message is None:
                yield _fault("no-message", name)
                continue
            yield from self._about_message(name, message, keys)
            if last is not None and not _follows(message, last):
                yield _fault("chain-broken", name)
            if any(blobs.get(a.hash) != a.size for a in message.envelope.attachments):
                yield _fault("attachment-absent", name)
            last = message

    def _about_message(self, name: str, message: Message, keys: KeysOf) -> Iterator[PackageFault]:
        manifest, envelope = self.signed.manifest, message.envelope
        if (envelope.sender, envelope.receiver) != (manifest.sender, manifest.receiver):
            yield _fault("message-astray", name)
        elif message.verify(keys(envelope.sender, envelope.sealed_at)) is not Verdict.VALID:
            yield _fault("message-signature", name)

    def _about_answer(self, name: str, content: bytes, keys: KeysOf) -> Iterator[PackageFault]:
        try:
            answer: Any = read_answer(content)
        except (Malformed, NotCanonical):
            yield _fault("no-answer", name)
            return
        said = getattr(answer, "stored", None) or answer.refusal
        at = said.stored_at if hasattr(said, "stored_at") else said.refused_at
        if said.node != self.signed.manifest.sender:
            yield _fault("no-answer", name)
        elif answer.verify(keys(said.node, at)) is not Verdict.VALID:
            yield _fault("answer-signature", name)


def _message(content: bytes) -> Message | None:
    try:
        message = opened(content)
        return message if message.payload_fits else None
    except (Malformed, NotCanonical):
        return None


def _follows(message: Message, before: Message) -> bool:
    """Tell whether a message is the next of its channel, or the first of a channel begun anew."""
    link, last = message.envelope.link, before.envelope.link
    if link.epoch != last.epoch:
        return link.sequence == 1
    return link.sequence == last.sequence + 1 and link.previous == before.hash


def _shapes(info: zipfile.ZipInfo) -> Iterator[tuple[str, bool]]:
    kind = stat.S_IFMT(info.external_attr >> 16)
    yield "unsafe-name", _NAME.fullmatch(info.orig_filename) is None
    yield "link", kind not in (0, stat.S_IFREG)
    yield "encoded", bool(info.flag_bits & 0x1) or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    yield "inflates", info.file_size > _SMALL and info.file_size > MOST_INFLATION * max(1, info.compress_size)


def _overlapping(infos: list[zipfile.ZipInfo]) -> Iterator[str]:
    """Entries whose bytes begin before those of the entry before them end."""
    end = 0
    for info in sorted(infos, key=lambda i: i.header_offset):
        if info.header_offset < end:
            yield info.filename
        end = max(end, info.header_offset + 30 + len(info.orig_filename) + info.compress_size)


def _shown(name: str) -> str:
    """A name from outside, fit to be printed."""
    return "".join(mark if mark.isprintable() else "?" for mark in name)[:120]
