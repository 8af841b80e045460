"""Which messages of the inbox are next to be taken up."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from gmsafety.exchange.mailroom import Mark
from gmsafety.exchange.reconciling import BETWEEN_NODES

from ...tables import AnyRow, channels_in, inbox
from . import repository
from .repository import UNTAKEN


def to_take(tx: Connection, now: datetime) -> list[int]:
    """The messages that are next to be taken up, the one that came first first.

    What nodes tell each other about themselves waits for nothing but its like in the same channel. What is about forms
    waits for its like in all channels of its sender, the older ones complete, and while we wait for that node; and for
    the keys told before it, for with these its receipts are checked.
    """
    between = inbox.c.kind.in_(sorted(BETWEEN_NODES))
    first = select(
        func.min(inbox.c.sequence).label("sequence"), inbox.c.sender, inbox.c.epoch, between.label("between")
    )
    first_of = first.where(UNTAKEN).group_by(inbox.c.sender, inbox.c.epoch, between).subquery()
    same = and_(*(inbox.c[n] == first_of.c[n] for n in ("sender", "epoch", "sequence")))
    ready = or_(inbox.c.next_try.is_(None), inbox.c.next_try <= now)
    columns = (inbox.c.id, inbox.c.sender, inbox.c.epoch, inbox.c.sequence, first_of.c.between, ready.label("ready"))
    rows = tx.execute(select(*columns).join(first_of, same).where(UNTAKEN).order_by(inbox.c.id)).all()
    forms = _oldest(row for row in rows if not row.between)
    turns = _may_be_taken(tx, forms) if forms else {}
    keys = _first_keys(tx) if forms and any(row.between for row in rows) else {}
    behind = {row.id for row in rows if row.sender in keys and keys[row.sender] < (row.epoch, row.sequence)}
    is_turn = {row.id for row in rows if turns.get(row.sender) == row.epoch} - behind
    return [row.id for row in rows if row.ready and (row.between or row.id in is_turn)]


def _first_keys(tx: Connection) -> dict[str, tuple[str, int]]:
    """Where the first keys of each sender stand that were not taken up."""
    query = select(inbox.c.sender, inbox.c.epoch, inbox.c.sequence).where(UNTAKEN, inbox.c.kind == "keys")
    found: dict[str, tuple[str, int]] = {}
    for sender, epoch, sequence in tx.execute(query):
        found[sender] = min((epoch, sequence), found.get(sender, (epoch, sequence)))
    return found


def _oldest(rows: Iterable[AnyRow]) -> dict[str, str]:
    """The oldest epoch of each sender that something waits in."""
    found: dict[str, str] = {}
    for row in rows:
        found[row.sender] = min(row.epoch, found.get(row.sender, row.epoch))
    return found


def _may_be_taken(tx: Connection, forms: Mapping[str, str]) -> dict[str, str]:
    """Of each sender the epoch in which forms may be taken up, where they may."""
    closed = repository.asked(tx)
    several = select(channels_in.c.sender).group_by(channels_in.c.sender).having(func.count() > 1)
    for row in tx.execute(select(channels_in).where(channels_in.c.sender.in_(several))):
        mark = Mark(row.epoch, row.sequence, row.hash, row.last, tuple(row.lost))
        if row.epoch < forms.get(row.sender, "") and not mark.is_complete:
            closed.add(row.sender)
    return {sender: epoch for sender, epoch in forms.items() if sender not in closed}
