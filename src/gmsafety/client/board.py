"""What is due, and who has filed what: due list, board, calendar feeds."""

from datetime import date, datetime
from typing import Any, Literal, TypedDict, Unpack

from .connection import Connection
from .values import Answer, Day, query

Word = Literal["not-due", "due", "missing", "nil", "submitted", "late", "returned", "accepted"]


class Tally(Answer):
    """How many there are of each kind; a rate of nothing is None. Nil reports and returned forms are received."""

    expected: int
    received: int
    on_time: int
    late: int
    nil: int
    due: int
    missing: int
    submitted: int
    returned: int
    accepted: int
    not_due: int
    completeness: float | None
    timeliness: float | None


class Cell(Answer):
    """One unit in one period; `submission` where one may read it."""

    state: Word
    nil: bool
    late_minutes: int
    revision: int
    submission: str | None = None


class BoardRow(Answer):
    """A unit; `cells` stand in the order of the board's periods, None where it owes nothing."""

    unit: str
    unit_name: str
    level: str
    area: str
    cells: tuple[Cell | None, ...]
    totals: Tally


class Period(Answer):
    """A column of the board."""

    period: date
    title: str
    opens: date
    due_at: datetime
    totals: Tally


class _About(Answer):
    campaign: str
    campaign_title: str
    item: str
    title: str
    unit: str
    unit_name: str
    now: datetime
    periods: tuple[Period, ...]
    totals: Tally


class Board(_About):
    """Units by periods, a page of units at a time; totals are over all units, not over the page."""

    rows: tuple[BoardRow, ...]
    total: int
    page: int
    size: int
    pages: int

    def cell(self, unit: str, period: Day) -> Cell | None:
        """The cell of a unit and a period; KeyError where the page has no such unit or no such period."""
        wanted = period if isinstance(period, date) else date.fromisoformat(period)
        columns = {p.period: number for number, p in enumerate(self.periods)}
        rows = {r.unit: r for r in self.rows}
        return rows[unit].cells[columns[wanted]]


class Group(Answer):
    """A unit directly below, and everything under it."""

    unit: str
    unit_name: str
    totals: Tally


class Summary(_About):
    """The counts of each unit directly below."""

    groups: tuple[Group, ...]


class Returned(Answer):
    """Why the last revision was returned."""

    at: datetime
    unit: str
    unit_name: str
    note: str | None
    reasons: tuple[dict[str, Any], ...]


class Source(Answer):
    """Where a duty is written down."""

    document: str | None
    title: str | None
    number: str | None
    clause: str
    quote: str | None
    reading: str | None


class Flag(Answer):
    """Something to know about a deadline."""

    flag: str
    text: str


class Due(Answer):
    """One thing that a unit owes; `payload_hash` is what a correction supersedes."""

    campaign: str
    duty: str
    item: str
    kind: Literal["form", "deliverable"]
    title: str
    caption: str
    period: date
    period_title: str
    opens: date
    due_at: datetime
    upper: str | None
    upper_name: str
    state: Word
    nil: bool
    late_minutes: int
    minutes_left: int | None
    closes_at: datetime
    received_at: datetime | None
    revision: int
    submission: str | None
    payload_hash: str | None
    draft: str | None
    returned: Returned | None
    flags: tuple[Flag, ...]
    source: Source | None


class DueList(Answer):
    """What a unit owes, in the order of deadlines."""

    unit: str
    unit_name: str
    now: datetime
    items: tuple[Due, ...]


class Feed(Answer):
    """A calendar feed; its address is a secret that is told once."""

    id: int
    unit: str
    hint: str
    created_at: datetime
    revoked_at: datetime | None


class NewFeed(Feed):
    """A feed just made, with its address."""

    address: str


class UnitLine(Answer):
    """A unit and its counts over the time."""

    unit: str
    unit_name: str
    level: str
    area: str
    totals: Tally


class UnitList(Answer):
    """A page of units with their counts; `totals` are over all units that are listed, not over the page."""

    campaign: str
    campaign_title: str
    item: str
    title: str
    unit: str
    unit_name: str
    now: datetime
    totals: Tally
    rows: tuple[UnitLine, ...]
    total: int
    page: int
    size: int
    pages: int


class Scope(TypedDict, total=False):
    """What a board is about: without a word the item that is filed to one's own unit."""

    campaign: str
    item: str
    unit: str
    level: str
    first: Day
    last: Day


class BoardScope(Scope, total=False):
    """Which units of a board are shown, and how they are sorted; totals are over all of them."""

    state: Word
    q: str
    sort: Literal["area", "missing", "late"]
    page: int
    size: int


class UnitScope(Scope, total=False):
    """Which units are listed, and in which order: the highest count or the lowest rate first."""

    state: Word
    area: str
    q: str
    sort: Literal["area", "missing", "late", "due", "nil", "submitted", "returned", "completeness", "timeliness"]
    page: int
    size: int


class Boards:
    """Due list and board."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, unit: str | None = None, *, first: Day | None = None, last: Day | None = None) -> DueList:
        """What a unit owes, one's own without a word; two months back and one ahead unless days are given."""
        params = query(unit=unit, **{"from": first, "to": last})
        return self._connection.take(DueList, "GET /api/v1/due", params=params)

    def show(self, **scope: Unpack[BoardScope]) -> Board:
        """Units by periods, with totals and rates."""
        return self._connection.take(Board, "GET /api/v1/board", params=_params({"size": 500, **scope}))

    def units(self, **scope: Unpack[UnitScope]) -> UnitList:
        """Every unit with its counts over a time, a page at a time."""
        return self._connection.take(UnitList, "GET /api/v1/board/units", params=_params({"size": 500, **scope}))

    def summary(self, **scope: Unpack[Scope]) -> Summary:
        """The counts of each unit directly below."""
        return self._connection.take(Summary, "GET /api/v1/board/summary", params=_params({**scope}))


def _params(scope: dict[str, Any]) -> dict[str, Any]:
    names = {"first": "from", "last": "to"}
    return query(**{names.get(name, name): value for name, value in scope.items()})


class Feeds:
    """Calendar feeds of one's own unit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def make(self) -> NewFeed:
        """Make a feed; whoever knows its address sees the deadlines of the unit."""
        return self._connection.take(NewFeed, "POST /api/v1/feeds")

    def all(self) -> tuple[Feed, ...]:
        """The feeds of one's own unit, the newest first."""
        return self._connection.take(tuple[Feed, ...], "GET /api/v1/feeds")

    def revoke(self, feed: Feed | int) -> None:
        """End a feed; its address is unknown from then on."""
        number = feed if isinstance(feed, int) else feed.id
        self._connection.ask("DELETE /api/v1/feeds/{number}", number, again=True)

    def calendar(self, feed: NewFeed) -> bytes:
        """What a calendar program gets at the address of a feed."""
        secret = feed.address.rpartition("/")[2].removesuffix(".ics")
        return self._connection.ask("GET /feeds/{secret}.ics", secret).content
