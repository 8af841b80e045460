"""The audit log: what was done to it afterwards is found and named; sealing does not mind who writes meanwhile."""

import dataclasses
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from gmsafety.exchange import auditlog
from gmsafety.exchange.signing import PublicKey, SigningKey
from gmsafety_server import audit
from gmsafety_server.db import Database
from gmsafety_server.sealer import Sealer, seal_all
from gmsafety_server.tables import audit as log
from gmsafety_server.tables import seals

NOON = datetime(2024, 12, 27, 4, tzinfo=UTC)
KEY = SigningKey.generate("jincheng-2024-1")
ANOTHER = SigningKey.generate("jincheng-2024-1")
ROWS, AT_ONCE = 12, 4


@pytest.fixture
def db(database: str) -> Iterator[Database]:
    """A log of twelve rows, sealed four at a time, and one that is not sealed yet."""
    db = Database(database)
    for number in range(1, ROWS + 1):
        write(db, f"s{number}")
        if number % AT_ONCE == 0:
            with db.write() as tx:
                audit.seal(tx, KEY, NOON)
    write(db, "tail")
    yield db
    db.close()


def write(db: Database, subject: str) -> None:
    with db.write() as tx:
        audit.record(tx, NOON, "u1@zezhou", "submission.submitted", subject, path="/a/", n=1)


def verify(db: Database, *keys: PublicKey, heads: dict[int, str] | None = None) -> audit.Verdict:
    with db.read() as tx:
        return audit.verify(tx, keys or (KEY.public,), heads or {})


def test_an_untouched_log_holds(db: Database) -> None:
    with db.read() as tx:
        number, last = audit.head(tx)

    assert audit.Verdict(ROWS, 3, 1, last, ()) == verify(db)
    assert ROWS == number
    assert () == verify(db, heads={ROWS: last}).faults


def at(seq: int) -> Any:
    return log.c.seq == seq


def change(tx: Connection) -> None:
    tx.execute(update(log).where(at(6)).values(data='{"n":2}'))


def change_the_time(tx: Connection) -> None:
    tx.execute(update(log).where(at(6)).values(at=datetime(2024, 12, 27, 3, tzinfo=UTC)))


def remove(tx: Connection) -> None:
    tx.execute(delete(log).where(at(6)))


def put_in(tx: Connection) -> None:
    """A row put between, and those after it moved by one, as somebody would who knows the numbers but not the key."""
    for number in range(ROWS, 6, -1):
        tx.execute(update(log).where(at(number)).values(seq=number + 1))
    values = {"at": NOON, "actor": "x", "action": "submission.accepted", "object": "s", "path": "/a/", "data": "{}"}
    tx.execute(insert(log).values(**values, seq=7, hash="0" * 64))


def swap(tx: Connection) -> None:
    tx.execute(update(log).where(at(6)).values(seq=99))
    tx.execute(update(log).where(at(7)).values(seq=6))
    tx.execute(update(log).where(at(99)).values(seq=7))


def cut_the_end(tx: Connection) -> None:
    tx.execute(delete(log).where(log.c.seq > 8))


def cut_the_end_of_a_batch(tx: Connection) -> None:
    tx.execute(delete(log).where(log.c.seq > 10))


def unseal(tx: Connection) -> None:
    tx.execute(delete(seals).where(seals.c.last_seq == 8))


def forge_a_seal(tx: Connection) -> None:
    """The last row rewritten, its hash made to fit, and the seal signed with a key of one's own of the same name."""
    row = tx.execute(select(log).where(at(12))).one()
    before = tx.execute(select(log.c.hash).where(at(11))).scalar_one()
    forged = SimpleNamespace(**{**row._mapping, "data": '{"n":2}'})
    link = auditlog.link(before, forged, 12)
    tx.execute(update(log).where(at(12)).values(data='{"n":2}', hash=link))
    told = {"hash": link, "signature": ANOTHER.sign(auditlog.sealed(9, 12, link))}
    tx.execute(update(seals).where(seals.c.last_seq == 12).values(told))


def move_a_seal(tx: Connection) -> None:
    tx.execute(update(seals).where(seals.c.last_seq == 8).values(last_seq=7))


def name_another_key(tx: Connection) -> None:
    tx.execute(update(seals).where(seals.c.last_seq == 8).values(key_id="nobody-2024-1"))


