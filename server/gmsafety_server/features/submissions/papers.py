"""What can be taken away: the official form of a record, its JSON, its receipts in words."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from sqlalchemy import Connection

from gmsafety.exchange.receipts import SignedReceipt, in_words
from gmsafety.forms import blank, fill
from gmsafety.forms.printed import to_printed
from gmsafety.forms.record import Record
from gmsafety.forms.spec import Form
from gmsafety.forms.types.dates import Window
from gmsafety.forms.writing import CannotWrite, Issue

from ...captions import item_caption
from ...carried import has_form, record_of
from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...tables import AnyRow
from . import repository, service

Suffix = Literal["xlsx", "docx", "json", "printed.json"]
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
    "printed.json": "application/json",
}
PAPERS: dict[int | str, dict[str, Any]] = {200: {"content": {t: {} for t in TYPES.values()}, "description": "文件"}}
"""How a route that sends one of them is described."""


def record_in(node: Node, row: AnyRow) -> Record | None:
    """The record of a submission; None for a deliverable, and where no plugin defines the form any more."""
    known = row.body is not None and has_form(row.body, node.catalog)
    return record_of(row.body, row.origin, node.catalog) if known else None


def record_file(tx: Connection, node: Node, viewer: Viewer, uid: str, suffix: Suffix) -> tuple[str, bytes]:
    """A record as a file: its name and its bytes."""
    row = service.find(tx, viewer, "submission.read", uid)
    if row.body is None:
        raise Problem("not-found", "这份报送是文件，没有表的内容")
    unit = node.directory(tx).name(row.unit)
    name = f"{unit}_{item_caption(node.catalog, row.campaign, row.item)}_{row.period}_第{row.revision}版.{suffix}"
    if suffix == "json":  # as it is kept: it needs no plugin
        return name, _json(row.body)
    record = record_of(row.body, row.origin, node.catalog)
    if suffix != "printed.json":
        record = node.directory(tx).catalog.printed(record)
        return name, written(record.form, record, suffix)
    return name, _json(to_printed(record, Window(*node.catalog.window(record.form), record.filed)))


def _json(told: Any) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def blank_for(tx: Connection, node: Node, slot: AnyRow, form: Form, suffix: str) -> bytes:
    """The blank form for a unit and a period: with its header, last period's figures, a guide and its mark."""
    before, _ = repository.around(tx, slot, drafts=False)
    directory = node.directory(tx)
    form = directory.catalog.printed_in(form, directory.units.get(slot.unit))
    record = record_in(node, before) if before is not None else None
    issue = Issue(
        unit=slot.unit,
        unit_name=directory.name(slot.unit),
        period=slot.period,
        previous=node.catalog.carry(record, form).record if record is not None else None,
        instructions=True,
    )
    return written(form, None, suffix, issue)


def written(form: Form, record: Record | None, suffix: str, issue: Issue | None = None) -> bytes:
    """The official form, filled in or blank."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"form.{suffix}"
        try:
            _ = fill(record, path) if record is not None else blank(form, path, issue=issue)
        except CannotWrite as error:
            raise Problem("not-valid", f"{error}；请下载 JSON") from error
        return path.read_bytes()


def receipt(tx: Connection, viewer: Viewer, uid: str, number: int) -> str:
    """The n-th receipt of a submission as it was given, counted from 1."""
    row = service.find(tx, viewer, "submission.read", uid)
    given = repository.receipts_of(tx, row.id)
    if not 1 <= number <= len(given):
        raise Problem("not-found", f"没有第{number}份回执")
    return given[number - 1]


def receipt_words(signed: str | dict[str, Any]) -> str:
    """A receipt as it is printed or sent on by hand."""
    return in_words(SignedReceipt.from_json(signed))
