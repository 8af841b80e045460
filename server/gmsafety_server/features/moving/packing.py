"""Putting together what a unit and those below it have filed, to hand it over."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection

from gmsafety.exchange.canonical import digest
from gmsafety.exchange.envelope import Attachment

from ...directory import Directory
from ...errors import Problem
from ...tables import AnyRow, submissions
from ..submissions import repository as papers
from . import repository
from .history import NAME, ROLE, TYPE, Addressee, File, Filed, Filing, Happening, History, Old, Refused, Rolled, Slot


def units_in(directory: Directory, path: str) -> list[str]:
    """A unit and all below it."""
    return [ref for ref, place in directory.paths.items() if place.startswith(path)]


def pack(tx: Connection, unit: str, refs: Iterable[str], path: str) -> History:
    """The whole history."""
    names = list(refs)
    where = repository.of_units(names, path)
    refused = [Refused(**_part(r, Refused)) for r in repository.refused(tx, names)]
    return History(
        unit=unit, slots=_slots(tx, where), submissions=_filed(tx, where), refusals=refused, rollups=_rolled(tx, names)
    )


def pack_one(tx: Connection, unit: str, uid: str) -> History:
    """A single submission, as it is now."""
    row = papers.with_slot(tx, uid)
    assert row is not None
    where = submissions.c.id == row.id
    told = _slots(tx, repository.of_slot(row.slot_id))
    return History(unit=unit, slots=told, submissions=_filed(tx, where), refusals=[], rollups=[])


def enclose(tx: Connection, history: History) -> tuple[Attachment, ...]:
    """Keep the history as a file; returns it with all files that it names."""
    content = history.model_dump_json().encode()
    name = digest(content)
    papers.keep_blob(tx, name, content)
    whole = Attachment(role=ROLE, name=NAME, media_type=TYPE, size=len(content), hash=name)
    rest = (
        Attachment(role=f.artefact, name=f.name, media_type=f.media_type, size=f.size, hash=f.hash)
        for f in history.files.values()
    )
    return (whole, *rest)


def _part(row: Any, shape: Any) -> dict[str, Any]:
    """The columns of a row that a shape has."""
    told = row._mapping
    return {n: told[n] for n in shape.model_fields if n in told}


def _slots(tx: Connection, where: ColumnElement[bool]) -> list[Slot]:
    to = repository.addressed(tx, where)
    return [
        Slot(**_part(r, Slot), addressees=[Addressee(**_part(a, Addressee)) for a in to.get(r.id, ())])
        for r in repository.touched(tx, where)
    ]


def _filed(tx: Connection, where: ColumnElement[bool]) -> list[Filed]:
    files, happened = repository.files(tx, where), repository.happenings(tx, where)
    given, old = repository.given(tx, where), repository.old(tx, where)

    def told(row: AnyRow) -> Filed:
        lines = [Happening(**{**_part(e, Happening), "who": _who(e)}) for e in happened.get(row.id, ())]
        return Filed(
            **_part(row, Filed), files=[File(**_part(f, File)) for f in files.get(row.id, ())], happened=lines,
            receipts=[r.signed for r in given.get(row.id, ())],
            outdated=next((Old(**_part(o, Old)) for o in old.get(row.id, ())), None),
        )  # fmt: skip

    return [told(row) for row in repository.filed(tx, where)]


def _who(row: AnyRow) -> str:
    return str(row.who or (row.data or {}).get("who") or "")


def _rolled(tx: Connection, refs: list[str]) -> list[Rolled]:
    rows = repository.rolled(tx, refs)
    numbers = [r.id for r in rows]
    counted, filed = repository.sources(tx, numbers), repository.filings(tx, numbers)
    names = repository.uids(tx, {n for lines in filed.values() for f in lines for n in f.sources})

    def told(row: AnyRow) -> Rolled:
        made = [
            Filing(submission=f.uid, basis=f.basis, sources=[names[n] for n in f.sources], own=f.own,
                   adjustments=f.adjustments)
            for f in filed.get(row.id, ())
        ]  # fmt: skip
        return Rolled(**_part(row, Rolled), sources=[s.uid for s in counted.get(row.id, ())], filings=made)

    return [told(row) for row in rows]


def check(tx: Connection, history: History, directory: Directory, path: str) -> None:
    """Refuse a history that tells of others than the unit and those below it, or without its files."""
    keys = [*history.slots, *history.submissions, *history.refusals, *history.rollups]
    strange = sorted({k.unit for k in keys if not directory.place(k.unit).startswith(path)})
    if strange:
        raise Problem("not-valid", f"交接的历史里有不属于它的单位：{'、'.join(strange[:5])}")
    gone = [f.name for f in history.files.values() if papers.blob(tx, f.hash) is None]
    if gone:
        raise Problem("not-valid", f"交接的历史缺少文件：{'、'.join(gone[:5])}")
