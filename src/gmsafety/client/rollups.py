"""Rolling up on the server: a proposal from the forms below, one's own part, adjustments, filed upward."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

from ..exchange.canonical import canonical, digest
from ..forms.record import Record
from .connection import Connection, body, seen
from .enclosures import Enclosure, json_of
from .rolled import Basis, Cell, Number, Rollup, RollupDetail, State, Suffix, Totals
from .values import Day, query


class Filters(TypedDict, total=False):
    """What a list is narrowed to."""

    unit: str
    campaign: str
    item: str
    period: Day
    state: State


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A number of the result is changed: `delta` is added to it, or it is set to `value`. Money in yuan."""

    path: str
    reason: str
    delta: Number | None = None
    value: Number | None = None


class FileTerms(TypedDict, total=False):
    """What may be said of a result that is filed; `supersedes` is found by itself."""

    reason: str
    note: str
    supersedes: str
    message_id: str


class Rollups:
    """Rolling up for one's own unit. Every change answers with the roll-up as it then is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def make(self, item: str, period: Day, *, campaign: str | None = None, basis: Basis = "accepted") -> RollupDetail:
        """Roll up the forms of the units below; one made before is given as it is."""
        told = body(item=item, period=period, campaign=campaign, basis=basis)
        return self._connection.take(RollupDetail, "POST /api/v1/rollups", again=True, json=told)

    def remake(self, rollup: Rollup, basis: Basis) -> RollupDetail:
        """Roll up again, from accepted forms only, or from those submitted too."""
        told = body(item=rollup.item, period=rollup.period, campaign=rollup.campaign, basis=basis)
        rest = {"headers": seen(rollup.etag), "json": told}
        return self._connection.take(RollupDetail, "POST /api/v1/rollups", again=True, **rest)

    def find(self, **filters: Unpack[Filters]) -> Iterator[Rollup]:
        """Roll-ups in sight, the latest period first."""
        return self._connection.leaf(Rollup, "GET /api/v1/rollups", **filters)

    def get(self, rollup: Rollup | str) -> RollupDetail:
        """A roll-up as it is now, with everything it is made of."""
        return self._connection.take(RollupDetail, "GET /api/v1/rollups/{uid}", _uid(rollup))

    def open(self, rollup: Rollup | str, path: str) -> Cell:
        """Open a number (`self.major.found`) or a row (`rows[0]`) down to the cells of the lowest units."""
        return self._connection.take(Cell, "GET /api/v1/rollups/{uid}/cells/{path}", _uid(rollup), path)

    def refresh(self, rollup: Rollup) -> RollupDetail:
        """Count what is in force below now."""
        rest = {"headers": seen(rollup.etag)}
        return self._connection.take(RollupDetail, "POST /api/v1/rollups/{uid}/refresh", rollup.uid, again=True, **rest)

    def set_own(self, rollup: Rollup, content: Mapping[str, Any] | Record, *, file: str | None = None) -> RollupDetail:
        """Give one's own part as JSON or as a record; `file` names where it was taken from."""
        rest = {"headers": seen(rollup.etag), "json": body(body=json_of(content), file=file)}
        return self._connection.take(RollupDetail, "PUT /api/v1/rollups/{uid}/own", rollup.uid, **rest)

    def set_own_file(self, rollup: Rollup, file: str | Path | Enclosure) -> RollupDetail:
        """Give one's own part as a file: xlsx, docx, or JSON."""
        given = file if isinstance(file, Enclosure) else Enclosure.read(file)
        parts = {"file": (given.name, given.content, given.media_type)}
        rest = {"headers": seen(rollup.etag), "files": parts}
        return self._connection.take(RollupDetail, "PUT /api/v1/rollups/{uid}/own/file", rollup.uid, **rest)

    def download_own(self, rollup: Rollup | str) -> bytes:
        """The file of one's own part, as it was given."""
        return self._connection.ask("GET /api/v1/rollups/{uid}/own/file", _uid(rollup)).content

    def drop_own(self, rollup: Rollup) -> RollupDetail:
        """Take one's own part away."""
        rest = {"headers": seen(rollup.etag)}
        return self._connection.take(RollupDetail, "DELETE /api/v1/rollups/{uid}/own", rollup.uid, **rest)

    def adjust(self, rollup: Rollup, adjustments: Iterable[Adjustment]) -> RollupDetail:
        """Adjust numbers, each with its reason; adjustments made before are replaced."""
        told = [body(path=a.path, delta=a.delta, value=a.value, reason=a.reason) for a in adjustments]
        rest = {"headers": seen(rollup.etag), "json": {"adjustments": told}}
        return self._connection.take(RollupDetail, "PUT /api/v1/rollups/{uid}/adjustments", rollup.uid, **rest)

    def file(self, rollup: RollupDetail, **terms: Unpack[FileTerms]) -> RollupDetail:
        """File the result with the upper unit; what was filed there before is corrected by it."""
        told: dict[str, Any] = {**terms}
        standing = rollup.upward.current_hash if rollup.upward else None
        if standing is not None:
            told.setdefault("supersedes", standing)
        mark = digest(canonical([rollup.uid, rollup.etag, told]))[:24]
        told.setdefault("message_id", f"c-rollup-{rollup.period.isoformat()}-{mark}")
        rest = {"headers": seen(rollup.etag), "json": told}
        return self._connection.take(RollupDetail, "POST /api/v1/rollups/{uid}/file", rollup.uid, again=True, **rest)

    def download(self, rollup: Rollup | str, suffix: Suffix, to: str | Path | None = None) -> bytes:
        """The result as a file: official form (xlsx, docx), record (json), paper with sources (printed.json)."""
        answer = self._connection.ask("GET /api/v1/rollups/{uid}/download.{suffix}", _uid(rollup), suffix)
        if to is not None:
            Path(to).write_bytes(answer.content)
        return answer.content

    def totals(
        self, item: str, period: Day, *, level: str, by: str, basis: Basis = "accepted", campaign: str | None = None
    ) -> Totals:
        """Sums of the forms of one level, by the units of a level above."""
        params = query(item=item, period=period, level=level, by=by, basis=basis, campaign=campaign)
        return self._connection.take(Totals, "GET /api/v1/totals", params=params)


def _uid(rollup: Rollup | str) -> str:
    return rollup if isinstance(rollup, str) else rollup.uid
