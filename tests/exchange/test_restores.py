"""A node goes back to a backup: what it lost comes back, what it had and others lost is sent again."""

import pytest

from exchange_faults import check
from exchange_nodes import LINKS, Node, World, opened
from exchange_steps import come_to_rest, file, kinds, send, take_up


@pytest.fixture
def world() -> World:
    return World()


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
    assert ["submission", "submission", "digest", "digest"] == kinds(city, "county")
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

    lost = [mark.lost for (sender, _), mark in city.tables.marks.items() if sender == "county"]

    assert [(1,), ()] == sorted(lost, reverse=True), "it is named"
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

    assert {"city": "asking"} == county.tables.waits

    come_to_rest(world)
    assert {} == county.tables.waits
    check(world.nodes, {}, set())


def test_copies_for_a_restore_before_the_last_are_passed_over(world: World) -> None:
    """Found by the machine: the county was restored again, to before the first form, while the second came back."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    file(county, 0)
    come_to_rest(world)
    city.decide(city.decidable("returned")[0], "returned")
    come_to_rest(world)
    county.back_up()
    filed = file(county, 0)
    come_to_rest(world)
    county.restore(1)
    send(county)
    take_up(city)
    county.restore(0)
    come_to_rest(world)

    assert [1, 2] == [n for _, _, _, n in filed]
    check(world.nodes, filed, set())


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


def test_both_ends_go_back_at_once(world: World) -> None:
    """Found by the machine: who waits cannot tell all it will have, so the other may not file what may still come."""
    county, city = world.nodes["county"], world.nodes["city"]
    county.back_up()
    filed = file(county, 0, 1)
    late, second = county.outgoing()
    city.receive(second.out.content)
    city.back_up()
    county.restore(0)
    city.restore(0)
    send(county)
    take_up(city)
    send(city)
    take_up(county)

    assert not county.file(0, number=9)

    city.receive(late.out.content)
    come_to_rest(world)

    assert county.desk == city.desk
    check(world.nodes, filed, set())


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
