"""Nodes moved by hand, one step after the other."""

from exchange_books import Row
from exchange_nodes import Node, World, opened


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
