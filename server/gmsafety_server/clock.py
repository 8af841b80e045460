"""The server's clock: the only place where the time of day is read. A demonstration may bring its own."""

from datetime import UTC, date, datetime
from threading import Lock

from gmsafety.duties import BEIJING


class Clock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """This moment, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The day it is in China."""
        return self.now().astimezone(BEIJING).date()


class DemoClock(Clock):
    """A clock that can be set, and goes on from there at its own pace; never runs backwards."""

    def __init__(self, start: datetime) -> None:
        self._lock = Lock()
        self._start, self._since = start, datetime.now(UTC)

    def now(self) -> datetime:
        """The moment it was set to, and the time gone by since."""
        with self._lock:
            return (self._start + (datetime.now(UTC) - self._since)).astimezone(UTC)

    def set(self, moment: datetime) -> None:
        """Go to a moment; one already past is ignored."""
        if moment > self.now():
            with self._lock:
                self._start, self._since = moment, datetime.now(UTC)
