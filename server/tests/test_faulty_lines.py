"""The lines of the proof do what they are said to do: each fault, seen from the caller and from the other side."""

import time
from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI, Request

from faulty_lines import FAULTS, FaultyLines, Line, faulty_lines
from serving import served

BODY = b"x" * 3000


@pytest.fixture
def heard() -> list[int]:
    return []


@pytest.fixture
def port(heard: list[int]) -> Iterator[int]:
    app = FastAPI()

    @app.post("/")
    async def take(request: Request) -> int:
        heard.append(len(await request.body()))
        return heard[-1]

    with served(app) as address:
        yield int(address.rpartition(":")[2])


@pytest.fixture
def lines() -> Iterator[FaultyLines]:
    with faulty_lines("354") as made:
        yield made


@pytest.fixture
def caller() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=10, trust_env=False) as client:
        yield client


def say(caller: httpx2.Client, line: Line) -> int | None:
    """Post something; None where nothing is answered."""
    try:
        return int(caller.post(f"http://127.0.0.1:{line.port}/", content=BODY).text)
    except httpx2.HTTPError:
        return None


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Every turn goes wrong, and always in this way."""
    monkeypatch.setattr("faulty_lines.FAULTS", (request.param,))


@pytest.mark.parametrize(
    ("only", "answers", "times"),
    [("cut", [None, None], 0), ("lost", [None, None], 2), ("twice", [3000, 3000], 4), ("slow", [3000, 3000], 2),
     ("late", [3000, 3000], 2)],
    indirect=["only"],
)  # fmt: skip
@pytest.mark.usefixtures("only")
def test_each_fault(
    lines: FaultyLines, port: int, caller: httpx2.Client, heard: list[int], answers: list[int | None], times: int
) -> None:
    line = lines.lay("a-b", port)
    lines.heal(line, share=1.0)
    told = [say(caller, line) for _ in range(2)]
    end = time.monotonic() + 10
    while len(heard) < times and time.monotonic() < end:  # whose answer is lost is heard all the same
        time.sleep(0.01)

    assert answers == told
    assert [3000] * times == heard
    assert 2 == lines.met["turns"]


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_parted_and_healed(lines: FaultyLines, port: int, how: str, heard: list[int]) -> None:
    line = lines.lay("a-b", port)
    with httpx2.Client(timeout=1, trust_env=False) as caller:
        assert 3000 == say(caller, line)
        lines.part(how, line)
        assert [None, None] == [say(caller, line), say(caller, line)]
        lines.heal(line)
        assert 3000 == say(caller, line)
    assert [3000, 3000] == heard


def test_nobody_is_there(lines: FaultyLines, port: int, caller: httpx2.Client) -> None:
    """A line to a node that is down breaks, as a connection to the node itself would."""
    line = lines.lay("a-b", 1)
    assert say(caller, line) is None


def test_the_seed_says_what_goes_wrong(port: int) -> None:
    def played(seed: str) -> list[tuple[str, float]]:
        line = Line("a-b", port, seed, 0.5)
        return [(turn.fault, turn.seconds) for turn in (line.next_turn() for _ in range(400))]

    assert played("1") == played("1") != played("2")
    assert {*FAULTS, ""} == {fault for fault, _ in played("1")}
    assert 150 < len([fault for fault, _ in played("1") if fault]) < 250
