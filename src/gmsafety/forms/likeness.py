"""Which rows of two grids are the same row: by what makes a row the row it is, never by where it stands."""

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

from .reconcile import row_keys
from .record import Record
from .spec import Form

Pair = tuple[int, int]
_FEW = 4096
_CANDIDATES = 8
_COMMON = 8
_LIKE, _LIKE_CELL = 0.6, 0.5
_TELLING = 6


def same_rows(before: Record, after: Record) -> list[Pair]:
    """Pair the rows of two records of one form, index before and index after, in the order of `after`.

    First rows that say the same throughout, then rows of the same key, then, of those left over, the most alike: a row
    whose key was corrected stays the row it is. The time taken grows with the number of rows, not with its square.
    """
    old, new = _Side(before, after.form), _Side(after, after.form)
    pairs: list[Pair] = []
    for tell in (_Side.whole, _Side.keys):
        pairs += _same(old, new, tell(old), tell(new))
    if old.left and new.left:
        pairs += _Likeness(old, new, pairs).pairs()
    return sorted(pairs, key=lambda p: p[1])


def out_of_order(pairs: list[Pair]) -> set[int]:
    """Which pairs, by index after, stand elsewhere among the others: as few as can be, the rest kept its order."""
    ends: list[int] = []  # of the runs of each length, the one that ends lowest: its last row, and which pair that is
    at: list[int] = []
    behind: list[int] = []
    for number, (old, _) in enumerate(pairs):
        length = bisect_left(ends, old)
        behind.append(at[length - 1] if length else -1)
        if length == len(ends):
            ends.append(old)
            at.append(number)
        else:
            ends[length], at[length] = old, number
    kept, number = set(), at[-1] if at else -1
    while number >= 0:
        kept.add(pairs[number][1])
        number = behind[number]
    return {new for _, new in pairs} - kept


def identity(form: Form) -> tuple[str, ...]:
    """The columns that make a row the row it is: the key, else what is printed in it."""
    return form.key or tuple(c for c in form.fixed if form.by_id[c].type != "serial")


class _Side:
    """The rows of one record, and which of them are not paired yet."""

    def __init__(self, record: Record, form: Form) -> None:
        self.record, self.form = record, form
        self.names = [c.id for c in self.form.columns if c.type != "serial"]
        blank = [None] * len(record.rows)
        self.columns = {n: record.rows.columns.get(n, blank) for n in self.names}
        serial = next((c.id for c in self.form.columns if c.type == "serial"), "")
        self.serials = record.rows.columns.get(serial, blank)
        self.left = dict.fromkeys(range(len(record.rows)))
        self._texts: dict[str, dict[Any, str]] = defaultdict(dict)

    def whole(self) -> list[tuple[Any, ...]]:
        """Everything a row says, its number apart."""
        return list(zip(*self.columns.values(), strict=True))

    def keys(self) -> list[tuple[Any, ...]]:
        """What makes each row the row it is; an empty tuple where nothing does."""
        keys = row_keys(self.record, identity(self.form))
        return [k if any(k) else () for k in keys] or [()] * len(self.record.rows)

    def text(self, name: str, index: int) -> str:
        """A cell in words."""
        value, seen = self.columns[name][index], self._texts[name]
        if value not in seen:
            seen[value] = self.form.by_id[name].kind.show(value)
        return seen[value]


def _same(old: _Side, new: _Side, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> Iterator[Pair]:
    """Pair the rows left over that are told to be the same, the first with the first."""
    waiting: dict[tuple[Any, ...], deque[int]] = defaultdict(deque)
    for index in old.left:
        if before[index]:
            waiting[before[index]].append(index)
    for index in list(new.left):
        found = waiting.get(after[index])
        if found:
            other = found.popleft()
            del old.left[other], new.left[index]
            yield other, index


class _Likeness:
    """Pairs what is left over by how alike it is; only likely candidates are looked at where there are many."""

    def __init__(self, old: _Side, new: _Side, pairs: list[Pair]) -> None:
        self.old, self.new, self.before = old, new, {after: before for before, after in pairs}
        self.key = identity(old.form) or tuple(old.names)
        self.others = [n for n in old.names if n not in self.key]
        self.telling = {n: self._once(n) for n in old.names}

    def pairs(self) -> Iterator[Pair]:
        """The most alike first; no row twice."""
        scored = [(-s, new, old) for new, old in self._likely() if (s := self._score(old, new)) is not None]
        for _, new, old in sorted(scored):
            if new in self.new.left and old in self.old.left:
                del self.new.left[new], self.old.left[old]
                yield old, new

    def _once(self, name: str) -> set[Any]:
        """Texts of a column that stand in one row of either file only, and say enough to be told by."""
        counted = [Counter(s.columns[name]) for s in (self.old, self.new)]
        return {
            v for v, n in counted[0].items() if n == 1 == counted[1][v] and isinstance(v, str) and len(v) >= _TELLING
        }

    def _likely(self) -> Iterator[Pair]:
        if len(self.old.left) * len(self.new.left) <= _FEW:
            yield from ((new, old) for new in self.new.left for old in self.old.left)
            return
        holding = {n: self._holding(self.old.columns[n]) for n in self.old.names}
        numbered = self._holding(self.old.serials)
        expected = -1
        for new in range(len(self.new.record.rows)):
            expected = self.before.get(new, expected + 1)
            if new in self.new.left:
                votes = Counter(old for n, held in holding.items() for old in _few(held, self.new.columns[n][new]))
                votes.update(_few(numbered, self.new.serials[new]))
                votes.update([expected] if expected in self.old.left else [])
                yield from ((new, old) for old, _ in votes.most_common(_CANDIDATES))

    def _holding(self, values: list[Any]) -> dict[Any, list[int]]:
        rows = defaultdict(list)
        for index in self.old.left:
            if values[index] is not None:
                rows[values[index]].append(index)
        return rows

    def _score(self, old: int, new: int) -> float | None:
        """How alike two rows are, or None where they are two rows.

        Every cell of the key must be like the other's. One that is another altogether is borne where the number of
        the row, or a text that no other row has, says that it is the same row.
        """
        key = [r for n in self.key if (r := self._ratio(n, old, new)) is not None]
        others = [r for n in self.others if (r := self._ratio(n, old, new)) is not None]
        if not key:
            return None
        score = (2 * _mean(key) + _mean(others)) / 3 if others else _mean(key)
        unlike = sum(r < _LIKE_CELL for r in key)
        if score < _LIKE or (unlike and not (self._is_told(old, new) and 2 * unlike <= len(key))):
            return None
        return score

    def _is_told(self, old: int, new: int) -> bool:
        number = self.new.serials[new]
        if number is not None and number == self.old.serials[old]:
            return True
        columns = self.old.columns, self.new.columns
        return any((v := columns[0][n][old]) == columns[1][n][new] and v in self.telling[n] for n in self.old.names)

    def _ratio(self, name: str, old: int, new: int) -> float | None:
        """How alike two cells are, from 0 to 1; None where both are blank."""
        mine, theirs = self.old.columns[name][old], self.new.columns[name][new]
        if mine == theirs:
            return None if mine is None else 1.0
        if mine is None or theirs is None:
            return 0.0
        from rapidfuzz import fuzz  # noqa: PLC0415 - for rows whose key was changed only

        return fuzz.ratio(self.old.text(name, old), self.new.text(name, new)) / 100


def _few(rows: dict[Any, list[int]], value: Any) -> Iterable[int]:
    """The rows that hold a value, unless so many do that it tells nothing."""
    found = rows.get(value, ())
    return found if len(found) <= _COMMON else ()


def _mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)
