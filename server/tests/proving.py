"""What must hold between nodes once nothing is on its way any more: all is there, once, and the same on both sides."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from gmsafety.exchange.envelope import opened
from gmsafety.exchange.payloads import Submission, read_payload
from gmsafety.exchange.reconciling import BETWEEN_NODES
from gmsafety_server.tables import inbox, outbox, receipts, submissions
from real_nodes import Site, neighbours

_SAME = ("item", "period", "revision", "payload_hash", "supersedes", "message_id", "nil", "received_at")
_OPEN = ("submitted", "returned", "accepted")


@dataclass
class Proof:
    """What was found."""

    submissions: int = 0
    messages: int = 0
    turned_down: int = 0
    lost: int = 0
    twice: int = 0
    sent_again: int = 0
    faults: list[str] = field(default_factory=list)


def prove(sites: dict[str, Site]) -> Proof:
    """Look at every line from both ends, and at every database by itself."""
    found = Proof()
    for lower, upper in neighbours(sites):
        _channel(found, lower, upper)
        _channel(found, upper, lower)
        _filed(found, lower, upper)
    for name, site in sites.items():
        found.faults += [f"{name}: {fault}" for fault in site.station.faults()]
        found.sent_again += sum(row.failures for row in site.station.rows(outbox))
    return found


def _channel(found: Proof, sender: Site, receiver: Site) -> None:
    """The messages of one node for another: sent, stored, answered alike, in one unbroken chain, taken up in order."""
    where = f"{sender.name}-{receiver.name}"
    sent = sorted((r for r in sender.station.rows(outbox) if r.receiver == receiver.name), key=_number)
    came = sorted((r for r in receiver.station.rows(inbox) if r.sender == sender.name), key=_number)
    found.messages += len(came)
    told, heard = Counter(r.hash for r in sent), Counter(r.hash for r in came)
    found.lost += (told - heard).total()
    found.twice += sum(n - 1 for n in heard.values())
    _must(found, not heard - told, f"{where}: came and was not sent")
    _must(found, all(r.answered_at and not r.dead_at for r in sent), f"{where}: not answered")
    answers = {r.hash: bytes(r.answer) for r in came}
    _must(found, all(bytes(r.answer or b"") == answers.get(r.hash) for r in sent), f"{where}: other answers")
    _must(found, [r.sequence for r in came] == list(range(1, len(came) + 1)), f"{where}: numbers with gaps")
    links = [None, *(r.hash for r in came)]
    _must(found, [r.previous for r in came] == links[:-1], f"{where}: the chain is broken")
    _must(found, all(opened(bytes(r.content)).hash == r.hash for r in came), f"{where}: other bytes")
    _must(found, all(r.taken_at and not r.held for r in came), f"{where}: not taken up")
    vain = [f"{r.sequence} {r.kind} {r.problem} {r.detail}" for r in came if r.problem and r.kind != "submission"]
    _must(found, not vain, f"{where}: came to nothing: {'; '.join(vain)}")
    for between in (True, False):  # what nodes tell of themselves need not wait for what is about forms
        moments = [r.taken_at for r in came if (r.kind in BETWEEN_NODES) is between]
        _must(found, moments == sorted(moments), f"{where}: taken up in another order")
    told = [r for r in came if r.kind == "keys"]
    early = [r for r in came for k in told if r.sequence > k.sequence and r.taken_at < k.taken_at]
    _must(found, not early, f"{where}: taken up before the keys that stand before it")


def _filed(found: Proof, lower: Site, upper: Site) -> None:
    """The submissions of a unit, on its own node and on the one above."""
    below, above = _submissions(lower, lower.station.unit), _submissions(upper, lower.station.unit)
    arrived = [r for r in upper.station.rows(inbox) if r.sender == lower.name and r.kind == "submission"]
    problems = {_uid_of(r): r.problem for r in arrived}
    turned_down = {uid for uid, problem in problems.items() if problem}
    found.submissions += len(below)
    found.turned_down += len(turned_down)
    found.lost += len(set(below) - set(above) - turned_down) + len(set(below) - set(problems))
    found.twice += len(arrived) - len(problems)
    places = Counter((r["item"], r["period"], r["revision"]) for r in above.values())
    found.twice += sum(n - 1 for n in places.values())
    _must(found, set(above) <= set(below), f"{upper.name}: has what {lower.name} has not filed")
    for uid in set(below) & set(above):
        differ = [n for n in (*_SAME, "receipts") if below[uid][n] != above[uid][n]]
        _must(found, not differ, f"{lower.name} {uid}: differs above in {differ}")
    for uid in turned_down & set(below):
        _must(found, not below[uid]["receipts"], f"{lower.name} {uid}: turned down, with receipts")
    _states(found, lower, below, above)


def _states(found: Proof, lower: Site, below: dict[str, Any], above: dict[str, Any]) -> None:
    """The state is the same; where all later revisions were turned down, the upper node keeps to the one before."""
    for uid in set(below) & set(above):
        mine, theirs = below[uid], above[uid]
        later = [u for u, r in below.items() if _slot(r) == _slot(mine) and r["revision"] > mine["revision"]]
        is_kept = bool(later) and not any(u in above for u in later)
        right = theirs["state"] in _OPEN if is_kept else theirs["state"] == mine["state"]
        _must(found, right, f"{lower.name} {uid}: {mine['state']} here, {theirs['state']} above")


def _submissions(site: Site, unit: str) -> dict[str, dict[str, Any]]:
    with site.station.node.db.read() as tx:
        given: dict[int, list[str]] = {}
        for row in tx.execute(select(receipts.c.submission_id, receipts.c.hash).order_by(receipts.c.id)):
            given.setdefault(row.submission_id, []).append(row.hash)
        rows = tx.execute(select(submissions).where(submissions.c.unit == unit)).all()
    return {row.uid: {**row._mapping, "receipts": given.get(row.id, [])} for row in rows}


def _uid_of(row: Any) -> str:
    told = read_payload(opened(bytes(row.content)))
    assert isinstance(told, Submission)
    return told.submission


def _slot(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["item"], row["period"]


def _number(row: Any) -> int:
    return int(row.sequence)


def _must(found: Proof, is_so: bool, otherwise: str) -> None:
    if not is_so:
        found.faults.append(otherwise)
