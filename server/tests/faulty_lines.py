"""Lines between processes that go wrong: a proxy that cuts, loses, delays, doubles what passes, or lets nothing through.

It knows nothing of HTTP. A turn begins when the caller speaks after the other side did, and ends when it does so again;
on the connections of the exchange that is one request and its answer. Which turn goes wrong, and how, is in the seed.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from random import Random
from threading import Thread
from typing import Any

FAULTS = ("cut", "lost", "late", "twice", "slow")
_PIECE = 65536
_SECONDS = 20.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Turn:
    """What the caller says until the other side has answered."""

    def __init__(self, fault: str, chance: Random) -> None:
        self.fault, self.said = fault, bytearray()
        self.seconds = chance.uniform(0.05, 0.8)
        self.is_answered = False


class Line:
    """The way from one node to another: a port of this machine that leads to a port of the other."""

    def __init__(self, name: str, target: int, seed: str, share: float) -> None:
        self.name, self.target, self.share, self.port = name, target, share, 0
        self.cut = ""
        self.met: Counter[str] = Counter()
        self._seed, self._turns = seed, 0
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def begin(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Listen no more, and break what is open."""
        if self._server is not None:
            self._server.close()
        self._break()

    async def part(self, how: str) -> None:
        """Let nothing through: `refused` breaks every connection at once, `silent` takes what comes and says nothing."""
        self.cut = how
        self.met["parted"] += 1
        if how == "refused":
            self._break()

    async def heal(self, share: float | None = None) -> None:
        """Let everything through again; what was said into the silence is lost."""
        if self.cut:
            self.cut = ""
            self._break()
        if share is not None:
            self.share = share

    def _break(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    def next_turn(self) -> Turn:
        """The fault of a turn depends on the seed, the line and how many turns there were, and on nothing else."""
        self._turns += 1
        chance = Random(f"{self._seed}/{self.name}/{self._turns}")
        is_faulty, fault = chance.random() < self.share, chance.choice(FAULTS)
        turn = Turn(fault if is_faulty else "", chance)
        self.met["turns"] += 1
        if turn.fault:
            self.met[turn.fault] += 1
        return turn

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut == "refused":
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            await self._between((reader, writer))
        except (OSError, TimeoutError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _between(self, near: Streams) -> None:
        if self.cut:
            await near[0].read()  # until the line is healed
            return
        far = await asyncio.open_connection("127.0.0.1", self.target)
        self._open.add(far[1])
        talk = _Talk(self, near, far)
        ways = [asyncio.ensure_future(way) for way in (talk.up(), talk.down())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open.discard(far[1])
            far[1].transport.abort()


class _Talk:
    """One connection: what goes up to the other node, and what comes down."""

    def __init__(self, line: Line, near: Streams, far: Streams) -> None:
        self._line, self._near, self._far = line, near, far
        self._turn: Turn | None = None

    async def up(self) -> None:
        """Pass on what the caller says; ends where the connection is to be broken."""
        while said := await self._near[0].read(_PIECE):
            if self._line.cut:
                continue
            if self._turn is None or self._turn.is_answered:
                self._turn = self._line.next_turn()
                if self._turn.fault == "cut":
                    return
                if self._turn.fault == "late":
                    await asyncio.sleep(self._turn.seconds)
            self._turn.said += said
            await self._write(self._far[1], said)

    async def down(self) -> None:
        """Pass back what is answered, unless it is to be lost."""
        while answer := await self._far[0].read(_PIECE):
            if self._line.cut:
                continue
            turn = self._turn
            if turn is not None and not turn.is_answered:
                turn.is_answered = True
                if turn.fault == "lost":
                    return
                if turn.fault == "twice":
                    await self._once_more(bytes(turn.said))
            await self._write(self._near[1], answer)

    async def _write(self, writer: asyncio.StreamWriter, content: bytes) -> None:
        """Write, in small pieces where the line is slow."""
        if self._turn is not None and self._turn.fault == "slow":
            pieces = max(len(content) // 8, 200)
            for first in range(0, len(content), pieces):
                writer.write(content[first : first + pieces])
                await writer.drain()
                await asyncio.sleep(self._turn.seconds / 8)
            return
        writer.write(content)
        await writer.drain()

    async def _once_more(self, said: bytes) -> None:
        """Say the same on a connection of its own; what is answered to it nobody hears."""
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._line.target)
            try:
                writer.write(said)
                await writer.drain()
                await asyncio.wait_for(reader.read(_PIECE), _SECONDS)
            finally:
                writer.transport.abort()


class FaultyLines:
    """All lines, in a thread of their own."""

    def __init__(self, seed: str, share: float) -> None:
        self._seed, self._share = seed, share
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="lines", daemon=True)
        self._lines: dict[str, Line] = {}

    def lay(self, name: str, target: int) -> Line:
        """A line to a port."""
        line = self._lines[name] = Line(name, target, self._seed, self._share)
        self._do(line.begin())
        return line

    def part(self, how: str, *lines: Line) -> None:
        """Let nothing through on these lines."""
        for line in lines:
            self._do(line.part(how))

    def heal(self, *lines: Line, share: float | None = None) -> None:
        """Let everything through again; `share` is how much goes wrong from now on."""
        for line in lines:
            self._do(line.heal(share))

    @property
    def met(self) -> Counter[str]:
        """How many turns there were, and what became of them."""
        return sum((line.met for line in self._lines.values()), Counter())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(_SECONDS)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        for line in self._lines.values():
            self._do(line.end())
        self._do(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self) -> None:
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


@contextmanager
def faulty_lines(seed: str, share: float = 0.0) -> Iterator[FaultyLines]:
    """Lines for as long as the block lasts; `share` of the turns go wrong."""
    lines = FaultyLines(seed, share)
    lines.start()
    try:
        yield lines
    finally:
        lines.stop()
