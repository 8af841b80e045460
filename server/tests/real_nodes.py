"""Nodes that are processes: two counties, their city, the province; each with a database, a disk, and lines that fail."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from burst import Serving
from exchanging import ACTOR, Lines, Station
from faulty_lines import FaultyLines, Line
from gmsafety import Catalog
from gmsafety_server.clock import Clock
from gmsafety_server.features.exchange import introducing
from gmsafety_server.tables import outbox
from warm import Nursery, Warm
from world import CITY, GAOPING, PROVINCE, ZEZHOU

UNITS = {"zezhou": ZEZHOU, "gaoping": GAOPING, "jincheng": CITY, "shanxi": PROVINCE}
UPPER = {"zezhou": "jincheng", "gaoping": "jincheng", "jincheng": "shanxi"}
LATE_DAYS = 20000
_KEYS = 3


class Disk:
    """A small file system in memory, which can be filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._filler = folder, folder / "filler"

    def fill(self) -> None:
        """Take all that is free."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 65536)

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Disk | None]:
    """A disk, or None where mounting one is for the administrator of the machine only."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass
class Site:
    """A node: its process, its database as seen from here, the lines that lead from it to the others."""

    name: str
    station: Station
    server: Serving
    disk: Disk | None = None
    lines: dict[str, Line] = field(default_factory=dict)
    kills: int = 0
    is_full: bool = False
    _starting: Thread | None = None
    _failed: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """Every process of it, at once; it is started again on what it left."""
        self.settled()
        self.server.kill()
        self.kills += 1
        self.begin()

    def begin(self) -> None:
        """Start it, while others do other things."""
        self._starting = Thread(target=self._start, name=f"start-{self.name}")
        self._starting.start()

    def _start(self) -> None:
        try:
            self.server.start()
        except AssertionError as error:
            self._failed.append(str(error))

    def settled(self) -> None:
        """Wait until it runs again."""
        if self._starting is not None:
            self._starting.join()
            self._starting = None
        assert [] == self._failed

    def fill(self) -> None:
        """No room is left on its disk."""
        assert self.disk is not None
        self.is_full = True
        self.disk.fill()

    def free(self) -> None:
        """There is room again."""
        assert self.disk is not None
        self.disk.free()
        self.is_full = False

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """`gmsafety …` on the machine of this node, beside the server."""
        called = [sys.executable, "-m", "gmsafety", *words]
        return subprocess.run(
            called, env=self.server.environment, capture_output=True, text=True, check=False, timeout=900
        )

    def rotate(self) -> int:
        """A new key, and the oldest of three is retired once every node has heard of those after it; 1 where done."""
        done = self.command("node", "keys", "rotate").returncode == 0
        told = self.command("node", "keys", "list", "--json")
        known = json.loads(told.stdout) if told.returncode == 0 else []  # the disk may be full just then
        live = [k["key_id"] for k in known if k["valid_until"] is None]
        if len(live) >= _KEYS and not self._tells_of_keys():
            self.command("node", "keys", "retire", live[0])
        return int(done)

    def _tells_of_keys(self) -> bool:
        """Whether anybody has not heard yet of an older key than the newest."""
        told = [row for row in self.station.rows(outbox) if row.kind == "keys" and row.answered_at is None]
        return len(told) > len({row.receiver for row in told})


@dataclass(frozen=True)
class Land:
    """Which nodes there are, and what they stand on; `disks`: each on a small one, `workers`: processes of each."""

    catalog: Catalog
    folder: Path
    database: Callable[[Path | None], str]
    lines: FaultyLines
    names: tuple[str, ...] = tuple(UNITS)
    disks: bool = False
    workers: int = 1


@contextmanager
def sites(land: Land) -> Iterator[dict[str, Site]]:
    """The nodes, running and introduced to each other over the lines."""
    made: dict[str, Site] = {}
    with ExitStack() as stack:
        nursery = Nursery()
        stack.callback(nursery.close)
        for name in land.names:
            disk = stack.enter_context(small_disk(land.folder / f"disk-{name}", megabytes=512)) if land.disks else None
            made[name] = _build(land, nursery, name, disk)
            stack.callback(made[name].station.node.db.close)
            stack.callback(made[name].server.kill)
        for site in made.values():
            _say_who(site)
        for lower, upper in neighbours(made):
            _connect(lower, upper, land.lines)
            _connect(upper, lower, land.lines)
        for site in made.values():
            site.begin()
        for site in made.values():
            site.settled()
        yield made
        for site in made.values():
            site.settled()


def neighbours(made: dict[str, Site]) -> list[tuple[Site, Site]]:
    """Every node with the one above it."""
    return [(made[lower], made[upper]) for lower, upper in UPPER.items() if lower in made and upper in made]


def _build(land: Land, nursery: Nursery, name: str, disk: Disk | None) -> Site:
    database, folder = land.database(disk.folder if disk else None), land.folder / name
    folder.mkdir()
    station = Station(name, database, land.catalog, Clock(), Lines(), unit=UNITS[name], late_days=LATE_DAYS)
    told = {"node": name, "late_days": LATE_DAYS, "post_seconds": 0.2, "log_file": folder / "log"}
    if land.workers > 1:
        return Site(name, station, Serving(database, folder, workers=land.workers, **told), disk)
    return Site(name, station, Warm(nursery, database, folder, **told), disk)


def _say_who(site: Site) -> None:
    station = site.station
    with station.node.db.write() as tx:
        introducing.set_own(
            tx, station.node, title=site.name, units=[station.unit], address=site.server.address, actor=ACTOR
        )  # fmt: skip


def _connect(one: Site, other: Site, lines: FaultyLines) -> None:
    """Let one know the other, whom it reaches over a line."""
    line = one.lines[other.name] = lines.lay(f"{one.name}-{other.name}", other.server.port)
    with other.station.node.db.read() as tx:
        anchor = introducing.anchor_of(tx, other.station.node)
    with one.station.node.db.write() as tx:
        address = f"http://127.0.0.1:{line.port}"
        introducing.add_peer(tx, one.station.node, anchor, units=None, address=address, actor=ACTOR)
