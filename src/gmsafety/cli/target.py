"""Where a command writes: never over what it reads, and said in words or as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GmsafetyError
from .output import console, print_json

if TYPE_CHECKING:
    from ..forms.spec import Form


class SameFile(GmsafetyError):
    """The output would replace an input."""

    is_usage = True


class NoFolder(GmsafetyError):
    """The folder to write into is not there."""


def may_write(to: Path, *inputs: Path | None) -> None:
    """Refuse to write over a file that was given to be read, or into a folder that is not there."""
    for given in inputs:
        if given is not None and to.exists() and given.exists() and to.samefile(given):
            raise SameFile(f"“{to}”是要读取的文件，不能写在它上面。请换一个文件名。")
    if not to.parent.is_dir():
        raise NoFolder(f"没有文件夹“{to.parent}”，未能写入“{to.name}”。请先建立文件夹。")


def say_written(form: "Form", to: Path, *, json: bool, words: str = "已写入", **more: Any) -> None:
    """Say what was written: a line, or with `--json` the file, its form and version."""
    if json:
        named = {"file": to.name, "path": str(to), "form": form.printed_id or form.id, "version": form.version}
        print_json([{**named, **more}])
    else:
        console().print(f"{words}：{to}", markup=False)
