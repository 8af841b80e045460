"""Reading an archive that anybody may have made: entry by entry, never unpacked, everything wrong named."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..errors import GmsafetyError
from .archive import BLOCK, INDEX, LARGEST_ENTRY, LOG, MANIFEST, SignedArchive, header_of
from .auditlog import MOST_FAULTS, Looked, read_head, walk_through
from .entries import Judged, KeysOf
from .errors import Malformed
from .package import CHUNK
from .signing import PublicKey

_NAME = re.compile(
    r"submissions/\d{8}/(submission\.json|receipt-\d{1,4}\.json|file-\d{1,4}(\.[a-z0-9]{1,5})?|annotated\.(xlsx|docx))"
    r"|messages/\d{8}(\.answer)?\.json|audit\.jsonl|index\.jsonl|manifest\.json"
)
_LARGEST_JSON = 64 * 2**20
_LARGEST_MANIFEST = 32 * 2**20
_LONGEST_LINE = 2048


class ArchiveBroken(GmsafetyError):
    """A file of which not even the manifest can be read."""


class Entry(NamedTuple):
    """Where an entry lies in the file."""

    name: str
    at: int
    size: int


def is_archive(begin: bytes) -> bool:
    """Tell by its first block whether a file may be an archive."""
    return begin[257:262] == b"ustar"


@contextmanager
def opened_archive(path: Path) -> Iterator[ArchiveFile]:
    """Open an archive; ArchiveBroken where its manifest cannot be read. Checks nothing else."""
    with path.open("rb") as file:
        yield ArchiveFile(file)


class ArchiveFile:
    """An archive that is open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = file.seek(0, 2)
        self._broken: str = ""
        last: dict[str, Entry] = {}
        for entry in self._walk():
            if entry.name in (INDEX, MANIFEST, LOG):
                last[entry.name] = entry
        manifest = last.get(MANIFEST)
        if manifest is None or manifest.size > _LARGEST_MANIFEST:
            raise ArchiveBroken(self._broken or "没有清单，文件不完整或不是归档")
        try:
            self.signed = SignedArchive.read(self._all(manifest))
        except Malformed as error:
            raise ArchiveBroken(str(error)) from error
        self._index, self._log = last.get(INDEX), last.get(LOG)

    def _walk(self) -> Iterator[Entry]:
        """The entries in their order, without their contents; ends where the form is another than ours."""
        at = 0
        while True:
            self._file.seek(at)
            block = self._file.read(BLOCK)
            if block == bytes(BLOCK):
                rest = self._file.read(BLOCK + 1)
                self._broken = "" if rest == bytes(BLOCK) else "结尾以后还有内容"
                return
            name, size = _told(block)
            if name is None:
                self._broken = f"第{at}字节起不是归档的内容" if len(block) == BLOCK else "文件被截断"
                return
            if at + BLOCK + size > self._end:
                self._broken = f"{name} 被截断"
                return
            yield Entry(name, at + BLOCK, size)
            at += BLOCK + size
            self._file.seek(at)
            if any(self._file.read(-size % BLOCK)):
                self._broken = f"{name} 后面有不属于它的内容"
                return
            at += -size % BLOCK

    def _all(self, entry: Entry) -> bytes:
        self._file.seek(entry.at)
        return self._file.read(entry.size)

    def _listed(self) -> Iterator[tuple[str, int, str]]:
        """What the index lists: name, size, hash; ends at a line that is none."""
        if self._index is None:
            return
        section = _Section(self._file, self._index)
        while line := section.readline(_LONGEST_LINE):
            told = _line(line)
            if told is None:
                return
            yield told

    def faults(self, keys: KeysOf) -> tuple[tuple[str, ...], Judged]:
        """Everything that is wrong, and what was counted; `keys` are those of a node that may sign at a moment."""
        found, judged = list(self._about_index()), Judged(keys)
        if self._broken:
            found.append(self._broken)
        wrong, listed = self._about_order()
        found += wrong
        for fault in self._about_contents(listed, judged):
            found.append(fault)
            if len(found) >= MOST_FAULTS:
                break
        found += judged.differing(self.signed.manifest.counts)
        return tuple(dict.fromkeys(found)), judged

    def log(self, keys: Iterable[PublicKey], asked: Iterable[int]) -> Looked | None:
        """Go through the section of the audit log; None where there is none and none is named."""
        told = self.signed.manifest.audit
        if told is None and self._log is None:
            return None
        if told is None or self._log is None:
            return Looked(0, ("审计记录缺失" if self._log is None else "审计记录不在清单里",), {})
        section = io.BufferedReader(_Section(self._file, self._log))
        try:
            head = read_head(section)
        except Malformed as error:
            return Looked(0, (str(error),), {})
        known = list(keys)
        looked = walk_through(section, told, known, asked=asked)
        same = head.log.span == told and head.log.node == self.signed.manifest.node
        return looked if same else Looked(looked.rows, ("审计记录的头与清单不符", *looked.faults), looked.seen)

    def _about_index(self) -> Iterator[str]:
        told = self.signed.manifest.index
        if self._index is None:
            yield "没有索引"
            return
        hashed = hashlib.sha256()
        for piece in self._pieces(self._index):
            hashed.update(piece)
        if (self._index.size, hashed.hexdigest()) != (told.size, told.hash):
            yield "索引与清单的校验值不符，可能被改动过"
        count = sum(1 for _ in self._listed())
        if count != told.entries:
            yield f"索引应有{told.entries}项，能读的有{count}项"

    def _about_order(self) -> tuple[list[str], dict[str, tuple[int, str]] | None]:
        """Compare the names with the index; what is listed is given back where they are not the same."""
        present = (e.name for e in self._walk() if e.name not in (INDEX, MANIFEST))
        if all(a == (b[0] if b else None) for a, b in zip_longest(present, self._listed())):
            return [], None
        times = Counter(e.name for e in self._walk() if e.name not in (INDEX, MANIFEST))
        listed = {name: (size, hashed) for name, size, hashed in self._listed()}
        found = [f"{name}：缺失" for name in listed if name not in times]
        found += [f"{name}：索引里没有，是加进来的" for name in times if name not in listed]
        found += [f"{name}：有{count}份" for name, count in times.items() if count > 1]
        ranks = {name: rank for rank, name in enumerate(listed)}
        highest = -1
        for entry in self._walk():
            if (rank := ranks.get(entry.name)) is None:
                continue
            if rank < highest:
                found.append(f"{entry.name}：次序被改动")
            highest = max(highest, rank)
        return found, listed

    def _about_contents(self, listed: dict[str, tuple[int, str]] | None, judged: Judged) -> Iterator[str]:
        """Compare every content with the index, and judge what it says."""
        expected = self._listed()
        for entry in self._walk():
            if entry.name in (INDEX, MANIFEST):
                continue
            told = next(expected, None) if listed is None else (entry.name, *listed.get(entry.name, (-1, "")))
            hashed, content = self._hashed(entry)
            if told is not None and told[2] and (told[1], told[2]) != (entry.size, hashed):
                yield judged.changed(entry.name)
            else:
                yield from judged.entry(entry.name, hashed, content)
        yield from judged.end()

    def _hashed(self, entry: Entry) -> tuple[str, bytes]:
        """The hash of an entry; its content, too, where it is JSON of a reasonable size."""
        hashed, kept = hashlib.sha256(), entry.name.endswith(".json") and entry.size <= _LARGEST_JSON
        parts = []
        for piece in self._pieces(entry):
            hashed.update(piece)
            if kept:
                parts.append(piece)
        return hashed.hexdigest(), b"".join(parts)

    def _pieces(self, entry: Entry) -> Iterator[bytes]:
        at, left = entry.at, entry.size
        while left:
            self._file.seek(at)
            piece = self._file.read(min(CHUNK, left))
            if not piece:
                return
            at, left = at + len(piece), left - len(piece)
            yield piece


