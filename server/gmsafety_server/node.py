"""A node: one installation with its settings, database, catalog, clock and key. Made once, at the start."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from gmsafety import Catalog, load_catalog
from gmsafety.exchange import sm2
from gmsafety.exchange.signing import ED25519, SM2, PublicKey, SigningKey, Sm2SigningKey

from .clock import Clock, DemoClock
from .db import OPENING, Database, take_turn
from .directory import Directories, Directory
from .meters import Meters
from .regions import Regions, note_installed
from .seeding import seed
from .settings import Settings
from .tables import events, keys


class Mark(NamedTuple):
    """The state of the table of keys, to tell whether it was changed."""

    keys: int
    retired: int
    revoked: int
    last: str


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys of this node: the one that signs, those that sign messages beside it, the names of the revoked."""

    key: SigningKey
    others: tuple[SigningKey, ...]
    revoked: frozenset[str]
    mark: Mark


@dataclass
class Node:
    """What every request needs."""

    settings: Settings
    db: Database
    catalog: Catalog
    clock: Clock
    signers: Signers
    directories: Directories
    wake: Callable[[], None] = field(default=lambda: None)
    give_way: Callable[[], None] = field(default=lambda: None)
    meters: Meters = field(default_factory=Meters)
    regions: Regions = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the plugins that are installed, and follow the definitions that are in force."""
        self.regions = Regions(self.settings.node, self.catalog, self.catalog)
        self.directories.renewed = self.renewed

    def follow(self, regions: Regions) -> None:
        """Go on with definitions that were read already."""
        self.regions, self.catalog = regions, regions.catalog
        self.directories.catalog = regions.catalog

    def renewed(self, tx: Connection) -> Catalog:
        """The catalog of the definitions in force now, which is that of the node from now on."""
        self.catalog = self.regions.renew(tx)
        return self.catalog

    @property
    def key(self) -> SigningKey:
        """The key that signs receipts and seals."""
        return self.signers.key

    @property
    def others(self) -> tuple[SigningKey, ...]:
        """The keys that sign messages beside it while keys change."""
        return self.signers.others

    def look_after_keys(self) -> bool:
        """Go on with other keys where they were changed since; tells whether they were."""
        with self.db.read() as tx:
            if _mark_of(tx) == self.signers.mark:
                return False
            self.signers = _signers(tx, self.settings)
        return True

    @property
    def test(self) -> bool:
        """True where receipts bear the mark of a test."""
        return self.settings.demo

    def directory(self, tx: Connection, *, change: int | None = None) -> Directory:
        """The units of today; `change` is the last change of units, where that was asked for already."""
        return self.directories.on(tx, self.clock.today(), change=change)

    def directory_as_of(self, change: int) -> Directory:
        """The units of today, as a change of units left them; nearly always without a look at the database."""
        found = self.directories.known(change, self.clock.today())
        if found is None:
            with self.db.read() as tx:
                found = self.directory(tx)
        return found


def open_node(settings: Settings, *, catalog: Catalog | None = None, clock: Clock | None = None) -> Node:
    """Open an installation whose database is up to date; enters what new plugins bring."""
    db = Database(settings.database)
    catalog = catalog or load_catalog(settings.regions)
    regions = Regions(settings.node, catalog, catalog)
    if clock is None:
        clock = _demo_clock(db) if settings.demo else Clock()
    with db.write() as tx:
        take_turn(tx, OPENING)
        note_installed(tx, regions, clock.now(), clock.today())
        seed(tx, regions.renew(tx), clock.now())
        if tx.execute(_SIGNING).first() is None:
            new_key(tx, settings, clock.now())
        signers = _signers(tx, settings)
    node = Node(settings, db, catalog, clock, signers, Directories(catalog))
    node.follow(regions)
    return node


def _demo_clock(db: Database) -> DemoClock:
    """A clock that goes on from where the story has come to."""
    with db.read() as tx:
        last = tx.execute(select(func.max(events.c.at))).scalar()
    return DemoClock(last or datetime(2024, 12, 14, tzinfo=UTC))


_SIGNING = select(keys).where(keys.c.retired_at.is_(None)).order_by(keys.c.created_at.desc(), keys.c.key_id.desc())


def _mark_of(tx: Connection) -> Mark:
    """What changes whenever the keys do: how many there are, how many were retired and revoked, which is the last."""
    query = select(func.count(), func.count(keys.c.retired_at), func.count(keys.c.revoked_at), func.max(keys.c.key_id))
    return Mark(*tx.execute(query).one())


def _signers(tx: Connection, settings: Settings) -> Signers:
    """The keys that are not retired, the newest first: it signs, the others beside it, for not all may know it yet."""
    rows = tx.execute(_SIGNING).all()
    opened = [SigningKey.from_pem(r.private, r.key_id, passphrase=_secret(settings)) for r in rows]
    if any(key.algorithm == SM2 for key in opened):
        sm2.require()
    revoked = frozenset(tx.execute(select(keys.c.key_id).where(keys.c.revoked_at.is_not(None))).scalars())
    return Signers(opened[0], tuple(opened[1:]), revoked, _mark_of(tx))


def _secret(settings: Settings) -> str | None:
    return settings.key_passphrase.get_secret_value() if settings.key_passphrase else None


def new_key(tx: Connection, settings: Settings, now: datetime, *, algorithm: str = ED25519) -> SigningKey:
    """Make a key; it signs from the commit on, where the server runs within a second."""
    secret = _secret(settings)
    begin = f"{settings.node}-{now.year}-"
    count = tx.execute(select(func.count()).select_from(keys).where(keys.c.key_id.startswith(begin, autoescape=True)))
    kind = Sm2SigningKey if algorithm == SM2 else SigningKey
    key = kind.generate(f"{begin}{count.scalar_one() + 1}")
    public = key.public
    values = {"key_id": public.key_id, "algorithm": public.algorithm, "public": public.raw}
    tx.execute(insert(keys).values(**values, private=key.to_pem(secret), created_at=now))
    return key


def public_keys(tx: Connection) -> list[PublicKey]:
    """Every key that ever signed here, so that old receipts can still be verified."""
    return [PublicKey(r.key_id, r.algorithm, r.public) for r in tx.execute(select(keys).order_by(keys.c.created_at))]
