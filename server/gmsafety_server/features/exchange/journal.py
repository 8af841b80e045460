"""What happens to messages: a line in the log for each, which names the message, and a count for Prometheus."""

import logging
from typing import Literal, NamedTuple

from gmsafety.exchange.envelope import Envelope

from ...logs import about
from ...node import Node
from ...tables import AnyRow

_log = logging.getLogger("gmsafety.exchange")
EVENTS = "gmsafety_exchange_events_total"
DURATION = "gmsafety_exchange_delivery_seconds"
ROUND = "gmsafety_exchange_last_round_timestamp_seconds"
SKEW = "gmsafety_exchange_clock_skew_seconds"


class Event(NamedTuple):
    """What came of a message: on its way in or out, or when it was taken up; `code` says why not."""

    way: Literal["in", "out", "taken"]
    outcome: str
    code: str | None = None
    peer: str | None = None
    message: str | None = None
    kind: str | None = None
    epoch: str | None = None
    sequence: int | None = None

    @classmethod
    def of(cls, way: Literal["in", "out", "taken"], row: AnyRow, outcome: str, code: str | None = None) -> "Event":
        """Of a message of the inbox or the outbox."""
        peer = row.receiver if way == "out" else row.sender
        return cls(way, outcome, code, peer, row.message_id, row.kind, row.epoch, row.sequence)

    @classmethod
    def came(cls, envelope: Envelope, outcome: str, code: str | None = None) -> "Event":
        """Of a message that somebody brings."""
        link = envelope.link
        return cls("in", outcome, code, envelope.sender, envelope.id, envelope.kind, link.epoch, link.sequence)


def note(node: Node, event: Event, text: str, *, level: int = logging.INFO, error: Exception | None = None) -> None:
    """Write a line, and count it."""
    _log.log(level, "%s", text, extra=about(**event._asdict()), exc_info=error)
    node.meters.count(EVENTS, way=event.way, outcome=event.outcome, code=event.code or "")