TAMPERED: dict[Callable[[Connection], None], list[str]] = {
    change: ["第6条（submission.submitted s6）内容或次序与封存时不符"],
    change_the_time: ["第6条（submission.submitted s6）内容或次序与封存时不符"],
    remove: ["第6条缺失"],
    put_in: [
        "封印第5至8条与记录不符",
        "封印第9至12条与记录不符",
        "第7至13条（submission.accepted s等）内容或次序与封存时不符",
        "第13条没有封印",
    ],
    swap: ["第6至8条（submission.submitted s7等）内容或次序与封存时不符"],
    cut_the_end: ["封印第9至12条没有对应的记录，可能被截去"],
    cut_the_end_of_a_batch: ["封印第9至12条没有对应的记录，可能被截去", "第9至10条没有封印"],
    unseal: ["封印第9至12条与记录不符"],
    forge_a_seal: ["封印第9至12条的签名无效"],
    move_a_seal: ["封印第5至7条与记录不符", "封印第5至7条的签名无效", "封印第9至12条与记录不符"],
    name_another_key: ["封印第5至8条的签名密钥 nobody-2024-1 没有登记，无法核对"],
}


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda t: t.__name__)
def test_what_was_done_to_it_is_named(db: Database, tamper: Callable[[Connection], None]) -> None:
    with db.write() as tx:
        tamper(tx)

    assert TAMPERED[tamper] == list(verify(db).faults)


def test_an_end_cut_off_with_its_seal_is_found_by_a_head_noted_elsewhere(db: Database) -> None:
    with db.write() as tx:
        number, last = audit.head(tx)
        tx.execute(delete(seals).where(seals.c.last_seq > 8))
        tx.execute(delete(log).where(log.c.seq > 8))

    assert () == verify(db).faults
    assert ("记下的链头是第12条，现在只到第8条，可能被截去",) == verify(db, heads={number: last}).faults


def test_a_log_written_anew_is_found_by_a_head_noted_elsewhere(db: Database) -> None:
    with db.write() as tx:
        number, last = audit.head(tx)
        tx.execute(delete(seals))
        tx.execute(update(log).values(seq=None, hash=None, data="{}"))
        audit.seal(tx, KEY, NOON)

    assert () == verify(db).faults
    assert ("第12条与另处记下的链头不符",) == verify(db, heads={number: last}).faults


def test_without_the_key_nothing_is_taken_for_good(db: Database) -> None:
    stranger = SigningKey.generate("stranger-2024-1").public

    said = [f"封印第{span}条的签名密钥 jincheng-2024-1 没有登记，无法核对" for span in ("1至4", "5至8", "9至12")]
    assert said == list(verify(db, stranger).faults)
    assert [f"封印第{s}条的签名无效" for s in ("1至4", "5至8", "9至12")] == list(verify(db, ANOTHER.public).faults)


def test_an_old_key_still_verifies_what_it_sealed(db: Database) -> None:
    newer = SigningKey.generate("jincheng-2025-1")
    with db.write() as tx:
        audit.seal(tx, newer, NOON)

    found = verify(db, KEY.public, newer.public)
    assert (ROWS + 1, 4, 0, ()) == (found.sealed, found.seals, found.unsealed, found.faults)


def test_sealing_while_others_write(database: str, node: Any) -> None:
    """Several processes write and seal at once (here: threads with databases of their own)."""
    writers, rows = 4, 50
    over = Event()

    def writing(number: int) -> None:
        db = Database(database)
        for row in range(rows):
            write(db, f"{number}-{row}")
        db.close()

    def sealing(_: int) -> None:
        own = dataclasses.replace(node, db=Database(database))
        while not over.is_set():
            seal_all(own)
        own.db.close()

    sealers = [Thread(target=sealing, args=(n,)) for n in range(2)]
    for thread in sealers:
        thread.start()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(writing, range(writers)))
    over.set()
    for thread in sealers:
        thread.join()
    seal_all(node)

    found = verify(node.db, node.key.public)
    assert (writers * rows, 0, ()) == (found.sealed, found.unsealed, found.faults)
    with node.db.read() as tx:
        assert writers * rows == tx.execute(select(func.count(log.c.object.distinct()))).scalar_one()


def test_the_sealer_outlives_a_database_that_is_away(node: Any, caplog: pytest.LogCaptureFixture) -> None:
    sealer = Sealer(dataclasses.replace(node, settings=node.settings.model_copy(update={"seal_seconds": 0.02})))
    write(node.db, "first")
    seal = audit.seal

    def away(*_: Any, **__: Any) -> int:
        raise OSError("gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "seal", away)
        sealer.start()
        Event().wait(0.2)
    assert seal is audit.seal
    Event().wait(0.2)
    sealer.stop()

    assert ["审计记录暂时不能封存，稍后再试"] == [r.getMessage() for r in caplog.records if r.name == "gmsafety.sealer"]
    assert 0 == verify(node.db, node.key.public).unsealed
