"""The printed view: JSON in the words and the order of the paper, for people and for other programs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from .judge import derived
from .record import Record, Rows, as_list, as_mapping
from .sentence import Blank
from .spec import Clause, Form
from .types import fold
from .types.answers import joined_answer
from .types.dates import Window


def to_printed(record: Record, window: Window = Window()) -> dict[str, Any]:  # noqa: B008 - a frozen value
    """Show a record as it stands on paper: `form`, `header`, and `clauses` or `rows`; money in 万元."""
    form = record.form
    view: dict[str, Any] = {"form": form.printed_id or form.id}
    view["header"] = {h.label: h.kind.to_printed(record.header.get(h.id)) for h in form.header}
    if form.is_grid:
        view["rows"] = _rows(record, window)
    else:
        view["clauses"] = {str(n): _clause(c, record.values) for n, c in enumerate(form.clauses, 1)}
    if form.signatures:
        view["footer"] = {f.label: record.signatures.get(f.id) for f in form.signatures}
    if record.nil:
        view["nil"] = True
    if record.origin:
        view = {"file": record.origin.file, **view}
        if record.origin.sheet:
            view["sheet"] = record.origin.sheet
    return view


def _clause(clause: Clause, values: Mapping[str, Any]) -> dict[str, Any]:
    blanks = clause.blanks
    if len(blanks) == 1 and blanks[0].kind.name == "narrative":
        return {"text": values.get(blanks[0].path)}
    view: dict[str, Any] = {"numbers": [b.kind.to_printed(values.get(b.path)) for b in blanks if b.kind.numeric]}
    texts = [t for b in blanks if not b.kind.numeric for t in _texts(b, values.get(b.path))]
    return {**view, "texts": texts} if texts else view


def _texts(blank: Blank, value: Any) -> list[str | None]:
    if blank.kind.name != "names":
        return [value]
    return list(value) if value else [None] * _printed_count(blank)


def _printed_count(blank: Blank) -> int:
    """How many names the paper has room for: `**县、**县` has two."""
    return blank.placeholder.count("、") + 1


def _rows(record: Record, window: Window) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {}
    for column in record.form.columns:
        values = record.rows.columns.get(column.id)
        if values is not None:
            columns[column.label] = [column.kind.to_printed(v) for v in values]
            if column.kind.derived:
                for name, more in derived(record, column.id, window).items():
                    if name == "answer":  # what stands in the column itself
                        continue
                    columns[f"_{name}"] = [v.isoformat() if isinstance(v, date) else v for v in more]
    columns |= _meant(record)
    names = sorted(columns, key=lambda n: n.startswith("_"))
    return [dict(zip(names, row, strict=True)) for row in zip(*(columns[n] for n in names), strict=True)]


def _meant(record: Record) -> dict[str, list[Any]]:
    """What printed rows belong to, where they stand under another heading than is meant."""
    from .reading.printed_rows import PrintedRows  # noqa: PLC0415 - for forms of printed rows only

    found: dict[str, list[Any]] = {}
    for column in record.form.columns:
        stands = record.rows.columns.get(column.id)
        if column.meant and stands:
            printed = PrintedRows(record.form)
            known = [printed.find(text) for text in record.rows.columns.get(printed.column, [])]
            meant = [None if n is None else record.form.printed_rows[n].get(column.id) for n in known]
            if any(m is not None and fold(m) != fold(s) for m, s in zip(meant, stands, strict=False)):
                found[f"_{column.meant}"] = meant
    return found


def from_printed(data: Mapping[str, Any], form: Form) -> Record:
    """Take a record from a printed view; ValueError lists everything that does not fit.

    Only the part of this form is taken: `clauses`, or `rows` (also `ledger_rows`, beside the clauses of another form).
    """
    wrong: list[str] = []
    header = _header(data, form, wrong)
    if form.is_grid:
        rows = data.get("rows", data.get("ledger_rows"))
        footer = {fold(k): v for k, v in as_mapping(data.get("footer"), "footer", wrong).items()}
        signed = {f.id: footer.get(fold(f.label)) for f in form.signatures}
        nil = bool(data.get("nil"))
        taken = _rows_from(as_list(rows, "rows", wrong), form, wrong)
        record = Record(form, header, rows=taken, nil=nil, signatures=signed)
    else:
        values = _clauses_from(as_mapping(data.get("clauses"), "clauses", wrong), form, wrong)
        record = Record(form, header, values, nil=bool(data.get("nil")))
    if wrong:
        raise ValueError("；".join(wrong))
    return record


def is_printed(data: Mapping[str, Any]) -> bool:
    """Tell a printed view from a record in JSON: the header is in the words of the paper."""
    header = data.get("header") or {}
    return "clauses" in data or "ledger_rows" in data or any(not str(k).isascii() for k in header)


def _header(data: Mapping[str, Any], form: Form, wrong: list[str]) -> dict[str, Any]:
    given = as_mapping(data.get("header"), "header", wrong)
    given = given or {"填报单位": data.get("unit"), "填报时间": data.get("week")}
    header = {}
    for field in form.header:
        raw = next((v for k, v in given.items() if fold(k) in {fold(n) for n in (field.label, *field.aliases)}), None)
        header[field.id] = _take(lambda f=field, r=raw: f.kind.from_printed(r), field.label, wrong)
    return header


def _take(read: Any, label: str, wrong: list[str]) -> Any:
    try:
        return read()
    except (ValueError, TypeError, ArithmeticError) as error:
        wrong.append(f"{label}：{error}")
        return None


def _clauses_from(clauses: Mapping[str, Any], form: Form, wrong: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(form.blanks)
    wrong += [f"表上没有第{n}行" for n in clauses if n not in {str(i) for i in range(1, len(form.clauses) + 1)}]
    for number, clause in enumerate(form.clauses, 1):
        where = f"第{number}行"
        given = as_mapping(clauses.get(str(number)), where, wrong)
        numbers = as_list(given.get("numbers"), f"{where}numbers", wrong)
        texts = [given["text"]] if "text" in given else as_list(given.get("texts"), f"{where}texts", wrong)
        numeric = [b for b in clause.blanks if b.kind.numeric]
        if numbers and len(numbers) != len(numeric):
            wrong.append(f"第{number}行给了{len(numbers)}个数，应为{len(numeric)}个")
        raws = dict(zip((b.path for b in numeric), numbers, strict=False))
        raws |= _texts_from([b for b in clause.blanks if not b.kind.numeric], texts)
        for blank in clause.blanks:
            raw = raws.get(blank.path)
            values[blank.path] = _take(lambda b=blank, r=raw: b.kind.from_printed(r), form.label_of(blank.path), wrong)
    return values


def _texts_from(blanks: list[Blank], texts: list[Any]) -> dict[str, Any]:
    """Deal texts out to blanks; one that holds several names takes what the others leave."""
    spare = len(texts) - sum(b.kind.name != "names" for b in blanks)
    out: dict[str, Any] = {}
    position = 0
    for blank in blanks:
        take = max(spare, 0) if blank.kind.name == "names" else 1
        part = texts[position : position + take]
        out[blank.path] = [t for t in part if t] if blank.kind.name == "names" else (part[0] if part else None)
        position += take
    return out


def _rows_from(rows: list[Any], form: Form, wrong: list[str]) -> Rows:
    ids = {fold(c.label): c for c in form.columns}
    taken = []
    for index, told in enumerate(rows, 1):
        row = as_mapping(told, f"第{index}行", wrong)
        values = {}
        for label, raw in row.items():
            if label.startswith("_"):
                continue
            column = ids.get(fold(label))
            if column is None:
                wrong.append(f"第{index}行：没有“{label}”一列")
                continue
            said = joined_answer(str(raw), row.get("_remark")) if column.type == "answer" and raw else raw
            values[column.id] = _take(lambda c=column, r=said: c.kind.from_printed(r), f"第{index}行“{label}”", wrong)
        taken.append(values)
    return Rows.of(taken, form)
