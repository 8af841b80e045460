"""This period against last: cumulative numbers never fall, ledger rows never go. Two forms of one unit side by side."""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..findings import Finding, Kind, Place
from .record import Record
from .types.text import fold_all, shorten

_PUNCTUATION = re.compile(r"[,.;:。、()\[\]“”\"'—-]")


def against_previous(
    record: Record, previous: Record, kinds: Mapping[str, Kind], unread: set[Place]
) -> Iterator[Finding]:
    """Compare with the last period's record of the same unit and form; cells in `unread` could not be read."""
    if record.form.numbers != "cumulative":
        return
    if record.form.is_grid:
        yield from _rows_gone(record, previous, kinds)
    else:
        yield from _numbers_fallen(record, previous, kinds, unread)


def _numbers_fallen(
    record: Record, previous: Record, kinds: Mapping[str, Kind], unread: set[Place]
) -> Iterator[Finding]:
    for path, blank in record.form.blanks.items():
        if not blank.kind.numeric or any(fnmatchcase(path, p) for p in record.form.not_cumulative):
            continue
        before, now = previous.values.get(path), record.values.get(path)
        fell = before is not None and before > 0 and (now is None or now < before)
        place = record.place(path)
        if not fell or (now is None and place in unread):
            continue
        shown = "空白" if now is None else blank.kind.show(now)
        label = record.form.label_of(path)
        yield kinds["lower-than-last-period"].at(place, field=label, before=blank.kind.show(before), now=shown)


def _rows_gone(record: Record, previous: Record, kinds: Mapping[str, Kind]) -> Iterator[Finding]:
    mine = set(row_keys(record))
    for number, key in enumerate(row_keys(previous), 1):
        if key not in mine and any(key):
            text = shorten("，".join(str(k) for k in key if k), 60)
            place = Place("header row", record.origin.sheet if record.origin else None)
            yield kinds["row-gone"].at(place, number=number, text=text)


def row_keys(record: Record, by: Iterable[str] = ()) -> Iterator[tuple[Any, ...]]:
    """What makes each row the row it is: the form's key columns, or others, folded and without punctuation."""
    names = [n for n in by or record.form.key if n in record.rows.columns]
    columns = [_each_once(record.rows.columns[n]) for n in names]
    return zip(*columns, strict=True) if columns else iter(())


def _each_once(values: list[Any]) -> list[Any]:
    texts = list({v for v in values if isinstance(v, str)})
    bare = dict(zip(texts, (_bare(t) for t in fold_all(texts)), strict=True)) if texts else {}
    return [bare[v] if isinstance(v, str) else v for v in values]


def _bare(folded: str) -> str:
    return _PUNCTUATION.sub("", folded) if _PUNCTUATION.search(folded) else folded
