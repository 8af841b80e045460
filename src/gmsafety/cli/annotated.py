"""`gmsafety forms check --annotate DIR`: the files given back with what is wrong marked at its cell."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .output import console
from .target import NoFolder

if TYPE_CHECKING:
    from ..findings import Finding
    from ..forms.reading import Reading

Checked = list[tuple["Reading", tuple["Finding", ...]]]
_MARK = ".核对"


@dataclass
class Copies:
    """The annotated copies of one run, written to a folder: none over another, none over what was given to be read."""

    folder: Path
    given: tuple[Path, ...]
    taken: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise NoFolder(f"“{self.folder}”是文件，不是文件夹，未能写入标注的文件。")
        if not self.folder.parent.is_dir():
            raise NoFolder(f"没有文件夹“{self.folder.parent}”，未能写入标注的文件。请先建立文件夹。")
        self.folder.mkdir(exist_ok=True)

    def write(self, path: Path, checked: Checked) -> dict[str, Any]:
        """Write the copy of one file; returns where it is, or why there is none."""
        from ..forms.annotating import NotAnnotatable, annotate

        findings = dict.fromkeys(f for _, found in checked for f in found)
        records = [r.record for r, _ in checked if r.record is not None]
        to = self._free(path)
        try:
            annotate(path, findings, to=to, records=records)
        except NotAnnotatable as error:
            return {"annotated": None, "not_annotated": str(error)}
        self.taken.add(to)
        return {"annotated": str(to)}

    def _free(self, path: Path) -> Path:
        stem = path.stem.removesuffix(_MARK) + _MARK
        names = (f"{stem}{path.suffix}", *(f"{stem}({n}){path.suffix}" for n in range(2, 10_000)))
        given = {p.resolve() for p in self.given}
        return next(to for name in names if (to := self.folder / name) not in self.taken and to.resolve() not in given)


def say_copied(told: dict[str, Any]) -> None:
    """Say where a copy is, or why there is none."""
    text = f"  已标注：{told['annotated']}" if told["annotated"] else f"  {told['not_annotated']}"
    console().print(text, markup=False)


def copies_of(folder: Path | None, given: Iterable[Path | None]) -> Copies | None:
    """The copies that are asked for, if any."""
    return Copies(folder, tuple(p for p in given if p is not None)) if folder is not None else None
