"""The result as a file: the official look, a record in JSON, or the printed view that the command line gives."""

import json
from collections.abc import Mapping
from typing import Any

from gmsafety.forms.printed import to_printed
from gmsafety.forms.schema import to_json
from gmsafety.forms.spec import Form
from gmsafety.forms.types.dates import Window

from ..submissions.papers import written
from .reckoning import Made, Parts


def file_name(parts: Parts, form: Form, suffix: str) -> str:
    """What the file is called: 晋城市_2025-01-03_周调度统计表.xlsx."""
    area = parts.directory.units.area_name(parts.unit)
    return f"{area}_{parts.period}_{(*form.aliases, form.title)[0]}.{suffix}"


def printed(made: Made) -> dict[str, Any]:
    """The result in the words and the order of the paper."""
    record = made.record
    return to_printed(record, Window(*made.parts.directory.catalog.window(record.form), record.filed))


def write(made: Made, suffix: str, findings: list[dict[str, Any]]) -> bytes:
    """The result as a file of this kind."""
    if suffix in ("xlsx", "docx"):
        return written(made.parts.form, made.record, suffix)
    body: Mapping[str, Any] = to_json(made.record)
    if suffix == "printed.json":
        body = {
            **printed(made), "unit": made.parts.unit.ref, "contributions": made.result.contributions(),
            "sources": made.result.source_list(), "missing": [u.ref for u in made.result.missing],
            "adjustments": list(made.parts.adjustments), "findings": findings,
        }  # fmt: skip
    return json.dumps(body, ensure_ascii=False, indent=1, default=str).encode()
