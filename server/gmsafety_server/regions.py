"""The definitions in force: what the installed plugins declare, and the snapshots that came from above.

Every region has one row in force, and the rows before it are kept. Without `gmsafety node init` there are no rows, and
the installed plugins are all there is.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, and_, func, insert, select, update

from gmsafety import Catalog, load_catalog
from gmsafety.content import Content
from gmsafety.definitions import content_of, hash_of, in_order, loosenings, snapshot_of, written
from gmsafety.errors import CatalogError, ContentError
from gmsafety.exchange.canonical import canonical
from gmsafety.exchange.errors import NotCanonical

from .tables import AnyRow, definitions, peers

IN_FORCE, SUPERSEDED, REFUSED = "in-force", "superseded", "refused"
_log = logging.getLogger("gmsafety.exchange")
_FEW = [c for c in definitions.c if c.name != "content"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a region declares, written down: its content, the bytes and the hash of it."""

    content: Content
    told: Mapping[str, Any]
    hash: str

    @classmethod
    def of(cls, content: Content) -> "Snapshot":
        """Write down what a region declares; ContentError names what cannot travel."""
        told = snapshot_of(content)
        return cls(content, told, hash_of(told))


@dataclass
class Regions:
    """The plugins installed here, and the catalog made of them and of the snapshots in force."""

    own: str
    installed: Catalog
    catalog: Catalog
    stamp: tuple[int, ...] = ()
    handed_down: tuple[int, ...] = ()
    _hashes: dict[str, str | None] = field(default_factory=dict)
    _of_plugins: dict[str, str | None] = field(default_factory=dict)

    def renew(self, tx: Connection) -> Catalog:
        """The catalog in force now; made anew where other rows are in force than before."""
        rows = rows_in_force(tx)
        stamp = tuple(sorted(r.id for r in rows))
        if stamp != self.stamp:
            self.catalog = self.catalog_in(tx)
            self.stamp, self._hashes = stamp, {r.region: r.hash for r in rows}
        return self.catalog

    def catalog_in(self, tx: Connection) -> Catalog:
        """The catalog of the plugins with the rows in force, which are stronger."""
        rows = rows_in_force(tx, with_content=True)
        others = [row for row in rows if self.plugin_hash(row.region) != row.hash]
        if not others:
            return self.installed
        contents = {c.plugin: c for c in self.installed.contents} | {r.region: content_in(r) for r in others}
        return load_catalog(contents.values(), calendar=self.installed.calendar)

    def plugin_hash(self, region: str) -> str | None:
        """The hash of what the installed plugin of a region declares; None where there is none, or none can be."""
        if region not in self._of_plugins:
            content = next((c for c in self.installed.contents if c.plugin == region), None)
            self._of_plugins[region] = _hash(content) if content is not None else None
        return self._of_plugins[region]

    def applied(self, region: str) -> str | None:
        """The hash of the definitions of a region in force; None where there are none that could be sent."""
        if region not in self._hashes:
            content = next((c for c in self.catalog.contents if c.plugin == region), None)
            self._hashes[region] = _hash(content) if content is not None else None
        return self._hashes[region]


def _hash(content: Content) -> str | None:
    try:
        return hash_of(written(content))
    except NotCanonical:
        return None


def rows_in_force(tx: Connection, *, with_content: bool = False) -> list[AnyRow]:
    """The row in force of every region."""
    query = select(*(definitions.c if with_content else _FEW)).where(definitions.c.state == IN_FORCE)
    return list(tx.execute(query.order_by(definitions.c.region)))


def row_in_force(tx: Connection, region: str) -> AnyRow | None:
    """The row in force of a region, with its content."""
    query = select(definitions).where(definitions.c.region == region, definitions.c.state == IN_FORCE)
    return tx.execute(query.order_by(definitions.c.id.desc()).limit(1)).first()


def content_in(row: AnyRow) -> Content:
    """What a row declares."""
    return content_of(row.region, orjson.loads(bytes(row.content)))


def next_number(tx: Connection, region: str, today: date) -> int:
    """A number that is greater than all that are known of a region: by custom the day and a count."""
    last = tx.execute(select(func.max(definitions.c.number)).where(definitions.c.region == region)).scalar()
    return max(int(last or 0) + 1, int(f"{today:%Y%m%d}01"))


