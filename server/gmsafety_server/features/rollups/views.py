"""What is shown of a roll-up, to programs and on pages."""

from dataclasses import replace
from decimal import Decimal
from functools import reduce
from typing import Any

from sqlalchemy import Connection

from gmsafety.codes import Level
from gmsafety.findings import Finding, Place
from gmsafety.forms.schema import to_json
from gmsafety.forms.spec import Form

from ...errors import Problem
from ...node import Node
from ...scope import Viewer, visible
from ...tables import AnyRow, rollups, slots
from ...web import Paging
from ..submissions import repository as papers
from . import repository, tracing
from .comparing import changes
from .gathering import lay_bench, made_now, made_of, opener, upward_slot
from .printing import printed
from .reckoning import Made
from .service import find
from .totals import ROWS, Question, Total, TotalsAsked, folded, plus, summed_paths, totals


def summaries(tx: Connection, node: Node, rows: list[AnyRow]) -> list[dict[str, Any]]:
    """Roll-ups as the lines of a list."""
    stale = stale_among(tx, rows) | {n for n, s in repository.outdated_sources(tx, [r.id for r in rows]).items() if s}
    filed = repository.summaries_of(tx, [r.submission_id for r in rows])
    return [_summary(tx, node, r, filed, stale=r.id in stale) for r in rows]


def _summary(tx: Connection, node: Node, row: AnyRow, filed: dict[int, AnyRow], *, stale: bool) -> dict[str, Any]:
    same = ("uid", "unit", "campaign", "item", "period", "basis", "state", "etag", "created_at", "changed_at")
    form = node.catalog.forms.get(row.item)
    return {
        **{name: getattr(row, name) for name in same},
        "title": form.title if form else row.item,
        "unit_name": node.directories.on(tx, row.period).name(row.unit),
        "stale": stale,
        "submission": _filed(filed.get(row.submission_id)),
    }


def _filed(row: AnyRow | None) -> dict[str, Any] | None:
    names = ("uid", "campaign", "period", "revision", "state", "payload_hash")
    return {n: getattr(row, n) for n in names} if row is not None else None


def listed(
    tx: Connection, node: Node, viewer: Viewer, filters: dict[str, Any], paging: Paging
) -> tuple[list[dict[str, Any]], int]:
    """A page of what is in sight."""
    seen = visible(viewer, "rollup.read", rollups.c.path)
    rows, total = repository.listed(tx, seen, filters, offset=paging.offset, limit=paging.size)
    return summaries(tx, node, rows), total


def stale_among(tx: Connection, rows: list[AnyRow]) -> set[int]:
    """Those that would count other submissions now."""
    numbers = [r.id for r in rows]
    counted, now = repository.counted(tx, numbers), repository.in_force(tx, numbers)
    return {n for n in numbers if counted[n] != now[n]}


def detail(tx: Connection, node: Node, viewer: Viewer, uid: str, *, action: str) -> dict[str, Any]:
    """A roll-up with everything it is made of, for somebody who may do the action."""
    row = find(tx, viewer, action, uid)
    return detail_of(tx, node, row, made_of(tx, node, row))


def detail_of(tx: Connection, node: Node, row: AnyRow, made: Made) -> dict[str, Any]:
    """The same, of one that was fetched and made before."""
    now = made_now(tx, node, row)
    slot = upward_slot(tx, node, row)
    found = lay_bench(tx, node, row, slot).judge(made)
    return {
        **summaries(tx, node, [row])[0],
        "body": to_json(made.record),
        "printed": printed(made),
        "contributions": made.result.contributions(),
        "numbers": numbers(made),
        "rows": [{"index": n, "part": tracing.parts_of(made, f"rows[{n}]")[0]} for n in range(len(made.record.rows))],
        "sources": sources(tx, made),
        "missing": missing(tx, node, row, made),
        "findings": [finding_json(f, made) for f in found],
        "adjustments": adjustments(made),
        "own": own(made),
        "differs": now is not None,
        "changes": changes(made, now) if now is not None else [],
        "upward": upward(tx, node, slot),
    }


