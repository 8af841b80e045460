"""A form as the database carries it: its content as JSON, and beside it the cells every value came from."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gmsafety import Catalog
from gmsafety.exchange.canonical import digest
from gmsafety.forms.record import Origin, Record
from gmsafety.forms.schema import from_json, to_json

from .errors import Problem


def carry(record: Record) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Take a record apart for the database: content, and origin where it was read from a file."""
    origin = record.origin
    if origin is None:
        return to_json(record), None
    cells = {
        "file": origin.file,
        "sheet": origin.sheet,
        "table": origin.table,
        "cells": dict(origin.cells),
        "lines": list(origin.lines),
        "letters": dict(origin.letters),
        "header_row": origin.header_row,
        "joints": [list(j) for j in origin.joints],
        "moved": [[index, column, line] for (index, column), line in origin.moved.items()],
    }
    return to_json(record), {k: v for k, v in cells.items() if v not in (None, [], {})}


def has_form(body: Mapping[str, Any], catalog: Catalog) -> bool:
    """Tell whether a plugin defines the form still, in this version; what was filed outlives it."""
    versions = catalog.versions.get(str(body["form"]))
    return versions is not None and versions.get(str(body["version"])) is not None


def record_of(body: Mapping[str, Any], origin: Mapping[str, Any] | None, catalog: Catalog) -> Record:
    """Put a record together again; Problem where no plugin defines its form any more."""
    if not has_form(body, catalog):
        said = f"没有插件再定义表“{body['form']}”的{body['version']}版，不能按表显示；所报的文件和JSON仍可下载"
        raise Problem("not-found", said)
    form = catalog.form(f"{body['form']}@{body['version']}")
    record = from_json(body, form)
    if origin is None:
        return record
    place = Origin(
        file=origin["file"],
        sheet=origin.get("sheet"),
        table=origin.get("table"),
        cells=origin.get("cells", {}),
        lines=origin.get("lines", []),
        letters=origin.get("letters", {}),
        moved={(index, column): line for index, column, line in origin.get("moved", ())},
        header_row=origin.get("header_row"),
        joints=tuple((a, b) for a, b in origin.get("joints", ())),
    )
    return replace(record, origin=place)


def sorted_json(value: Any) -> bytes:
    """JSON that both databases give back the same: PostgreSQL does not keep the order of keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def content_hash(body: Mapping[str, Any] | None) -> str | None:
    """The hash of a content as the audit log keeps it, so that a number changed in the database is found."""
    return digest(sorted_json(body)) if body is not None else None
