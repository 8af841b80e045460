"""A client that is not the bottleneck: prepared requests over kept connections, one in flight on each.

A process of its own: `load.py PORT CONNECTIONS FILE` sends the pickled requests and prints what came back, as JSON.
"""

import json
import pickle
import selectors
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

_LENGTH = b"content-length:"
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to: requests a second, the seconds of the median and of the slowest hundredth, one answer."""

    rate: float
    median: float
    slowest: float
    count: int


class Line:
    """One connection: a request goes out, its answer comes in."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.taken = b""
        self.since = 0.0

    def send(self, request: bytes) -> None:
        """Send a request."""
        self.taken, self.since = b"", perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer, or None where more is to come."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("the server has hung up")
        self.taken += part
        head, end, body = self.taken.partition(b"\r\n\r\n")
        if not end:
            return None
        at = head.lower().index(_LENGTH) + len(_LENGTH)
        length = int(head[at:].split(b"\r\n", 1)[0])
        return self.taken if len(body) >= length else None


def wait_for(line: Line, request: bytes) -> float:
    """Seconds until the whole answer to a request is there; RuntimeError where it is no success."""
    line.send(request)
    answer = None
    while answer is None:
        answer = line.receive()
    taken = perf_counter() - line.since
    if answer[9:10] != b"2":
        raise RuntimeError(answer[:500].decode(errors="replace"))
    return taken


def run(port: int, connections: int, requests: Sequence[bytes]) -> dict[str, object]:
    """Send all requests, as fast as the answers come."""
    waiting = iter(requests)
    watch = selectors.DefaultSelector()
    lines = [Line(port) for _ in range(min(connections, len(requests)))]
    for line in lines:
        watch.register(line.socket, selectors.EVENT_READ, line)
    times: list[float] = []
    codes: Counter[str] = Counter()
    odd = ""
    start = perf_counter()
    for line in lines:
        line.send(next(waiting))
    while len(times) < len(requests):
        ready = watch.select(_PATIENCE)
        if not ready:
            raise TimeoutError(f"no answer for {_PATIENCE:g} seconds")
        for key, _ in ready:
            line = key.data
            answer = line.receive()
            if answer is None:
                continue
            times.append(perf_counter() - line.since)
            code = answer[9:12].decode()
            codes[code] += 1
            if code[0] != "2" and not odd:
                odd = answer.decode(errors="replace")
            if (request := next(waiting, None)) is not None:
                line.send(request)
    taken = perf_counter() - start
    for line in lines:
        line.socket.close()
    return {"seconds": taken, "times": times, "codes": codes, "odd": odd}


def put_on(port: int, requests: Sequence[bytes], *, connections: int, folder: Path) -> Load:
    """Send the requests from a process of their own; RuntimeError where one of them was not answered with success."""
    file = folder / "requests.pickle"
    file.write_bytes(pickle.dumps(list(requests)))
    command = [sys.executable, __file__, str(port), str(connections), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    told = json.loads(done.stdout)
    if any(code[0] != "2" for code in told["codes"]):
        raise RuntimeError(f"{told['codes']}: {told['odd']}")
    times = sorted(told["times"])
    count = len(times)
    return Load(count / told["seconds"], times[count // 2], times[count * 99 // 100], count)


def get(path: str, *, token: str = "", session: str = "") -> bytes:
    """A request as a program or a browser sends it."""
    who = f"Authorization: Bearer {token}\r\n" if token else f"Cookie: gmsafety={session}\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{who}\r\n".encode()


def post(path: str, body: bytes, token: str = "") -> bytes:
    """A request as it goes over the wire."""
    who = f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{who}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), pickle.loads(Path(sys.argv[3]).read_bytes()))))
