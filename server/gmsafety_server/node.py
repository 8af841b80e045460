"""A node: one installation with its settings, database, catalog, clock and key. Made once, at the start."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select

from gmsafety import Catalog, load_catalog
from gmsafety.exchange.signing import PublicKey, SigningKey

from .clock import Clock, DemoClock
from .db import OPENING, Database, take_turn
from .directory import Directories, Directory
from .seeding import seed
from .settings import Settings
from .tables import events, keys


@dataclass
class Node:
    """What every request needs; `key` signs receipts and seals, `others` sign messages beside it while keys change."""

    settings: Settings
    db: Database
    catalog: Catalog
    clock: Clock
    key: SigningKey
    directories: Directories
    others: tuple[SigningKey, ...] = ()
    revoked: frozenset[str] = frozenset()
    wake: Callable[[], None] = field(default=lambda: None)

    @property
    def test(self) -> bool:
        """True where receipts bear the mark of a test."""
        return self.settings.demo

    def directory(self, tx: Connection) -> Directory:
        """The units of today."""
        return self.directories.on(tx, self.clock.today())

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
    catalog = catalog or load_catalog()
    if clock is None:
        clock = _demo_clock(db) if settings.demo else Clock()
    with db.write() as tx:
        take_turn(tx, OPENING)
        seed(tx, catalog, clock.now())
        key = signing_key(tx, settings, clock.now())
        others = other_keys(tx, settings, key)
        revoked = frozenset(tx.execute(select(keys.c.key_id).where(keys.c.revoked_at.is_not(None))).scalars())
    return Node(settings, db, catalog, clock, key, Directories(catalog), others, revoked)


def _demo_clock(db: Database) -> DemoClock:
    """A clock that goes on from where the story has come to."""
    with db.read() as tx:
        last = tx.execute(select(func.max(events.c.at))).scalar()
    return DemoClock(last or datetime(2024, 12, 14, tzinfo=UTC))


_SIGNING = select(keys).where(keys.c.retired_at.is_(None)).order_by(keys.c.created_at.desc(), keys.c.key_id.desc())


def signing_key(tx: Connection, settings: Settings, now: datetime) -> SigningKey:
    """The key that signs now; made where there is none."""
    row = tx.execute(_SIGNING).first()
    if row is not None:
        return SigningKey.from_pem(row.private, row.key_id, passphrase=_secret(settings))
    return new_key(tx, settings, now)


def other_keys(tx: Connection, settings: Settings, key: SigningKey) -> tuple[SigningKey, ...]:
    """The keys before it that are not retired yet: other nodes may not know the new one."""
    rows = [r for r in tx.execute(_SIGNING) if r.key_id != key.key_id]
    return tuple(SigningKey.from_pem(r.private, r.key_id, passphrase=_secret(settings)) for r in rows)


def _secret(settings: Settings) -> str | None:
    return settings.key_passphrase.get_secret_value() if settings.key_passphrase else None


def new_key(tx: Connection, settings: Settings, now: datetime) -> SigningKey:
    """Make a key; from the next start on it signs."""
    secret = _secret(settings)
    begin = f"{settings.node}-{now.year}-"
    count = tx.execute(select(func.count()).select_from(keys).where(keys.c.key_id.startswith(begin, autoescape=True)))
    key = SigningKey.generate(f"{begin}{count.scalar_one() + 1}")
    public = key.public
    values = {"key_id": public.key_id, "algorithm": public.algorithm, "public": public.raw}
    tx.execute(insert(keys).values(**values, private=key.to_pem(secret), created_at=now))
    return key


def public_keys(tx: Connection) -> list[PublicKey]:
    """Every key that ever signed here, so that old receipts can still be verified."""
    return [PublicKey(r.key_id, r.algorithm, r.public) for r in tx.execute(select(keys).order_by(keys.c.created_at))]
