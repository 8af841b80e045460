"""Checking many files at once: in processes where that pays, with one catalog each; one bad file stops none."""

import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .files import check_one
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..findings import Finding
    from ..forms.gathering import Gathered
    from ..forms.reading import Reading

_FEW = 6
_LONG = 2 * 2**20
_MOST_PROCESSES = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all files of a run."""

    form: str | None = None
    previous: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One file to check, the files it is to be compared with, and where a marked copy goes."""

    number: int
    file: "Gathered"
    beside: tuple["Gathered", ...] = ()
    copy: Path | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One form of a checked file."""

    form: str | None
    printed_id: str | None
    version: str | None
    title: str
    unit: str
    filed: date | None
    findings: tuple["Finding", ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: its forms, or why it could not be checked; its marked copy, or why there is none."""

    number: int
    forms: tuple[Told, ...] = ()
    failed: str = ""
    copy: Path | None = None
    no_copy: str = ""


@dataclass
class _Bench:
    """What a process has at hand."""

    catalog: "Catalog"
    settings: Settings
    before: list["Reading"] = field(default_factory=list)
    others: list["Reading"] = field(default_factory=list)


_bench: list[_Bench] = []


def set_up(settings: Settings, catalog: "Catalog | None" = None) -> None:
    """Open the catalog once, and read what every file is compared with; a process that was forked has it already."""
    from ..forms.reading import read

    if catalog is None and _bench and _bench[0].settings is settings:
        return
    catalog = catalog or open_catalog()
    before = [read(p, catalog) for p in settings.previous]
    _bench[:] = [_Bench(catalog, settings, before, [read(p, catalog) for p in settings.beside])]


def check_all(tasks: Sequence[Task], settings: Settings, catalog: "Catalog") -> Iterator[Outcome]:
    """Check every file, in any order; a process that dies takes its own file with it and no other."""
    workers = min(os.cpu_count() or 1, _MOST_PROCESSES, len(tasks))
    set_up(settings, catalog)
    if workers < 2 or (len(tasks) < _FEW and sum(_size(t.file) for t in tasks) < _LONG):
        yield from map(check_file, tasks)
        return
    left = {t.number: t for t in tasks}
    try:
        for outcome in _in_processes(tasks, settings, workers):
            del left[outcome.number]
            yield outcome
    except BrokenProcessPool:
        for task in left.values():
            yield _alone(task, settings)


def _in_processes(tasks: Sequence[Task], settings: Settings, workers: int) -> Iterator[Outcome]:
    """Keep every process busy, with few tasks waiting."""
    queue = iter(sorted(tasks, key=lambda t: -_size(t.file)))
    with ProcessPoolExecutor(workers, initializer=set_up, initargs=(settings,)) as pool:
        waiting: set[Future[Outcome]] = set()
        while True:
            while len(waiting) < 2 * workers and (task := next(queue, None)) is not None:
                waiting.add(pool.submit(check_file, task))
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def _alone(task: Task, settings: Settings) -> Outcome:
    """Check a file in a process of its own."""
    try:
        with ProcessPoolExecutor(1, initializer=set_up, initargs=(settings,)) as pool:
            return pool.submit(check_file, task).result()
    except BrokenProcessPool:
        return Outcome(task.number, failed="核对这个文件的进程中途退出，可能是内存不够")


def _size(file: "Gathered") -> int:
    try:
        return 0 if file.refused or file.member is not None else file.path.stat().st_size
    except OSError:
        return 0


def check_file(task: Task) -> Outcome:
    """Check one file; whatever goes wrong with it is told of it alone."""
    try:
        return _checked(task, _bench[0])
    except Exception as error:
        return Outcome(task.number, failed=f"程序出错，未能核对（{type(error).__name__}：{error}）")


def _checked(task: Task, bench: _Bench) -> Outcome:
    reading, data = _read(task.file, bench)
    others = bench.others or [_read(o, bench)[0] for o in task.beside]
    inside = (reading, *reading.also)
    checked = [
        (r, check_one(r, bench.catalog, bench.before, others or [o for o in inside if o is not r])) for r in inside
    ]
    copied: dict[str, Any] = _copied(task, data, checked) if task.copy is not None else {}
    return Outcome(task.number, tuple(_told(r, found) for r, found in checked), **copied)


def _read(file: "Gathered", bench: _Bench) -> tuple["Reading", bytes]:
    from ..findings import FILE
    from ..forms.reading import Reading, read

    name = file.name.rpartition("/")[2]
    if file.refused is not None:
        return Reading(name, None, (file.refused,)), b""
    try:
        data = file.load()
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError):
        found = bench.catalog.kinds["corrupt-file"].at(FILE, why="读不出来")
        return Reading(name, None, (found,)), b""
    return read(data, bench.catalog, form=bench.settings.form, name=name), data


def _copied(task: Task, data: bytes, checked: list[tuple["Reading", tuple["Finding", ...]]]) -> dict[str, Any]:
    from ..forms.annotating import NotAnnotatable, annotate

    if not data:
        return {"no_copy": "没有读出来"}
    findings = dict.fromkeys(f for _, found in checked for f in found)
    records = [r.record for r, _ in checked if r.record is not None]
    try:
        annotate(data, findings, to=task.copy, name=task.file.name.rpartition("/")[2], records=records)
    except NotAnnotatable as error:
        return {"no_copy": str(error)}
    return {"copy": task.copy}


def _told(reading: "Reading", findings: tuple["Finding", ...]) -> Told:
    form, record = reading.form, reading.record
    if form is None or record is None:
        return Told(None, None, None, "", "", None, findings)
    filed = record.filed if isinstance(record.filed, date) else None
    unit = str(record.header.get("unit") or "")
    return Told(form.ref, form.printed_id or form.id, form.version, form.title, unit, filed, findings)
