"""Forms that are there already: entered into the tables in bulk, past the server, as if they had been filed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from gmsafety.exchange.canonical import digest
from gmsafety_server.tables import AnyRow, slots, submissions, users

_AT_ONCE = 2000


def file_all(
    tx: Connection, item: str, body_of: Callable[[AnyRow], Mapping[str, Any]], state_of: Callable[[AnyRow], str]
) -> int:
    """Enter a submission for every open slot of an item but those that stay `open`; returns how many."""
    user = tx.execute(select(func.min(users.c.id))).scalar_one()
    rows = tx.execute(select(slots).where(slots.c.item == item, slots.c.state == "open")).all()
    made = [submission_of(row, body_of(row), state_of(row), user) for row in rows if state_of(row) != "open"]
    for start in range(0, len(made), _AT_ONCE):
        tx.execute(insert(submissions), made[start : start + _AT_ONCE])
    same = {n: submissions.c[n] for n in ("state", "nil", "revision", "received_at")}
    filed = update(slots).where(submissions.c.slot_id == slots.c.id, slots.c.state == "open")
    tx.execute(filed.values({**same, "submission_id": submissions.c.id}))
    return len(made)


def submission_of(slot: AnyRow, body: Mapping[str, Any], state: str, user: int) -> dict[str, Any]:
    """The row of a submission of a slot, as if it had been filed in time."""
    name = f"{slot.unit}-{slot.item}-{slot.period}"
    hashed = digest(name.encode())
    at = min(slot.due_at, datetime.now(UTC))
    same = {n: getattr(slot, n) for n in ("campaign", "item", "period", "unit")}
    return {
        **same, "uid": hashed[:36], "slot_id": slot.id, "sender": slot.unit, "message_id": name[:120],
        "message_hash": hashed, "revision": 1, "state": state, "nil": False, "body": dict(body), "origin": None,
        "findings": [], "reason": None, "note": None, "payload_hash": hashed, "supersedes": None, "etag": 2,
        "test": False, "created_by": user, "created_at": at, "received_at": at, "changed_at": at,
    }  # fmt: skip