def numbers(made: Made) -> list[dict[str, Any]]:
    """Every number of a clause table, by its printed row and place."""
    form, told = made.parts.form, []
    for at, clause in enumerate(form.clauses, 1):
        numeric = (b for b in clause.blanks if b.kind.numeric)
        for place, blank in enumerate(numeric, 1):
            value = made.record.values[blank.path]
            sources_of = made.result.sources.get(blank.path, ())
            told.append({
                "path": blank.path, "clause": at, "number": place, "label": form.label_of(blank.path),
                "value": blank.kind.to_json(value), "shown": blank.kind.show(value),
                "contributions": {s.area: blank.kind.to_printed(s.value) for s in sources_of},
                "parts": tracing.parts_of(made, blank.path),
            })  # fmt: skip
    return told


def sources(tx: Connection, made: Made) -> list[dict[str, Any]]:
    """The submissions that are counted, in the order of the units."""
    units = made.parts.directory.units
    numbers_of = [given.row.id for given in made.lower.values()]
    filed, old = repository.filings(tx, numbers_of), repository.outdated_among(tx, numbers_of)
    told = []
    for name, given in made.lower.items():
        row, unit = given.row, units.get(given.row.unit)
        count = [sum(f["severity"] == s for f in row.findings) for s in ("error", "warning")]
        same = ("unit", "revision", "state", "nil", "received_at", "payload_hash", "file", "file_hash", "reason")
        told.append({
            **{n: getattr(row, n) for n in same}, "unit_name": name, "area": units.area_name(unit) if unit else name,
            "submission": row.uid, "errors": count[0], "warnings": count[1],
            "rollup": filed[row.id].uid if row.id in filed else None, "outdated": row.id in old,
            "order": unit.area if unit else "",
        })  # fmt: skip
    return sorted(told, key=lambda s: (s["order"], s["unit"]))


def missing(tx: Connection, node: Node, row: AnyRow, made: Made) -> list[dict[str, Any]]:
    """The units that are not counted: those that owe the form, and those that its roll-up asks for."""
    now, counted = node.clock.now(), {given.row.unit for given in made.lower.values()}
    asked = {u.ref: u.name for u in made.result.missing}
    told = {}
    for slot in repository.owed_to(tx, row.unit, row.item, row.period, row.campaign):
        if slot.unit not in counted:
            waiting = "not-due" if node.clock.today() < slot.opens else "due" if now <= slot.due_at else "missing"
            state = waiting if slot.state == "open" else slot.state
            told[slot.unit] = {"unit": slot.unit, "unit_name": made.parts.directory.name(slot.unit), "state": state}
    for unit, name in asked.items():
        told.setdefault(unit, {"unit": unit, "unit_name": name, "state": "missing"})
    units = [{**t, "of_level": t["unit"] in asked} for t in told.values()]
    return sorted(units, key=lambda u: not u["of_level"])


def finding_json(finding: Finding, made: Made) -> dict[str, Any]:
    """A finding, its place in the words of the paper it is on."""
    file, form = finding.place.file, made.parts.form
    if file is not None:
        form = next((f for f in made.parts.directory.catalog.forms.values() if f.title == file), form)
    words = tracing.place_words(form, replace(finding.place, file=None))
    return {**finding.to_json(), "place": f"{file} {words}" if file else words}


def adjustments(made: Made) -> list[dict[str, Any]]:
    """Every adjustment, and what it did."""
    told = []
    for a in made.adjusted:
        kind = made.parts.form.type_of(a.path)
        shown = {"before": kind.show(a.before), "after": kind.show(a.after)}
        label = tracing.labelled(made.parts.form, a.path)
        told.append({**a.told, "label": label, **shown, "change": tracing.signed(kind.show(a.change))})
    return told


