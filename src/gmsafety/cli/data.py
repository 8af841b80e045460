"""Records in JSON: taken from a file that a command is given, and written out."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import GmsafetyError

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..forms.record import Record
    from ..forms.spec import Form

_KEYS = frozenset((
    "file", "path", "sheet", "form", "version", "header", "unit", "unit_code", "week", "clauses", "rows", "ledger_rows",
    "nil", "values", "remarks", "cells", "typed", "findings", "also", "contributions", "sources", "missing",
))  # fmt: skip
_CONTENT = frozenset(("clauses", "rows", "ledger_rows", "values", "nil"))


class BadData(GmsafetyError):
    """JSON that is no record of the form."""


def load_record(path: Path, form: "Form") -> "Record":
    """Take a record from a JSON file: a record or a printed view; BadData says what does not fit."""
    from ..forms.printed import from_printed, is_printed
    from ..forms.schema import from_json

    try:
        data = jsonlib.loads(path.read_text("utf-8-sig"))
        data = data[0] if isinstance(data, list) and len(data) == 1 else data
        if not isinstance(data, dict):
            raise BadData(f"{path.name}：应为一个JSON对象")
        named = data.get("form")
        if named is not None and named not in (form.ref, form.id, form.printed_id):
            raise BadData(f"{path.name}：是“{named}”的数据，不是《{form.title}》（{form.ref}）的")
        if strange := [k for k in data if k not in _KEYS]:
            raise BadData(f"{path.name}：不认识{'、'.join(f'“{k}”' for k in strange)}，请核对拼写")
        if not _CONTENT & data.keys():
            raise BadData(f"{path.name}：没有表的内容（{'、'.join(sorted(_CONTENT))} 中的任何一项）")
        return from_printed(data, form) if is_printed(data) else from_json(data, form)
    except jsonlib.JSONDecodeError as error:
        raise BadData(f"{path.name}：不是合法的JSON（第{error.lineno}行第{error.colno}列）") from error
    except UnicodeDecodeError as error:
        raise BadData(f"{path.name}：不是JSON文件（应为UTF-8编码的文字）") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise BadData(f"{path.name}：{error}") from error


def form_named_in(path: Path) -> str:
    try:
        data = jsonlib.loads(path.read_text("utf-8-sig"))
        data = data[0] if isinstance(data, list) and data else data
        return str(data["form"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadData(f"{path.name}：没有写明是哪张表（form）") from error


def version_named_in(path: Path) -> str | None:
    """The version of the form that JSON says it is of, if it says so."""
    data = jsonlib.loads(path.read_text("utf-8-sig"))
    data = data[0] if isinstance(data, list) and data else data
    return str(data["version"]) if isinstance(data, dict) and data.get("version") else None


def write_record(record: "Record", to: Path, catalog: "Catalog") -> None:
    from ..forms.schema import to_json
    from ..forms.writing import fill

    if to.suffix.lower() == ".json":
        to.write_text(jsonlib.dumps(to_json(record), ensure_ascii=False, indent=1), "utf-8")
    else:
        fill(catalog.printed(record), to)
