"""A node goes back to a backup: what it lost comes back, what it had and others lost is sent again."""

import pytest

from exchange_books import Row
from exchange_faults import check
from exchange_nodes import LINKS, Node, World, opened


@pytest.fixture
def world() -> World:
    return World()


def send(sender: Node, *, but: tuple[Row, ...] = ()) -> None:
    """Send what waits, but for some of it."""
    for row in sender.outgoing():
        if row not in but:
            answer = sender.world.nodes[row.out.receiver].receive(sender.frozen(row))
            assert answer is not None
            sender.hear(row.out.receiver, row.out.id, answer)


def take_up(node: Node) -> None:
    while found := node.ready():
        node.take_up(found[0])


def come_to_rest(world: World) -> None:
    for _ in range(20):
        for node in world.nodes.values():
            send(node)
            take_up(node)
    assert all(node.is_idle for node in world.nodes.values())


def file(node: Node, *weeks: int) -> dict[tuple[str, str, str, int], str]:
    for week in weeks:
        assert node.file(week, number=week)
    return {(*key, n): hashed for key, d in node.desk.items() if key[0] == node.name for n, hashed in d.revisions}


def kinds(node: Node, peer: str) -> list[str]:
    """What was taken in from another node in the end, in the order of its channels."""
    entries = sorted((e.link.epoch, e.link.sequence, e) for e in node.tables.inbox.values() if e.sender == peer)
    return [opened(e.content).envelope.kind for *_, e in entries]


def test_the_lower_node_gets_back_what_it_had_filed(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    filed = file(county, 0, 1)
    come_to_rest(world)
    before = county.desk
    county.restore(0)

    assert {} == county.desk
    assert not county.file(2), "nothing about forms before it has heard what the other has"

    come_to_rest(world)

    assert before == county.desk == city.desk
    assert ["submission", "submission", "digest"] == kinds(city, "county")
    check(world.nodes, filed, set())
    assert county.file(2)


def test_the_upper_node_gets_everything_again(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    city.back_up()
    filed = file(county, 0, 1)
    come_to_rest(world)
    for what in city.decidable("accepted"):
        city.decide(what, "accepted")
    filed |= file(city, 0)
    come_to_rest(world)
    before = city.desk
    city.restore(0)
    come_to_rest(world)

    assert before == city.desk
    assert ["accepted", "accepted"] == [d.state for key, d in city.desk.items() if key[0] == "county"]
    check(world.nodes, filed, set())


def test_what_nobody_else_had_is_gone_and_what_followed_is_taken_up(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    file(county, 0, 1)
    first, second = county.outgoing()
    city.receive(second.out.content)
    county.restore(0)
    come_to_rest(world)

    assert ["2025-01-03"] == [day for _, _, day in county.desk]
    assert county.desk == city.desk
    refused = city.receive(first.out.content)  # a copy that comes after all
    assert refused is not None
    assert b'"broken-chain"' in refused


def test_an_answer_of_an_epoch_that_was_left_is_asked_for_again(world: World) -> None:
    """Found by the machine: the city answered, was restored, and its answer came after it had said so."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    county.restore(0)
    send(county)
    take_up(city)
    (answer,) = city.outgoing()
    city.back_up()
    city.restore(0)
    send(city, but=(answer,))
    take_up(county)
    city.hear("county", answer.out.id, county.receive(answer.out.content) or b"")
    take_up(county)

    assert {"city": None} == county.tables.asking

    come_to_rest(world)
    assert {} == county.tables.asking
    check(world.nodes, {}, set())


def test_two_restores_at_once_lose_what_only_the_two_had(world: World) -> None:
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    city.back_up()
    filed = file(county, 0)
    come_to_rest(world)
    city.restore(0)
    send(city)
    take_up(county)
    for row in county.outgoing():
        if opened(row.out.content).envelope.kind in ("copies", "digest"):
            city.receive(county.frozen(row))
    take_up(city)
    county.restore(0)
    come_to_rest(world)

    assert {} == county.desk == city.desk

    file(county, 0)
    come_to_rest(world)
    check(world.nodes, filed, set())


def test_a_statement_of_before_does_not_end_what_is_known_again(world: World) -> None:
    """Found by the machine: the city got its messages back, then the county was restored and heard the old statement."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    city.back_up()
    filed = file(county, 0, 1)
    come_to_rest(world)
    city.restore(0)
    come_to_rest(world)
    county.restore(0)
    for _ in range(3):
        send(county)
        take_up(city)
        send(city, but=tuple(r for r in city.outgoing() if (r.out.link.epoch, r.out.link.sequence) == first(city)))
        take_up(county)
    come_to_rest(world)
    check(world.nodes, filed, set())


def first(node: Node) -> tuple[str, int]:
    """The place of the first message that the city ever sent the county."""
    links = [r.out.link for r in node.tables.outbox.values() if r.out.receiver == "county"]
    return min((link.epoch, link.sequence) for link in links)


@pytest.mark.parametrize(("lower", "upper"), LINKS)
def test_a_peer_that_lost_the_new_key_gets_it_again(world: World, lower: str, upper: str) -> None:
    sender, receiver = world.nodes[lower], world.nodes[upper]
    receiver.back_up()
    sender.rotate()
    come_to_rest(world)

    assert 1 == len(sender.signers(sender.tables))

    receiver.restore(0)
    for _ in range(2):
        come_to_rest(world)
        sender.revive()
        sender.reconcile(upper)
    come_to_rest(world)

    assert sender.keys[-1].key_id in {k.key_id for k in receiver.tables.peers[lower].keys}
