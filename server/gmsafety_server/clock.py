"""The server's clock: the only place where the time of day is read. A demonstration may bring its own."""

from datetime import UTC, date, datetime, timedelta
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
    """A clock that can be set, and goes on from there at its own pace; never runs backwards.

    One that stands goes nowhere until `run`: a story told on a slow machine keeps to its minutes.
    """

    def __init__(self, start: datetime, *, stands: bool = False) -> None:
        self._lock = Lock()
        self._start, self._since = start, None if stands else datetime.now(UTC)

    def now(self) -> datetime:
        """The moment it was set to, and the time gone by since."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        gone = datetime.now(UTC) - self._since if self._since else timedelta()
        return (self._start + gone).astimezone(UTC)

    def set(self, moment: datetime) -> None:
        """Go to a moment; one already past is ignored."""
        with self._lock:
            if moment > self._now():
                self._start, self._since = moment, datetime.now(UTC) if self._since else None

    def run(self) -> None:
        """Let a clock that stands go on."""
        with self._lock:
            self._since = self._since or datetime.now(UTC)
