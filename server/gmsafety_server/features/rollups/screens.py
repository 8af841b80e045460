"""What the pages of roll-ups show, in the words of their readers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_

from gmsafety.findings import FILE

from ...captions import item_caption, period_caption
from ...errors import Problem
from ...node import Node
from ...scope import Viewer, visible
from ...sheets import Mark, Sheet, marks_of, sheet_of
from ...tables import AnyRow, rollups
from ...web import Paging
from ..submissions.service import STATES
from . import repository, views
from .gathering import form_of, made_of, upward_slot
from .reckoning import Made
from .service import find

WAITING = {
    "not-due": "未到期", "due": "待报", "missing": "未报", "submitted": "已报待审", "returned": "已退回",
    "accepted": "已接受，尚未计入",
}  # fmt: skip
"""The words for why a unit is not counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a roll-up has come, in a word; `tone` as `ui.tag` has it."""

    word: str
    tone: str = ""


def standing(told: dict[str, Any] | None) -> list[Standing]:
    """未汇总, 已汇总, 已上报, 有更正: what holds of a roll-up, the most pressing last."""
    if told is None:
        return [Standing("未汇总")]
    filed = told["submission"]
    marks = [Standing("已汇总", "note")]
    if filed is not None and filed["state"] == "withdrawn":
        marks.append(Standing("报送已撤回", "warn"))
    elif filed is not None and told["state"] == "filed":
        words = {"submitted": ("已上报", "ok"), "accepted": ("上级已接受", "ok"), "returned": ("上级已退回", "bad")}
        marks = [Standing(*words.get(filed["state"], ("已上报", "ok")))]
    elif filed is not None:
        marks.append(Standing("上报后有改动", "warn"))
    return [*marks, Standing("有更正", "warn")] if told["stale"] else marks


def board(tx: Connection, node: Node, viewer: Viewer, item: str, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """What one's own unit is to roll up, the latest period first, and how far each has come."""
    rows = [r for r in repository.to_be_made(tx, viewer.unit, node.clock.today()) if not item or r.item == item]
    made = {(r.campaign, r.item, r.period): r for r in repository.of_unit(tx, viewer.unit)}
    shown = rows[paging.offset : paging.offset + paging.size]
    present = [made[k] for r in shown if (k := (r.campaign, r.item, r.period)) in made]
    told = {(t["campaign"], t["item"], t["period"]): t for t in views.summaries(tx, node, present)}
    lines = []
    for row in shown:
        rolled = told.get((row.campaign, row.item, row.period))
        lines.append({
            "row": row, "title": item_caption(node.catalog, row.campaign, row.item), "rollup": rolled,
            "period": period_caption(node.catalog, row.campaign, row.duty, row.period), "marks": standing(rolled),
        })  # fmt: skip
    return lines, len(rows)


def items_of(tx: Connection, node: Node, viewer: Viewer) -> list[tuple[str, str]]:
    """The forms that one's own unit rolls up, for a choice."""
    rows = repository.to_be_made(tx, viewer.unit, node.clock.today())
    return sorted({r.item: item_caption(node.catalog, r.campaign, r.item) for r in rows}.items())


def below(tx: Connection, node: Node, viewer: Viewer, paging: Paging) -> tuple[list[dict[str, Any]], int]:
    """The roll-ups of the units below."""
    seen = and_(visible(viewer, "rollup.read", rollups.c.path), rollups.c.unit != viewer.unit)
    rows, total = repository.listed(tx, seen, {}, offset=paging.offset, limit=paging.size)
    told = views.summaries(tx, node, rows)
    return [{"rollup": t, "title": item_caption(node.catalog, t["campaign"], t["item"]), "marks": standing(t)}
            for t in told], total  # fmt: skip


