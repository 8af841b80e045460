"""Fifty posts of a node at once, over real HTTP, to one process and to two: one row, and every answer a signed one."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select

from burst import serving
from exchanging import Lines, Station
from gmsafety import Catalog
from gmsafety.exchange.answers import SignedRefusal, SignedStored, read_answer
from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.envelope import Envelope, Link, Message, seal
from gmsafety.exchange.payloads import Notice
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.reconciling import new_epoch
from gmsafety_server.clock import Clock
from gmsafety_server.tables import channels_in, inbox

TIMES = 50
Post = Callable[[list[bytes]], list[httpx2.Response]]


@pytest.fixture
def county(databases: Callable[[], str], catalog: Catalog) -> Iterator[Station]:
    made = Station("zezhou", databases(), catalog, Clock(), Lines(), late_days=20000)
    made.introduces_itself()
    yield made
    made.node.db.close()


@pytest.fixture
def city(databases: Callable[[], str], catalog: Catalog, county: Station) -> Iterator[Station]:
    made = Station("jincheng", databases(), catalog, Clock(), Lines(), late_days=20000)
    made.introduces_itself()
    made.adds(county)
    county.adds(made)
    yield made
    made.node.db.close()


@pytest.fixture(params=[1, 2], ids=["one-process", "two-processes"])
def post(request: pytest.FixtureRequest, city: Station, tmp_path: Path) -> Iterator[Post]:
    """Post messages to the city's server, all at once; who is asked to come again does so, and gives the last answer."""
    database = city.node.settings.database
    with (
        serving(database, tmp_path, workers=request.param, post_seconds=3600) as server,
        httpx2.Client(base_url=server.address, timeout=60, limits=httpx2.Limits(max_connections=TIMES)) as client,
        ThreadPoolExecutor(TIMES) as pool,
    ):

        def one(content: bytes) -> httpx2.Response:
            while (answer := client.post("/exchange/v1/messages", content=content)).status_code == 429:
                time.sleep(float(answer.headers["Retry-After"]))
            return answer

        yield lambda contents: list(pool.map(one, contents))


def rows(city: Station) -> tuple[int, int]:
    """How many messages there are, and how far the channel of the county has come."""
    with city.node.db.read() as tx:
        count = tx.execute(select(func.count()).select_from(inbox)).scalar_one()
        return count, tx.execute(select(func.max(channels_in.c.sequence))).scalar() or 0


def notice(county: Station, text: str, link: Link) -> Message:
    """A message of the county, at a place of our choice in its channel."""
    payload = Notice(title="通知", issuer="泽州县节点", issued=county.node.clock.today(), text=text).model_dump()
    envelope = Envelope(
        id=f"m-{text}", kind="notice", sender="zezhou", receiver="jincheng", link=link,
        sealed_at=county.node.clock.now(), test=False, subject=None, answers=None,
        payload_hash=digest(canonical(payload)), attachments=(),
    )  # fmt: skip
    return seal(envelope, payload, county.node.key)


def first(county: Station) -> Link:
    return Link(epoch=new_epoch(county.node.clock.now()), sequence=1, previous=None)


def test_fifty_at_once(county: Station, city: Station, post: Post) -> None:
    """The same message fifty times is one; of fifty with the same number one is kept, and the others change nothing."""
    message = notice(county, "same-0001", place := first(county))
    answers = post([message.to_bytes()] * TIMES)

    assert {200: TIMES} == Counter(a.status_code for a in answers)
    assert 1 == len({a.content for a in answers})
    told = read_answer(answers[0].content)
    assert isinstance(told, SignedStored)
    assert Verdict.VALID == told.verify([city.node.key.public])
    assert ("m-same-0001", message.hash) == (told.stored.message, told.stored.message_hash)
    assert (1, 1) == rows(city)

    place = Link(epoch=place.epoch, sequence=2, previous=message.hash)
    all_told = [read_answer(a.content) for a in post([
        notice(county, f"other-{n:04}", place).to_bytes() for n in range(TIMES)
    ])]  # fmt: skip
    stored = [t for t in all_told if isinstance(t, SignedStored)]
    refused = [t for t in all_told if isinstance(t, SignedRefusal)]

    assert (1, TIMES - 1) == (len(stored), len(refused))
    assert {"broken-chain"} == {t.refusal.slug for t in refused}
    assert {stored[0].stored.message_hash} == {t.refusal.stored_hash for t in refused}
    assert {Verdict.VALID} == {t.verify([city.node.key.public]) for t in all_told}
    assert (2, 2) == rows(city)


def test_fifty_messages_in_any_order(county: Station, city: Station, post: Post) -> None:
    """A whole channel at once: whatever comes first, all of it is kept, and none of it twice."""
    made, link = list[bytes](), first(county)
    for number in range(TIMES):
        message = notice(county, f"order-{number:04}", link)
        made.append(message.to_bytes())
        link = Link(epoch=link.epoch, sequence=link.sequence + 1, previous=message.hash)
    answers = post(made[::2] + made[1::2] + made)

    assert {200, 202} >= {a.status_code for a in answers}
    with city.node.db.read() as tx:
        found = tx.execute(select(inbox.c.sequence, inbox.c.held).order_by(inbox.c.sequence)).all()
    assert [(n + 1, False) for n in range(TIMES)] == [tuple(row) for row in found]
    assert (TIMES, TIMES) == rows(city)