def own(made: Made) -> dict[str, Any] | None:
    """The unit's own part."""
    given = made.parts.own
    if given is None:
        return None
    file = given.get("file") or {}
    told = {"file": file.get("name"), "file_hash": file.get("hash"), "size": file.get("size")}
    return {"body": given["body"], "findings": given["findings"], **told}


def own_file(tx: Connection, viewer: Viewer, uid: str) -> tuple[str, str, bytes]:
    """The file of the own part: name, media type, bytes."""
    file = (find(tx, viewer, "rollup.read", uid).own or {}).get("file") or {}
    content = papers.blob(tx, file["hash"]) if "hash" in file else None
    if content is None:
        raise Problem("not-found")
    return file["name"], file["media_type"], content


def upward(tx: Connection, node: Node, slot: AnyRow | None) -> dict[str, Any] | None:
    """Where the result is to be filed, and what stands there now."""
    if slot is None:
        return None
    current = repository.summaries_of(tx, [slot.submission_id]).get(slot.submission_id)
    same = {n: getattr(slot, n) for n in ("campaign", "period", "due_at", "upper", "state")}
    name = node.directories.on(tx, slot.period).name(slot.upper)
    return {**same, "upper_name": name, "current_hash": current.payload_hash if current else None}


def cell(tx: Connection, node: Node, viewer: Viewer, uid: str, path: str) -> dict[str, Any]:
    """A number (a row of a ledger) opened down to the cells it came from."""
    row = find(tx, viewer, "rollup.read", uid)
    made = made_of(tx, node, row)
    if not tracing.knows(made, path):
        raise Problem("not-found", f"这张表上没有“{path}”")
    form = made.parts.form
    parts = tracing.parts_of(made, path, opener(tx, node))
    if path in form.blanks:
        kind, value = form.type_of(path), made.record.values[path]
        clause = next(n for n, c in enumerate(form.clauses, 1) if path.startswith(f"{c.id}."))
        told = {"clause": clause, "value": kind.to_json(value), "shown": kind.show(value)}
        return {"path": path, "label": form.label_of(path), **told, "parts": parts}
    told = {"clause": None, "value": parts[0]["value"], "shown": parts[0]["shown"]}
    return {"path": path, "label": tracing.place_words(form, Place(path)), **told, "parts": parts}


def totals_of(tx: Connection, node: Node, viewer: Viewer, form: Form, asked: TotalsAsked) -> dict[str, Any]:
    """The sums of a form, by the units of a level above."""
    order = list(Level)
    if order.index(asked.by) > order.index(asked.level):
        raise Problem("not-valid", "by 应是 level 或它以上的层级")
    directory = node.directories.on(tx, asked.period)
    heads = {directory.path(u.ref): u.ref for u in directory.units.values() if u.level is asked.by}
    depth = max((p.count("/") - 1 for p in heads), default=1)
    paths = summed_paths(form, asked.level, asked.by)
    question = Question(
        form.ref, paths, asked.period, depth, basis=asked.basis, level=asked.level, campaign=asked.campaign,
        within=visible(viewer, "rollup.read", slots.c.path),
    )  # fmt: skip
    groups = folded(totals(tx, question), heads)
    whole = reduce(plus, groups.values(), Total("", 0, 0, (None,) * len(paths)))

    def told(unit: str | None, total: Total) -> dict[str, Any]:
        counts = {"reporting": total.reporting, "nil": total.nil}
        sums = {p: _plain(v) for p, v in zip(paths, total.sums, strict=True)}
        return {"unit": unit, "unit_name": directory.name(unit) if unit else "（无上级）", **counts, "sums": sums}

    return {
        **{n: getattr(asked, n) for n in ("period", "level", "by", "basis")}, "item": form.ref, "title": form.title,
        "labels": {p: "行数" if p == ROWS else tracing.labelled(form, p) for p in paths},
        "groups": [told(u, t) for u, t in groups.items()], "total": {**told(None, whole), "unit_name": "合计"},
    }  # fmt: skip


def _plain(value: Decimal | None) -> int | float | None:
    return None if value is None else int(value) if value == int(value) else float(value)
