"""The JSON of a record: the pydantic model made from the form, its JSON Schema, and the way there and back."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from ..rules import nest
from .columns import FormField
from .computed import differences
from .record import Record, Rows, as_list, as_mapping
from .spec import Form
from .types import FieldType

_DEEPEST = 8
_PYTHON: dict[str, Any] = {
    "count": Annotated[int, Field(ge=0)],
    "serial": int | str,
    "money": Annotated[Decimal, Field(ge=0, description="元")],
    "ratio": Annotated[Decimal, Field(ge=0)],
    "date": date,
    "names": tuple[str, ...],
}


def model_of(form: Form) -> type[BaseModel]:
    """Make the pydantic model of a form's record: what a form that is filled in rightly looks like."""
    fields: dict[str, Any] = {
        "form": (Literal[form.ref], form.ref),
        "version": (Literal[form.version], form.version),
        "header": (_model(f"{form.id}.header", {h.id: _optional(_type(h), h.label) for h in form.header}), ...),
        "nil": (bool, False),
    }
    if form.signatures:
        lines = {f.id: _optional(str, f.label) for f in form.signatures}
        fields["signatures"] = (_model(f"{form.id}.signatures", lines) | None, None)
    if form.is_grid:
        row = _model(f"{form.id}.row", {c.id: _column(c.required, _type(c), c.label) for c in form.columns})
        fields["rows"] = (tuple[row, ...], ())  # type: ignore[valid-type]  # a model made here
    else:
        blanks = {p: _optional(_PYTHON.get(b.kind.name, str), form.label_of(p)) for p, b in form.blanks.items()}
        fields["values"] = (_nested(form.id, nest(blanks)), ...)
        fields["remarks"] = (dict[str, str], Field(default_factory=dict))
    return create_model(form.id, __config__=ConfigDict(extra="forbid", title=form.title), **fields)


def json_schema(form: Form) -> dict[str, Any]:
    """Return the JSON Schema of a form's record."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model_of(form).model_json_schema()}


def _type(field: FormField) -> Any:
    if field.choices:
        return Literal[field.choices]
    return _PYTHON.get(field.type, str)


def _optional(kind: Any, label: str) -> Any:
    return (kind | None, Field(None, title=label))


def _column(required: bool, kind: Any, label: str) -> Any:
    return (kind, Field(title=label)) if required else _optional(kind, label)


def _model(name: str, fields: dict[str, Any]) -> type[BaseModel]:
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


def _nested(name: str, tree: Mapping[str, Any]) -> type[BaseModel]:
    fields = {}
    for key, value in tree.items():
        fields[key] = (_nested(f"{name}.{key}", value), ...) if isinstance(value, dict) else value
    return _model(name, fields)


def to_json(record: Record) -> dict[str, Any]:
    """Carry a record as canonical JSON: money in whole yuan, dates in ISO, blanks as null."""
    form = record.form
    data: dict[str, Any] = {"form": form.ref, "version": form.version}
    data["header"] = {h.id: h.kind.to_json(record.header.get(h.id)) for h in form.header}
    if record.nil:
        data["nil"] = True
    if form.signatures:
        data["signatures"] = {f.id: record.signatures.get(f.id) for f in form.signatures}
    if form.is_grid:
        kinds = {c.id: c.kind for c in form.columns}
        data["rows"] = [{name: kinds[name].to_json(value) for name, value in row.items()} for row in record.rows]
        return data
    data["values"] = nest({p: b.kind.to_json(record.values.get(p)) for p, b in form.blanks.items()})
    if record.remarks:
        data["remarks"] = dict(record.remarks)
    return data


def from_json(data: Mapping[str, Any], form: Form) -> Record:
    """Take a record from JSON; ValueError lists everything that does not fit."""
    wrong: list[str] = []
    headed = as_mapping(data.get("header"), "header", wrong)
    header = {h.id: _take(h.kind, headed.get(h.id), f"header.{h.id}", wrong) for h in form.header}
    nil = bool(data.get("nil"))
    if form.is_grid:
        rows = []
        for index, told in enumerate(as_list(data.get("rows"), "rows", wrong)):
            row = as_mapping(told, f"rows[{index}]", wrong)
            wrong += [f"rows[{index}].{k}：没有这一列" for k in row if k not in form.by_id]
            rows.append(
                {
                    k: _take(form.by_id[k].kind, v, f"rows[{index}].{k}", wrong)
                    for k, v in row.items()
                    if k in form.by_id
                }
            )
        given = as_mapping(data.get("signatures"), "signatures", wrong)
        signed = {f.id: _take(f.kind, given.get(f.id), f"signatures.{f.id}", wrong) for f in form.signatures}
        taken = Rows.of(rows, form)
        for wrong_sum in differences(form, taken.columns, taken.count):
            kind = form.by_id[wrong_sum.column].kind
            wrong.append(
                f"rows[{wrong_sum.index}].{wrong_sum.column}：应为{kind.to_json(wrong_sum.computed)}（算出），"
                f"现为{kind.to_json(wrong_sum.typed)}"
            )
        record = Record(form, header, rows=taken, nil=nil, signatures=signed)
    else:
        flat = _flat(as_mapping(data.get("values"), "values", wrong))
        wrong += [f"values.{p}：没有这一空格" for p in flat if p not in form.blanks]
        values = {p: _take(b.kind, flat.get(p), f"values.{p}", wrong) for p, b in form.blanks.items()}
        record = Record(form, header, values, nil=nil, remarks=dict(as_mapping(data.get("remarks"), "remarks", wrong)))
    if wrong:
        raise ValueError("；".join(wrong))
    return record


def _take(kind: FieldType, raw: Any, where: str, wrong: list[str]) -> Any:
    try:
        return kind.from_json(raw)
    except (ValueError, TypeError, ArithmeticError) as error:
        wrong.append(f"{where}：{error}")
        return None


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and prefix.count(".") < _DEEPEST:
            out |= _flat(value, f"{prefix}{key}.")
        else:
            out[f"{prefix}{key}"] = value
    return out


__all__ = ["from_json", "json_schema", "model_of", "to_json"]