def keep(tx: Connection, snapshot: Snapshot, *, state: str, now: datetime, **more: Any) -> int:
    """Keep a snapshot; one in force takes the place of the one before it."""
    region = snapshot.content.plugin
    before = row_in_force(tx, region)
    values = {
        "region": region, "title": snapshot.content.title, "hash": snapshot.hash, "content": canonical(snapshot.told),
        "previous": before.hash if before is not None else None, "issued_at": now, "received_at": now, "state": state,
        "detail": [], **more,
    }  # fmt: skip
    if state == IN_FORCE:
        end(tx, region)
        values["since"] = now
    fresh = insert(definitions).values(**values).returning(definitions.c.id)
    return int(tx.execute(fresh).scalar_one())


def end(tx: Connection, region: str) -> None:
    """Nothing of a region is in force."""
    same = (definitions.c.region == region, definitions.c.state == IN_FORCE)
    tx.execute(update(definitions).where(*same).values(state=SUPERSEDED))


def is_exchanging(tx: Connection) -> bool:
    """Tell whether this node is one among others."""
    return tx.execute(select(peers.c.name).where(peers.c.is_own)).first() is not None


def note_installed(tx: Connection, regions: Regions, now: datetime, today: date) -> None:
    """Note what the installed plugins declare, where it is not what was noted last; what fits is in force from now on.

    A plugin does not loosen what came from above, whoever installed it: it is noted as refused.
    """
    if not is_exchanging(tx):
        return
    rows = {r.region: r for r in rows_in_force(tx, with_content=True)}
    known = {c.plugin for c in regions.installed.contents}
    for region, given in rows.items():
        if region not in known and given.sender == regions.own and given.actor is None:
            end(tx, region)
    fresh = [s for c in in_order(regions.installed.contents) if (s := _changed(tx, regions, c)) is not None]
    for snapshot in fresh:
        row = rows.get(snapshot.content.plugin)
        state, detail = _standing(regions, rows, snapshot)
        if state == IN_FORCE:
            rows.pop(snapshot.content.plugin, None)
        number = next_number(tx, snapshot.content.plugin, today)
        if row is not None and row.hash == snapshot.hash:
            number = row.number
        keep(tx, snapshot, state=state, now=now, sender=regions.own, number=number, detail=detail)


def _changed(tx: Connection, regions: Regions, content: Content) -> Snapshot | None:
    """The snapshot of an installed plugin, where it is not the one that was noted last."""
    mine = (definitions.c.region == content.plugin, definitions.c.sender == regions.own, definitions.c.actor.is_(None))
    last = select(definitions.c.hash).where(*mine)
    noted = tx.execute(last.order_by(definitions.c.id.desc()).limit(1)).scalar()
    if noted is not None and noted == regions.plugin_hash(content.plugin):
        return None
    try:
        return Snapshot.of(content)
    except ContentError as error:
        _log.warning("%s 的定义不能下发：%s", content.plugin, error)
        return None


def _standing(regions: Regions, rows: Mapping[str, AnyRow], snapshot: Snapshot) -> tuple[str, list[str]]:
    """Whether what a plugin declares is in force beside what came from above; else why it is not."""
    row = rows.get(snapshot.content.plugin)
    if row is None or row.sender == regions.own:
        return _fitting(regions, rows, snapshot)
    if row.hash == snapshot.hash:
        return SUPERSEDED, []
    told = [str(loosening) for loosening in loosenings(content_in(row), snapshot.content, regions.installed.calendar)]
    return (REFUSED, told) if told else _fitting(regions, rows, snapshot)


def _fitting(regions: Regions, rows: Mapping[str, AnyRow], snapshot: Snapshot) -> tuple[str, list[str]]:
    above = {name: content_in(r) for name, r in rows.items() if r.sender != regions.own}
    if not above:
        return IN_FORCE, []
    contents = {c.plugin: c for c in regions.installed.contents} | above
    try:
        load_catalog({**contents, snapshot.content.plugin: snapshot.content}.values())
    except CatalogError as error:
        return REFUSED, [p.text for p in error.problems]
    return IN_FORCE, []


def refused_plugins(tx: Connection, own: str) -> list[str]:
    """The installed plugins whose definitions, as they were noted last, are not in force."""
    mine = and_(definitions.c.sender == own, definitions.c.actor.is_(None))
    last = select(func.max(definitions.c.id)).where(mine).group_by(definitions.c.region)
    refused = select(definitions.c.region).where(definitions.c.id.in_(last), definitions.c.state == REFUSED)
    return list(tx.execute(refused.order_by(definitions.c.region)).scalars())