def _told(block: bytes) -> tuple[str | None, int]:
    """Name and size of an entry from the block before it; None where it is not the one block that says so."""
    try:
        name, size = block[:100].rstrip(b"\0").decode("ascii"), int(block[124:135] or b"x", 8)
        fits = _NAME.fullmatch(name) is not None and 0 <= size <= LARGEST_ENTRY and header_of(name, size) == block
    except ValueError:
        return None, 0
    return (name, size) if fits else (None, 0)


def _line(line: bytes) -> tuple[str, int, str] | None:
    """A line of the index: name, size, hash."""
    try:
        told: Any = json.loads(line)
        name, size, hashed = told["name"], told["size"], told["hash"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    fits = isinstance(name, str) and type(size) is int and isinstance(hashed, str) and len(told) == 3
    return (name, size, hashed) if fits and line.endswith(b"\n") else None


class _Section(io.RawIOBase):
    """An entry as a file of its own."""

    def __init__(self, file: BinaryIO, entry: Entry) -> None:
        self._file, self._at, self._left = file, entry.at, entry.size

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        self._file.seek(self._at)
        piece = self._file.read(min(len(buffer), self._left))
        buffer[: len(piece)] = piece
        self._at, self._left = self._at + len(piece), self._left - len(piece)
        return len(piece)
