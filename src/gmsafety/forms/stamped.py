"""The stamp of a form that was sent down against its header: another unit, another period."""

from collections.abc import Iterator

from ..entities import Units
from ..findings import Finding
from ..kinds import KINDS
from .record import Record
from .stamp import Stamp
from .types import fold
from .types.dates import chinese_date

_NEAR = {"week": 6, "month": 30}
"""By how many days a filing may lie from the day that names its period."""


def sent_to_another(record: Record, stamp: Stamp, units: Units) -> Iterator[Finding]:
    """Say where the header names another unit or period than the one the blank form was made for."""
    name, filed, near = record.header.get("unit"), record.filed, _NEAR.get(record.form.period)
    if name and stamp.unit_name and not _is_unit(str(name), stamp, units):
        place = record.place("header.unit")
        yield KINDS["mark-differs"].at(place, what="单位", marked=stamp.unit_name, found=name)
    if filed and stamp.period and near is not None and abs((filed - stamp.period).days) > near:
        marked, found = chinese_date(stamp.period), chinese_date(filed)
        yield KINDS["mark-differs"].at(record.place("header.date"), what="日期", marked=marked, found=found)


def _is_unit(name: str, stamp: Stamp, units: Units) -> bool:
    if fold(name) == fold(stamp.unit_name):
        return True
    known = units.named(name)
    return known is not None and (known.ref == stamp.unit or known is units.named(stamp.unit_name))
