"""Every file in folders and zip archives, one after the other; nothing is unpacked to the disk."""

import os
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import GmsafetyError
from ..findings import FILE, Finding
from ..kinds import KINDS
from .reading.safety import LARGEST_FILE

MOST_FILES = 10_000
LARGEST_ARCHIVE = 2 * 2**30
_ENCRYPTED, _UTF8 = 0x1, 0x800
_TABLES = frozenset(
    (
        ".xlsx", ".xlsm", ".xls", ".xlsb", ".xltx", ".xltm", ".ods", ".et", ".csv", ".tsv", ".txt", ".docx", ".docm",
        ".doc", ".wps", ".odt", ".rtf", ".pdf", ".zip", ".rar", ".7z", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp",
        ".htm", ".html", ".mht",
    )
)  # fmt: skip
"""What a form may arrive as, or what arrives in place of one: a scan is refused by name, not passed over."""
_DRIVE = re.compile(r"^[A-Za-z]:")


class TooManyFiles(GmsafetyError):
    """More files than one run takes."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Gathered:
    """A file that was found: how it is called, where it is (`member` of an archive), or why it is not taken."""

    name: str
    path: Path
    member: int | None = None
    skipped: str = ""
    refused: Finding | None = None

    def load(self) -> bytes:
        """The bytes of the file, at most one too many; OSError, BadZipFile and the like where it is broken."""
        if self.member is None:
            with self.path.open("rb") as file:
                return file.read(LARGEST_FILE + 1)
        with zipfile.ZipFile(self.path) as archive, archive.open(archive.infolist()[self.member]) as file:
            return file.read(LARGEST_FILE + 1)


def gather(paths: Iterable[Path]) -> list[Gathered]:
    """Find the files in folders, archives, and those named themselves; TooManyFiles where there is no end to it."""
    found: list[Gathered] = []
    for path in paths:
        for each in _found(path):
            found.append(each)
            if len(found) > MOST_FILES:
                raise TooManyFiles(f"“{path}”里有一万个以上的文件，请分成几批核对。")
    return found


def is_several(path: Path) -> bool:
    """Tell a folder or an archive from a single file."""
    return path.is_dir() or path.suffix.lower() == ".zip"


def _found(path: Path) -> Iterator[Gathered]:
    if path.is_dir():
        yield from _in_folder(path)
    elif path.suffix.lower() == ".zip":
        yield from _in_archive(path)
    else:
        yield Gathered(path.as_posix(), path)


def _in_folder(folder: Path) -> Iterator[Gathered]:
    for name, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")
        for file in sorted(files):
            path = Path(name) / file
            why = "是链接，没有跟随" if path.is_symlink() else _why_not(path.relative_to(folder).as_posix())
            if not why and path.suffix.lower() == ".zip":
                yield from _in_archive(path)
            else:
                yield Gathered(path.as_posix(), path, skipped=why)


def _in_archive(path: Path) -> Iterator[Gathered]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        yield Gathered(path.as_posix(), path, refused=KINDS["corrupt-file"].at(FILE, why="不是完整的 zip 压缩包"))
        return
    whole = 0
    for number, info in enumerate(members[: MOST_FILES + 1]):
        if info.is_dir():
            continue
        name = safe_name(_name_of(info))
        shown = f"{path.as_posix()}/{name}"
        why = _why_not(name)
        whole += 0 if why or info.file_size > LARGEST_FILE else info.file_size
        yield Gathered(shown, path, number, why, None if why else _refused(info, whole))


def _refused(info: zipfile.ZipInfo, whole: int) -> Finding | None:
    """Why a member of an archive is not even unpacked."""
    if info.flag_bits & _ENCRYPTED:
        return KINDS["encrypted-file"].at(FILE)
    if info.file_size > LARGEST_FILE:
        limit = LARGEST_FILE // 2**20
        return KINDS["file-too-large"].at(FILE, size=info.file_size // 2**20, limit=limit)
    if whole > LARGEST_ARCHIVE:
        return KINDS["zip-bomb"].at(FILE, limit=LARGEST_ARCHIVE // 2**20)
    return None


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name of a member; Windows in China writes GBK and does not say so."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def safe_name(name: str) -> str:
    """A name inside an archive as a path that leads nowhere else: no root, no drive, no step upwards."""
    seen = "".join(c for c in name.replace("\\", "/") if unicodedata.category(c)[0] != "C")
    parts = [p.strip() for p in _DRIVE.sub("", seen).split("/")]
    return "/".join(p for p in parts if p not in ("", ".", "..")) or "文件"


def _why_not(name: str) -> str:
    """Why a file is no file to check: what systems and office programs leave behind, and what holds no table."""
    parts = PurePosixPath(name).parts
    last = parts[-1].lower()
    if "__MACOSX" in parts or last in ("thumbs.db", "desktop.ini", ".ds_store") or last.startswith("._"):
        return "系统文件"
    if last.startswith(("~$", ".~")) or last.endswith((".tmp", ".part", "#")):
        return "办公软件的临时文件"
    suffix = PurePosixPath(last).suffix
    if last.startswith("."):
        return "隐藏文件"
    return "" if suffix in _TABLES or not suffix else "不是表格文件"
