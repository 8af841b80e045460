"""How far a submission has come on its way to each of its addressees: sent, received, checked, decided."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from gmsafety.exchange.receipts import Receipt, SignedReceipt

from ...mail.stations import Stations, stations
from ...node import Node
from ...tables import AnyRow, outbox
from . import addressing, repository

_DECISIONS = {"accepted": "已接受", "returned": "已退回", "reopened": "已撤销接受", "withdrawn": "已撤回"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One addressee, and what it has said so far; `tone` is that of the word."""

    unit: str
    name: str
    decides: bool
    node: str | None
    word: str = ""
    tone: str = ""
    at: datetime | None = None
    detail: str = ""


def told(tx: Connection, node: Node, slot: AnyRow, current: AnyRow | None) -> list[Sent]:
    """Every addressee of a slot, and how what is in force there stands with it."""
    every, directory = addressing.ways(tx, slot, slot.id), node.directory(tx)
    around = stations(tx, node.settings.node)
    signed = repository.receipts_of(tx, current.id) if current is not None else []
    given: dict[str, list[Receipt]] = {}
    for one in (SignedReceipt.from_json(text).receipt for text in signed):
        given.setdefault(one.receiver.unit, []).append(one)
    waiting = _posted(tx, current) if current is not None and around.of(slot.path) is None else {}
    return [
        _one(way, directory.name(way.unit), around, given.get(way.unit, []), waiting, is_filed=current is not None)
        for way in every
    ]


def _one(
    way: addressing.Way, name: str, around: Stations, given: list[Receipt], posted: dict[str, AnyRow], *, is_filed: bool
) -> Sent:  # fmt: skip
    elsewhere = around.above(way.path)
    way_to = Sent(way.unit, name, way.decides, elsewhere)
    if given:
        return _heard(way_to, given)
    row = posted.get(elsewhere or "")
    if not is_filed:
        return replace(way_to, word="未报")
    if row is None:
        return replace(way_to, word="由填报单位发出")
    said = row.detail or ""
    if row.dead_at is not None:
        return replace(way_to, word="对方拒收", tone="bad", at=row.dead_at, detail=said)
    if row.answered_at is not None and row.problem == "turned-down":
        return replace(way_to, word="对方未能办理", tone="bad", at=row.answered_at, detail=said)
    if row.answered_at is not None:
        return replace(way_to, word="已送达，等对方办理", at=row.answered_at)
    tried = f"试了{row.failures}次，会自动再发" if row.failures else ""
    return replace(way_to, word="待送", tone="warn" if row.failures else "", at=row.posted_at, detail=tried)


def _heard(way_to: Sent, given: list[Receipt]) -> Sent:
    """What the receipts of an addressee say; of several decisions the last counts."""
    decided = [(one, one.decision) for one in given if one.decision is not None]
    if not decided:
        return replace(way_to, word="已收到", tone="ok", at=given[0].received_at)
    last, decision = decided[-1]
    tone = "bad" if decision == "returned" else "ok"
    return replace(way_to, word=_DECISIONS[decision], tone=tone, at=last.issued_at)


def _posted(tx: Connection, row: AnyRow) -> dict[str, AnyRow]:
    """The message of a revision to each node."""
    same = [outbox.c[name] == getattr(row, name) for name in ("unit", "item", "period", "revision")]
    query = select(outbox).where(outbox.c.kind == "submission", *same).order_by(outbox.c.id)
    return {one.receiver: one for one in tx.execute(query)}
