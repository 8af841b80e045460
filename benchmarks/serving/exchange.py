"""1,000 nodes of counties post their sealed weekly tables to the node above: over HTTP, on both databases.

First as fast as they are taken, beside bare inserts of the same bytes; then in the last minute before 12:00.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC
from itertools import cycle
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

from measure import Figure, Goal, alternate, figure, ratios
from sqlalchemy import func, select

from gmsafety import Catalog, load_catalog
from gmsafety.exchange.answers import SignedStored, read_answer
from gmsafety.exchange.envelope import opened
from gmsafety.exchange.payloads import Received, Report, read_payload
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.signing import PublicKey
from gmsafety_server.db import Database
from gmsafety_server.node import public_keys
from gmsafety_server.tables import inbox, outbox, receipts, submissions

from . import world
from .filing import NAMES, Databases, databases
from .floor import bare
from .processes import ours
from .rush import Rush, rush
from .senders import Sealed, Sender, pin, workbook

COUNTIES, ENCLOSED = 1000, 250
CONNECTIONS = 16
MINUTE = 60.0
_FILES_IN = 5  # of so many counties one sends its table as a workbook
_QUIET = 1.5
_PATIENCE = 180.0
_IS_RECEIPT = outbox.c.kind.in_(("receipt", "report"))


def exchange_figures(folder: Path, rounds: int) -> list[Figure]:
    """Measure on SQLite and PostgreSQL, there with one worker and with two."""
    catalog = load_catalog()
    found = []
    for kind in NAMES:
        place = folder / f"exchange-{kind}"
        place.mkdir()
        with databases(kind, place) as made:
            play = Play(made, catalog, place)
            for workers in (1,) if kind == "sqlite" else (1, 2):
                found += _measured(play, workers, max(2, rounds // 3))
            play.close()
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """A rush that was checked, and the seconds from its begin to the last receipt."""

    rush: Rush
    receipted: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return len(self.rush.times) / self.rush.seconds


class Play:
    """A node with 1,000 counties, each of which posts one week after the other."""

    def __init__(self, made: Databases, catalog: Catalog, folder: Path) -> None:
        self.made, self._catalog, self.folder = made, catalog, folder
        world.build(made.node, COUNTIES, catalog=catalog)
        self.senders = [Sender(c) for c in world.counties(COUNTIES)]
        pin(made.node, self.senders)
        self._weeks = iter(world.FRIDAYS)
        self._sample = world.sample_body(catalog)
        self._db = Database(made.node)
        self._sent: dict[str, Sealed] = {}
        self._keys: list[PublicKey] = []

    def close(self) -> None:
        """Give the connections back."""
        self._db.close()

    def sealed(self, senders: Sequence[Sender], *, every: int = 0) -> list[Sealed]:
        """The messages of the next week; of so many counties one sends its table as a workbook."""
        week = next(self._weeks)
        out = []
        for number, sender in enumerate(senders):
            body = world.body_of(self._sample, sender.county, week)
            has_file = every and number % every == 0
            file = workbook(self._catalog, body, self.folder) if has_file else None
            out.append(sender.seal(self._catalog, body, week, file))
        return out

    def rush(self, port: int, messages: list[Sealed], moments: Iterator[float], connections: int) -> Told:
        """Have them be posted, wait until all have their receipts, and look at everything."""
        with self._db.read() as tx:
            self._keys = public_keys(tx)
        visits = [(at, m.steps) for at, m in zip(moments, messages, strict=False)]
        seen = rush(port, visits, connections=connections, folder=self.folder)
        for message, answer in zip(messages, seen.answers, strict=True):
            self._sent[message.id] = message
            self._look_at(message, answer)
        return Told(seen, self._all_receipted() - seen.began)

    def _look_at(self, message: Sealed, answer: bytes) -> None:
        head, _, content = answer.partition(b"\r\n\r\n")
        told = read_answer(content)
        if not head.startswith(b"HTTP/1.1 200") or not isinstance(told, SignedStored):
            raise RuntimeError(answer[:500].decode(errors="replace"))
        stored = told.stored
        if told.verify(self._keys) is not Verdict.VALID or stored.held:
            raise RuntimeError(f"not signed, or held: {stored}")
        if (stored.sender, stored.message, stored.message_hash) != (message.sender, message.id, message.hash):
            raise RuntimeError(f"another message: {stored}")

    def _all_receipted(self) -> float:
        """Wait until every message is taken up, and look at the receipts; when the last of them was put in."""
        until = monotonic() + _PATIENCE
        while self._untaken():
            if monotonic() > until:
                raise TimeoutError(f"{self._untaken()} messages are not taken up")
            sleep(0.2)
        with self._db.read() as tx:
            told = (
                select(func.count()).select_from(inbox),
                select(func.count()).select_from(outbox).where(_IS_RECEIPT),
                select(func.count()).select_from(receipts),
                select(func.count()).select_from(submissions).where(submissions.c.state == "submitted"),
            )
            counts = [tx.execute(query).scalar_one() for query in told]
            odd = tx.execute(select(inbox.c.problem, inbox.c.detail).where(inbox.c.problem.is_not(None))).first()
            last = tx.execute(select(func.max(outbox.c.posted_at)).where(_IS_RECEIPT)).scalar_one()
        wanted = [len(self._sent) * n for n in (1, 2, 2, 1)]
        if counts != wanted or odd is not None:
            raise RuntimeError(f"inbox, outbox, receipts, submissions: {counts}, not {wanted}; {odd}")
        moment: float = last.replace(tzinfo=UTC).timestamp()
        return moment

    def _untaken(self) -> int:
        with self._db.read() as tx:
            waiting = select(func.count()).select_from(inbox).where(inbox.c.taken_at.is_(None))
            return int(tx.execute(waiting).scalar_one())

    def look_at_receipts(self) -> None:
        """RuntimeError where a county has not exactly the two signed receipts of each of its messages."""
        told: dict[tuple[str, str], list[str]] = {}
        with self._db.read() as tx:
            for row in tx.execute(select(outbox.c.receiver, outbox.c.content).where(_IS_RECEIPT)):
                message = opened(bytes(row.content))
                said: Any = read_payload(message)
                if not isinstance(said, Received | Report) or message.verify(self._keys) is not Verdict.VALID:
                    raise RuntimeError(f"for {row.receiver}: {message.envelope.kind}")
                if said.receipt.verify(self._keys) is not Verdict.VALID:
                    raise RuntimeError(f"for {row.receiver}: a receipt that is not signed")
                about = said.receipt.receipt
                told.setdefault((row.receiver, about.period.isoformat()), []).append(about.kind)
        if len(told) != len(self._sent) or any(sorted(kinds) != ["checked", "stored"] for kinds in told.values()):
            raise RuntimeError("not every message has its two receipts")


def _measured(play: Play, workers: int, rounds: int) -> list[Figure]:
    made, folder = play.made, play.folder
    with ExitStack() as stack:
        port = stack.enter_context(ours(made.node, workers))
        last: list[Sealed] = []

        def post() -> Told:
            last[:] = play.sealed(play.senders)
            told = play.rush(port, last, cycle([0.0]), CONNECTIONS)
            sleep(_QUIET)
            return told

        def insert() -> float:
            return bare(made.bare, [m.content for m in last], writers=CONNECTIONS, folder=folder)

        posted, inserted = alternate([post, insert], rounds=rounds)
        enclosed = play.rush(port, play.sealed(play.senders[:ENCLOSED], every=1), cycle([0.0]), CONNECTIONS)
        minute = _minute(play, port) if workers == 1 else None
    play.look_at_receipts()
    where = f"{NAMES[made.kind]}, {workers} worker{'s' if workers > 1 else ''}"
    name = f"exchange-{made.kind}-{workers}"
    return [*_fast(name, where, posted, inserted, enclosed), *(_last_minute(name, minute) if minute else ())]


def _minute(play: Play, port: int) -> Told:
    """The last minute before 12:00: the nearer, the more come; each when it likes, however long others wait."""
    chance = Random(1200)
    messages = play.sealed(play.senders, every=_FILES_IN)
    moments = [MINUTE * chance.random() ** (1 / 3) for _ in messages]
    return play.rush(port, messages, iter(moments), COUNTIES)


def _fast(name: str, where: str, posted: list[Told], inserted: list[float], enclosed: Told) -> list[Figure]:
    rates, goal = [p.rate for p in posted], Goal(0.15, later=0.25, is_least=True)
    return [
        figure(name, ratios(rates, inserted), "×", f"{where}: messages received ÷ bare inserts", goal=goal),
        figure(f"{name}-rate", rates, "/s", "– received: verified, stored, answered with a signature"),
        figure(f"{name}-floor", inserted, "/s", "– bare inserts of the same bytes, no HTTP"),
        figure(f"{name}-p99", [p.rush.share(0.99) * 1e3 for p in posted], "ms", "– the slowest hundredth of answers"),
        figure(f"{name}-receipted", [p.receipted for p in posted], "s", "– until all have two receipts"),
        figure(f"{name}-files", [enclosed.rate], "/s", "– received with a workbook each, of four requests"),
        figure(f"{name}-generator", [p.rush.busy / COUNTIES * 1e3 for p in posted], "ms", "– the generator, a message"),
    ]  # fmt: skip


def _last_minute(name: str, minute: Told) -> list[Figure]:
    seen = minute.rush
    return [
        figure(f"{name}-minute-p50", [seen.share(0.5) * 1e3], "ms", "– in the last minute: half of the answers within"),
        figure(f"{name}-minute-p99", [seen.share(0.99) * 1e3], "ms", "– in the last minute: 99 of 100 within"),
        figure(f"{name}-minute-again", [float(seen.asked_again)], "", "– in the last minute: asked to come again"),
        figure(f"{name}-minute-left", [max(0.0, minute.receipted - seen.seconds)], "s", "– last receipt after 12:00"),
    ]  # fmt: skip
