"""The load generator of the exchange: every county comes at its moment over a connection of its own.

A process of its own: `rush.py PORT CONNECTIONS FILE` plays the pickled visits and prints what came back, as JSON; the
answers are written beside the file. Who is asked to come again (429) comes again after as many seconds as were told.
"""

import json
import pickle
import selectors
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from pathlib import Path
from time import perf_counter, process_time, sleep, time

sys.path.insert(0, str(Path(__file__).parents[1]))
from serving.load import Line

_PATIENCE = 120.0
Visit = tuple[float, Sequence[bytes]]
"""When somebody comes, in seconds, and what is sent, one after the other; 0 is whenever there is room."""


@dataclass(frozen=True, slots=True)
class Rush:
    """What came of it: the moment it began, how long it took, the seconds of each visit, the last answers, in order.

    `asked_again` counts the requests that were answered with 429; `busy` are the generator's own seconds at work.
    """

    began: float
    seconds: float
    times: list[float]
    asked_again: int
    busy: float
    answers: list[bytes]

    def share(self, part: float) -> float:
        """The seconds within which that part of the visits was over."""
        return sorted(self.times)[min(int(len(self.times) * part), len(self.times) - 1)]


class Visitor:
    """One visit: where it has got to."""

    def __init__(self, number: int, visit: Visit, start: float) -> None:
        self.number, (self.at, self.steps) = number, visit
        self.step, self.since = 0, start + self.at
        self.line: Line | None = None

    def go(self, port: int, watch: selectors.BaseSelector) -> None:
        """Send the next request, over a connection that is opened for the first."""
        if self.line is None:
            self.line = Line(port)
            watch.register(self.line.socket, selectors.EVENT_READ, self)
        self.line.send(self.steps[self.step])

    def leave(self, watch: selectors.BaseSelector) -> None:
        """Hang up."""
        if self.line is not None:
            watch.unregister(self.line.socket)
            self.line.socket.close()
            self.line = None


class Street:
    """All visits, and who is inside."""

    def __init__(self, port: int, connections: int, visits: Sequence[Visit]) -> None:
        self.port, self.connections = port, connections
        self.watch = selectors.DefaultSelector()
        self.start = perf_counter()
        self.waiting = [(v[0], n, Visitor(n, v, self.start)) for n, v in enumerate(visits)]
        heapify(self.waiting)
        self.inside, self.left = 0, len(visits)
        self.times = [0.0] * len(visits)
        self.answers = [b""] * len(visits)
        self.codes: Counter[str] = Counter()

    def play(self) -> None:
        """Until everybody has left."""
        while self.left:
            self.let_in()
            now = perf_counter() - self.start
            pause = _PATIENCE
            if self.waiting and self.inside < self.connections:
                pause = max(0.0, self.waiting[0][0] - now)
            if not self.inside:
                sleep(pause)
                continue
            ready = self.watch.select(pause)
            if not ready and pause == _PATIENCE:
                raise TimeoutError(f"no answer for {_PATIENCE:g} seconds")
            for key, _ in ready:
                self.hear(key.data)

    def let_in(self) -> None:
        """Who is due, as far as there is room."""
        now = perf_counter() - self.start
        while self.waiting and self.waiting[0][0] <= now and self.inside < self.connections:
            _, _, visitor = heappop(self.waiting)
            self.inside += 1
            if not visitor.at:
                visitor.since = perf_counter()
            visitor.go(self.port, self.watch)

    def hear(self, visitor: Visitor) -> None:
        """Take an answer, and do what follows."""
        assert visitor.line is not None
        answer = visitor.line.receive()
        if answer is None:
            return
        code, is_last = answer[9:12].decode(), visitor.step == len(visitor.steps) - 1
        self.codes[code] += 1
        if code == "429":
            self._again(visitor, answer)
        elif not is_last and (code == "200" or (code == "409" and visitor.step == 0)):
            visitor.step += 1
            visitor.go(self.port, self.watch)
        else:
            self._over(visitor, answer)

    def _again(self, visitor: Visitor, answer: bytes) -> None:
        head = answer.lower()
        told = int(head[head.index(b"retry-after:") + 12 :].split(b"\r\n", 1)[0])
        visitor.leave(self.watch)
        self.inside -= 1
        heappush(self.waiting, (perf_counter() - self.start + told, visitor.number, visitor))

    def _over(self, visitor: Visitor, answer: bytes) -> None:
        self.times[visitor.number] = perf_counter() - visitor.since
        self.answers[visitor.number] = answer
        visitor.leave(self.watch)
        self.inside -= 1
        self.left -= 1


def run(port: int, connections: int, file: Path) -> dict[str, object]:
    """Play the visits of a file."""
    street, began, busy = Street(port, connections, pickle.loads(file.read_bytes())), time(), process_time()
    street.play()
    taken = perf_counter() - street.start
    file.with_suffix(".answers").write_bytes(pickle.dumps(street.answers))
    return {
        "began": began, "seconds": taken, "times": street.times, "asked_again": street.codes["429"],
        "busy": process_time() - busy,
    }  # fmt: skip


def rush(port: int, visits: Sequence[Visit], *, connections: int, folder: Path) -> Rush:
    """Have the visits be made from a process of their own; RuntimeError where it failed."""
    file = folder / "visits.pickle"
    file.write_bytes(pickle.dumps(list(visits)))
    done = subprocess.run(
        [sys.executable, __file__, str(port), str(connections), str(file)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    answers = pickle.loads(file.with_suffix(".answers").read_bytes())
    return Rush(**json.loads(done.stdout), answers=answers)


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
