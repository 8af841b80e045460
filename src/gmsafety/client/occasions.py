"""What is filed when something happens (随事报送): lists that are handed over, feedback; to whom it goes."""

from datetime import date

from .connection import Connection, body
from .values import Answer, Day


class Addressee(Answer):
    """A unit that it goes to; one decides, the others receive only."""

    unit: str
    unit_name: str
    decides: bool


class Occasion(Answer):
    """Something that one's own unit may file when something happens."""

    item: str
    title: str
    campaign: str
    duty: str
    duty_title: str
    on: str
    to: tuple[Addressee, ...]


class Begun(Answer):
    """What was begun: `item`, `campaign` and `period` are given when it is filed; `draft` is one already filled in."""

    slot: int
    item: str
    campaign: str
    period: date
    draft: str | None = None


class Occasions:
    """What one's own unit files upon an event; filing itself is done with `submissions`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> tuple[Occasion, ...]:
        """What may be filed, and to whom it goes."""
        return self._connection.take(tuple[Occasion, ...], "GET /api/v1/occasions")

    def begin(self, item: str, day: Day | None = None, *, prefilled: bool = False) -> Begun:
        """Begin one of this day, by default of today; `prefilled` makes a draft with the rows of the lists received."""
        told = body(item=item, day=day, prefilled=prefilled)
        return self._connection.take(Begun, "POST /api/v1/occasions", json=told)
