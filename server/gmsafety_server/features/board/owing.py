"""What one unit owes: its slots as a list, with state, time left, what to know about the day, and the source."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from gmsafety import Catalog
from gmsafety.campaigns import Campaign
from gmsafety.duties import Duty

from ...captions import item_caption, period_caption
from ...directory import Directory
from ...node import Node
from ...planning import find_item, items_of
from ...scope import Viewer, require, visible
from ...tables import AnyRow, slots
from . import repository
from .schemas import Due, DueList, Flag, Returned, Source
from .states import OPEN, standing

_SAME = (
    "campaign", "duty", "item", "kind", "period", "opens", "due_at", "upper", "nil", "received_at", "revision",
)  # fmt: skip
BACK, AHEAD = timedelta(days=60), timedelta(days=31)
"""How far the list reaches where nothing is said."""


def due_list(
    tx: Connection, node: Node, viewer: Viewer, *, unit: str | None = None, between: tuple[date | None, date | None]
) -> DueList:
    """What a unit owes, by default from 60 days ago to 31 days ahead."""
    directory = node.directory(tx)
    ref = _unit(directory, viewer, unit)
    today = node.clock.today()
    days = (between[0] or today - BACK, between[1] or today + AHEAD)
    rows = repository.owed(tx, ref, visible(viewer, "board.read", slots.c.path), days)
    told = _Told(node, directory, viewer)
    order = order_of(node.catalog)
    rows = sorted(rows, key=lambda r: (r.due_at, order.get((r.campaign, r.item), len(order))))
    return DueList(unit=ref, unit_name=directory.name(ref), now=told.now, items=[told.due(r) for r in rows])


def order_of(catalog: Catalog) -> Mapping[tuple[str, str], int]:
    """The place of every item among all, as the notices name them."""
    every = (
        (campaign.ref, item.ref)
        for campaign in catalog.campaigns.values()
        for duty in campaign.duties
        for item in items_of(catalog, campaign, duty)
    )
    return {pair: number for number, pair in enumerate(dict.fromkeys(every))}


def _unit(directory: Directory, viewer: Viewer, name: str | None) -> str:
    if name is None:
        return viewer.unit
    known = directory.units.get(name) or directory.units.named(name)
    ref = known.ref if known else name
    require(viewer, "board.read", directory.place(ref))
    return ref


class _Told:
    """Tells slots as they are shown to one viewer at one moment."""

    def __init__(self, node: Node, directory: Directory, viewer: Viewer) -> None:
        self.node, self.directory, self.viewer = node, directory, viewer
        self.now = node.clock.now()
        self._flags: dict[tuple[str, str], Mapping[date, list[Flag]]] = {}

    def due(self, row: AnyRow) -> Due:
        """One thing that is owed."""
        catalog, stands = self.node.catalog, standing(row, self.now)
        campaign = catalog.campaigns.get(row.campaign)
        duty = next((d for d in campaign.duties if d.id == row.duty), None) if campaign else None
        item = find_item(catalog, row.campaign, row.item)
        readable = self.viewer.may("submission.read", row.path)
        left = int((row.due_at - self.now) // timedelta(minutes=1)) if stands.word in OPEN else None
        return Due(
            **{name: getattr(row, name) for name in _SAME}, title=item.title if item else row.item,
            caption=item_caption(catalog, row.campaign, row.item),
            period_title=period_caption(catalog, row.campaign, row.duty, row.period),
            upper_name=self.directory.name(row.upper), state=stands.word, late_minutes=stands.late_minutes,
            minutes_left=left, closes_at=row.due_at + timedelta(days=self.node.settings.late_days),
            submission=row.current_uid if readable else None, payload_hash=row.payload_hash if readable else None,
            draft=row.draft_uid if readable and row.unit == self.viewer.unit else None,
            returned=self._returned(row) if readable else None, flags=self._flags_of(campaign, duty, row.period),
            source=source_of(catalog, campaign, duty) if campaign and duty else None,
        )  # fmt: skip

    def _returned(self, row: AnyRow) -> Returned | None:
        if row.returned_at is None:
            return None
        said: dict[str, Any] = row.returned_data or {}
        return Returned(
            at=row.returned_at, unit=row.returned_by, unit_name=self.directory.name(row.returned_by),
            note=row.returned_note, reasons=said.get("reasons") or [],
        )  # fmt: skip

    def _flags_of(self, campaign: Campaign | None, duty: Duty | None, period: date) -> list[Flag]:
        if campaign is None or duty is None:
            return []
        key = (campaign.ref, duty.id)
        if key not in self._flags:
            every = duty.occurrences(self.node.catalog.calendar)
            self._flags[key] = {o.period: [Flag(flag=f.slug, text=f.text) for f in o.flags] for o in every}
        return self._flags[key].get(period, [])


def source_of(catalog: Catalog, campaign: Campaign, duty: Duty) -> Source:
    """Where a duty is written down, with the document's title and number."""
    source = duty.source
    name = source.document or campaign.document
    document = catalog.documents.get(name) or catalog.documents.get(f"{campaign.plugin}.{name}")
    return Source(
        document=name, title=document.title if document else None, number=document.number if document else None,
        clause=source.clause, quote=source.quote, reading=source.reading,
    )  # fmt: skip


__all__ = ["due_list", "source_of"]
