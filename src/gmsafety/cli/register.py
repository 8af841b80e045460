"""`gmsafety register`: enterprises, hazards, inspections and penalties as a workbook, and as JSON."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError
from .data import BadData
from .output import Json, console, print_findings, print_json, print_table
from .target import may_write

if TYPE_CHECKING:
    from ..registers import Register, RegisterReading

app = typer.Typer(help="登记簿：企业、隐患、检查、行政处罚。", no_args_is_help=True)
_Workbook = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="登记簿（.xlsx）")]
_To = Annotated[Path, typer.Option("--to", help="写到哪个文件（.xlsx）")]


class NoWorkbook(GmsafetyError):
    """A register is written as a workbook, not as this."""

    is_usage = True


@app.command("blank")
def blank(to: _To, json: Json = False) -> None:
    """生成空白登记簿。"""
    from ..registers import Register

    _write(Register(), to)
    _say_written(to, json=json, words="已生成空白登记簿")


@app.command("check")
def check(file: _Workbook, json: Json = False) -> None:
    """核对登记簿：有什么问题、在哪一格、怎么改。"""
    reading = _read(file)
    if json:
        print_json([{"file": file.name, "path": str(file), "findings": [f.to_json() for f in reading.findings]}])
    else:
        print_findings(str(file), "登记簿", reading.findings)
    _leave(reading)


@app.command("read")
def read(file: _Workbook, json: Json = False) -> None:
    """读取登记簿；--json 给出企业、隐患、检查、行政处罚的全部内容。"""
    from ..registers.sheets import sheets

    reading = _read(file)
    if json:
        told = {"register": reading.register.model_dump(mode="json", exclude_defaults=True)}
        found = {"findings": [f.to_json() for f in reading.findings]}
        print_json([{"file": file.name, "path": str(file), **told, **found}])
    else:
        print_findings(str(file), "登记簿", reading.findings)
        rows = [(sheet.title, len(getattr(reading.register, sheet.field))) for sheet in sheets()]
        print_table("已读取", ["工作表", "行数"], rows)
    _leave(reading)


@app.command("write")
def write(
    data: Annotated[Path, typer.Argument(metavar="DATA.json", exists=True, dir_okay=False, help="登记簿（JSON）")],
    to: _To,
    json: Json = False,
) -> None:
    """把JSON写成登记簿。"""
    may_write(to, data)
    _write(_load(data), to)
    _say_written(to, json=json, words="已写入")


def _read(file: Path) -> "RegisterReading":
    from ..registers import read_register

    return read_register(file.read_bytes(), name=file.name)


def _leave(reading: "RegisterReading") -> None:
    from ..findings import has_findings

    if has_findings(reading.findings):
        raise typer.Exit(1)


def _write(register: "Register", to: Path) -> None:
    from ..registers import write_register

    if to.suffix.lower() != ".xlsx":
        raise NoWorkbook(f"不能写成“{to.suffix or to.name}”文件，登记簿请用 .xlsx")
    may_write(to)
    try:
        write_register(register, to)
    except ValueError as error:
        raise BadData(f"{to.name}：{error}") from error


def _say_written(to: Path, *, json: bool, words: str) -> None:
    if json:
        print_json([{"file": to.name, "path": str(to)}])
    else:
        console().print(f"{words}：{to}", markup=False)


def _load(path: Path) -> "Register":
    """Take a register from JSON: the register itself, or what `register read --json` prints."""
    from pydantic import ValidationError

    from ..registers import Register

    try:
        data: Any = jsonlib.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise BadData(f"{path.name}：不是合法的JSON（{error}）") from error
    data = data[0] if isinstance(data, list) and len(data) == 1 else data
    data = data.get("register", data) if isinstance(data, dict) else data
    if not isinstance(data, dict):
        raise BadData(f"{path.name}：应为一个JSON对象")
    try:
        register = Register.model_validate(data)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, e['loc']))}：{str(e['msg']).removeprefix('Value error, ')}" for e in error.errors()
        ]
        raise BadData(f"{path.name}：{'；'.join(wrong)}") from error
    if again := list(_twice(register)):
        raise BadData(f"{path.name}：{'；'.join(again)}")
    return register


def _twice(register: "Register") -> list[str]:
    from ..registers.register import key_of, twice

    entries = {name: getattr(register, name) for name in type(register).model_fields}
    return [
        f"{name}.{position}：“{key_of(values[position])}”登记了两次"
        for name, values in entries.items()
        for position, _ in twice(key_of(value) for value in values)
    ]