@dataclass(frozen=True)
class Screen:
    """A roll-up on its page."""

    row: AnyRow
    made: Made
    told: dict[str, Any]
    sheet: Sheet
    marks: dict[str, list[Mark]]
    links: dict[str, str]
    title: str
    period: str
    may_write: bool
    same_as: int = 0
    """The revision that is filed now, where it says the very same; 0 where none does."""

    @property
    def href(self) -> str:
        """Its address."""
        return f"/rollups/{self.row.uid}"

    @property
    def standing(self) -> list[Standing]:
        """How far it has come."""
        return standing(self.told)

    @property
    def missing(self) -> list[dict[str, Any]]:
        """The units of the form's own roll-up that are not counted, with the word why."""
        return [{**m, "word": WAITING[m["state"]]} for m in self.told["missing"] if m["of_level"]]

    @property
    def others(self) -> list[dict[str, Any]]:
        """Further units that owe the form and are not counted."""
        return [{**m, "word": WAITING[m["state"]]} for m in self.told["missing"] if not m["of_level"]]

    @property
    def can_file(self) -> bool:
        """Tell whether it may be filed now: somebody takes it, and has not accepted another."""
        upward = self.told["upward"]
        open_ = upward is not None and upward["state"] != "accepted"
        return self.may_write and open_ and (not self.same_as or upward["state"] == "returned")

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found, in the order in which the page numbers it, each with the address of its cell."""
        cells = ((f, None if f.get("file") else self.sheet.find(f["where"])) for f in in_order(self.told["findings"]))
        return [{**f, "href": f"#{cell.anchor}" if cell else ""} for f, cell in cells]

    @property
    def wrong(self) -> int:
        """How many findings there are that want a reason."""
        return sum(f["severity"] != "info" for f in self.told["findings"])


def screen(tx: Connection, node: Node, viewer: Viewer, uid: str) -> Screen:
    """Fetch a roll-up for its page."""
    row = find(tx, viewer, "rollup.read", uid)
    made = made_of(tx, node, row)
    told = views.detail_of(tx, node, row, made)
    sheet = sheet_of(made.record)
    links = {n["path"]: f"/rollups/{uid}/cells/{n['path']}" for n in told["numbers"]}
    return Screen(
        row, made, told, sheet, _marks(told, sheet, uid), links, item_caption(node.catalog, row.campaign, row.item),
        caption(tx, node, row), viewer.may("rollup.write", row.path), _same_as(tx, node, row, told["body"]),
    )  # fmt: skip


def _same_as(tx: Connection, node: Node, row: AnyRow, body: dict[str, Any]) -> int:
    slot = upward_slot(tx, node, row)
    filed = repository.filed_forms(tx, [slot.submission_id]) if slot is not None and slot.submission_id else []
    return next((int(f.revision) for f in filed if f.body == body), 0)


def caption(tx: Connection, node: Node, row: AnyRow) -> str:
    """The period in words, as the units below call it."""
    owed = repository.owed_to(tx, row.unit, row.item, row.period, row.campaign)
    return period_caption(node.catalog, row.campaign, owed[0].duty, row.period) if owed else str(row.period)


def _marks(told: dict[str, Any], sheet: Sheet, uid: str) -> dict[str, list[Mark]]:
    """What stands at the cells: findings by number, numbers that were adjusted, the unit of each row of a ledger."""
    said = [
        (f["where"], f["sheet"], Mark(f["severity"], str(n), f["message"], f"#finding-{n}"))
        for n, f in enumerate(in_order(told["findings"]), 1)
        if not f.get("file")
    ]
    said += [
        (a["path"], None, Mark("info", "调", f"{a['label']} {a['change']}：{a['reason']}", "#adjustments"))
        for a in told["adjustments"]
    ]
    marks = marks_of(sheet, said)
    named = 1 + next((n for n, c in enumerate(sheet.form.columns) if c.id in sheet.form.key), 0)
    for row in told["rows"]:
        index, part = row["index"], row["part"]
        mark = Mark("info", part["area"], f"来自{part['unit_name']}", f"/rollups/{uid}/cells/rows[{index}]")
        marks.setdefault(f"cell-{index + 1}-{named}", []).append(mark)
    return marks


def in_order(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings in the order in which the page numbers them."""
    order = ("error", "warning", "info")
    return sorted(findings, key=lambda f: order.index(f["severity"]))


def traced(tx: Connection, node: Node, viewer: Viewer, uid: str, path: str) -> dict[str, Any]:
    """A cell opened, for its page."""
    told = views.cell(tx, node, viewer, uid, path)
    row = find(tx, viewer, "rollup.read", uid)
    form = form_of(node, row.item, row.period)
    return {
        "row": row, "cell": told, "states": STATES, "caption": item_caption(node.catalog, row.campaign, row.item),
        "unit": "万元" if path in form.blanks and form.type_of(path).name == "money" else "",
        "period": caption(tx, node, row), "may_write": viewer.may("rollup.write", row.path),
        "numeric": path in form.blanks and form.type_of(path).numeric,
    }  # fmt: skip


def numbers_of(made: Made) -> list[tuple[str, list[tuple[str, str]]]]:
    """The numbers that can be adjusted, by printed row, and what they are now."""
    form = made.parts.form
    rows = []
    for at, clause in enumerate(form.clauses, 1):
        numeric = [(b, b.kind.show(made.record.values[b.path]) or "空白") for b in clause.blanks if b.kind.numeric]
        choices = [(b.path, f"{form.label_of(b.path)}（现在 {shown}）") for b, shown in numeric]
        if choices:
            rows.append((f"第{at}行 {clause.label}", choices))
    return rows


def amount_of(made: Made, path: str, typed: str) -> int | float:
    """A number as it was typed, for an adjustment: money in 万元, with its sign."""
    form, kinds = made.parts.form, made.parts.directory.catalog.kinds
    if path not in form.blanks or not form.type_of(path).numeric:
        raise Problem("not-valid", "请选择要调整的数")
    text = typed.strip().replace("－", "-").replace("−", "-").removeprefix("+")
    kind = form.type_of(path)
    value, trouble = kind.read(text.removeprefix("-"), form.setting_of(path))
    if trouble is not None:
        told = {"field": form.label_of(path), **trouble.data}
        raise Problem("not-valid", kinds[trouble.slug].at(FILE, **told).message)
    if value is None:
        raise Problem("not-valid", "请填写调整的数")
    number: int | float = kind.to_json(-value if text.startswith("-") else value)
    return number


def is_late(shown: Screen, now: datetime) -> bool:
    """Tell whether what is filed now comes after the deadline."""
    upward = shown.told["upward"]
    return upward is not None and now > upward["due_at"]
