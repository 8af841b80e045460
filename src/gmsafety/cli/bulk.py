"""`gmsafety forms check FOLDER|ZIP|FILE...`: many files in one go, with a summary and their marked copies."""

import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import typer

from .lists import put_on_paper
from .output import console, print_json, print_table
from .shelf import open_catalog
from .target import NoFolder, may_write
from .workers import Outcome, Settings, Task, Told, check_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..catalog import Catalog
    from ..forms.gathering import Gathered
    from ..forms.writing import Listing

_WEEK = timedelta(days=7)
_NAMED = 5
HEADINGS = ("文件", "表", "填报单位", "填报时间", "错误", "提醒", "结果")


def wants_summary(files: Sequence[Path], to: Path | None, annotate: Path | None) -> bool:
    """Tell whether many files are to be checked in one go: a folder, an archive, or where a summary is asked for."""
    from ..forms.gathering import is_several

    to_archive = annotate is not None and annotate.suffix.lower() == ".zip"
    return to is not None or to_archive or any(is_several(f) for f in files)


def check_many(
    files: Sequence[Path], settings: Settings, *, to: Path | None, annotate: Path | None, json: bool
) -> None:
    """Check every file and tell it in one table; leaves with 1 where anything was found."""
    from ..forms.gathering import gather

    given = [*files, *settings.previous, *settings.beside]
    for target in (to, annotate):
        if target is not None and not target.is_dir():
            may_write(target, *given)
    found = gather(files)
    taken = [g for g in found if not g.skipped]
    if not taken:
        raise NoFolder(f"“{'”“'.join(map(str, files))}”里没有可以核对的文件。")
    with TemporaryDirectory(prefix="gmsafety-") as folder:
        outcomes = _check(taken, settings, Path(folder) if annotate else None)
        if annotate is not None:
            _give_back(annotate, taken, outcomes)
    if to is not None:
        put_on_paper(_listing(taken, outcomes, found), to, None, quiet=json)
    if json:
        skipped = [
            {"file": g.name.rpartition("/")[2], "path": g.name, "skipped": g.skipped} for g in found if g.skipped
        ]
        print_json([*(_view(g, o) for g, o in zip(taken, outcomes, strict=True)), *skipped])
    else:
        _show(taken, outcomes, found, annotate)
    if any(o.failed or any(not f.is_remark for t in o.forms for f in t.findings) for o in outcomes):
        raise typer.Exit(1)


def _check(taken: list["Gathered"], settings: Settings, folder: Path | None) -> list[Outcome]:
    """Check all; then once more, each with the other forms of its unit and period, those that are judged by them."""
    catalog = open_catalog()
    copies = [folder / f"{n}{Path(g.name).suffix}" if folder else None for n, g in enumerate(taken)]
    tasks = [Task(n, g, copy=copy) for n, (g, copy) in enumerate(zip(taken, copies, strict=True))]
    outcomes: dict[int, Outcome] = {}
    with _progress(len(tasks)) as step:
        for outcome in check_all(tasks, settings, catalog):
            outcomes[outcome.number] = outcome
            step()
    paired = [] if settings.beside else list(_paired(tasks, outcomes, catalog))
    outcomes |= {o.number: o for o in (check_all(paired, settings, catalog) if paired else ())}
    return [outcomes[n] for n in range(len(tasks))]


def _paired(tasks: list[Task], outcomes: dict[int, Outcome], catalog: "Catalog") -> Iterator[Task]:
    """The files whose forms have rules across forms, with the files that hold those of the same unit and week."""
    from ..forms.types import fold

    units: dict[str, list[tuple[int, Told]]] = {}
    for number, outcome in outcomes.items():
        for told in outcome.forms[:1] if len(outcome.forms) == 1 else ():
            if told.form and told.unit:
                known = catalog.units.named(told.unit)
                units.setdefault(known.ref if known else fold(told.unit), []).append((number, told))
    for mine in units.values():
        for number, told in mine:
            wanted: set[str | None] = {r.with_ for r in catalog.form(told.form or "").rules if r.with_}
            near = [(o.form, n) for n, o in mine if n != number and _is_beside(told, o, wanted)]
            forms = [form for form, _ in near]
            beside = [n for form, n in near if forms.count(form) == 1]  # of two ledgers, neither is taken on a guess
            if beside:
                yield Task(number, tasks[number].file, tuple(tasks[n].file for n in beside), tasks[number].copy)


def _is_beside(told: Told, other: Told, wanted: set[str | None]) -> bool:
    named = other.form in wanted or (other.form or "").rpartition(".")[2] in wanted
    near = told.filed is not None and other.filed is not None and abs(told.filed - other.filed) < _WEEK
    return named and near


@contextmanager
def _progress(total: int) -> Iterator["Callable[[], None]"]:
    """A bar on the standard error stream, where that is a terminal; drawn by hand, for a thread would not be forked."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    err = Console(stderr=True)
    if not err.is_terminal:
        yield lambda: None
        return
    columns = (TextColumn("核对"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("核对", total=total)

        def step() -> None:
            bar.advance(task)
            bar.refresh()

        bar.refresh()
        yield step


def _give_back(to: Path, taken: list["Gathered"], outcomes: list[Outcome]) -> None:
    """Put the marked copies into an archive, or into a folder, under the names they came with."""
    names = _names([g.name for g in taken])
    copies = [(name, o.copy) for name, o in zip(names, outcomes, strict=True) if o.copy is not None]
    if to.is_dir():
        for name, copy in copies:
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(copy.read_bytes())
        return
    part = to.with_name(f".{to.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:  # the copies are packed already
        for name, copy in copies:
            archive.write(copy, name)
    os.replace(part, to)


def _names(given: list[str]) -> list[str]:
    """Names inside an archive: below the folder all have in common, marked, none twice."""
    from ..forms.gathering import safe_name

    safe = [safe_name(n) for n in given]
    folders = [n.split("/")[:-1] for n in safe]
    common = next((n for n, parts in enumerate(zip(*folders, strict=False)) if len(set(parts)) > 1), None)
    common = min(map(len, folders)) if common is None else common
    seen: set[str] = set()
    names = []
    for path in ("/".join(n.split("/")[common:]) for n in safe):
        stem, dot, suffix = path.rpartition(".")
        tries = (f"{stem}.核对{tail}{dot}{suffix}" for tail in ("", *(f"({n})" for n in range(2, 10_002))))
        names.append(next(t for t in tries if t.lower() not in seen))
        seen.add(names[-1].lower())
    return names


def _view(file: "Gathered", outcome: Outcome) -> dict[str, Any]:
    views = [
        {
            "file": file.name.rpartition("/")[2],
            "path": file.name,
            "form": told.printed_id,
            "version": told.version,
            "unit": told.unit or None,
            "date": told.filed.isoformat() if told.filed else None,
            **_counts([told]),
            "findings": [f.to_json() for f in told.findings],
        }
        for told in outcome.forms or (Told(None, None, None, "", "", None, ()),)
    ]
    first, *also = views
    more = {"failed": outcome.failed} if outcome.failed else {}
    return {**first, **more, **({"also": also} if also else {})}


def _counts(forms: Iterable[Told]) -> dict[str, int]:
    found = [f.severity.value for told in forms for f in told.findings]
    return {"errors": found.count("error"), "warnings": found.count("warning"), "remarks": found.count("info")}


def _rows(taken: list["Gathered"], outcomes: list[Outcome]) -> Iterator[tuple[object, ...]]:
    for file, outcome in zip(taken, outcomes, strict=True):
        for told in outcome.forms or (Told(None, None, None, "", "", None, ()),):
            counts = _counts([told])
            errors, warnings = counts["errors"], counts["warnings"]
            yield file.name, told.title or "未识别", told.unit, told.filed, errors, warnings, _result(outcome, told)


def _result(outcome: Outcome, told: Told) -> str:
    if outcome.failed:
        return outcome.failed
    if told.form is None:
        return told.findings[0].message if told.findings else "未能读取"
    wrong = sum(not f.is_remark for f in told.findings)
    return f"{wrong} 处需要处理" if wrong else "没有问题"


def _summary(outcomes: list[Outcome], found: list["Gathered"]) -> str:
    unread = sum(bool(o.failed) or any(t.form is None for t in o.forms) for o in outcomes)
    wrong = sum(not o.failed and _is_wrong(o) and all(t.form for t in o.forms) for o in outcomes)
    clean = len(outcomes) - unread - wrong
    skipped = sum(bool(g.skipped) for g in found)
    tail = f"；另有{skipped}个没有核对" if skipped else ""
    return f"共{len(outcomes)}个文件：{clean}个没有问题，{wrong}个有问题，{unread}个未能读取{tail}。"


def _is_wrong(outcome: Outcome) -> bool:
    return any(not f.is_remark for t in outcome.forms for f in t.findings)


def _skipped(found: list["Gathered"]) -> Iterator[str]:
    """What was not checked, a line for each reason."""
    by_reason: dict[str, list[str]] = {}
    for each in found:
        if each.skipped:
            by_reason.setdefault(each.skipped, []).append(each.name)
    for why, names in by_reason.items():
        more = f"等{len(names)}个" if len(names) > _NAMED else ""
        yield f"没有核对（{why}）：{'、'.join(names[:_NAMED])}{more}"


def _listing(taken: list["Gathered"], outcomes: list[Outcome], found: list["Gathered"]) -> "Listing":
    from ..forms.writing import Listing

    header = (("结果", _summary(outcomes, found)),)
    return Listing("核对结果汇总表", HEADINGS, tuple(_rows(taken, outcomes)), header, tuple(_skipped(found)))


def _show(taken: list["Gathered"], outcomes: list[Outcome], found: list["Gathered"], annotate: Path | None) -> None:
    out = console()
    out.print(_summary(outcomes, found), markup=False)
    print_table("", HEADINGS, _rows(taken, outcomes))
    for line in _skipped(found):
        out.print(line, markup=False)
    if annotate is not None:
        for file, outcome in zip(taken, outcomes, strict=True):
            if outcome.no_copy:
                out.print(f"没有标注：{file.name}（{outcome.no_copy}）", markup=False)
        out.print(f"已标注：{annotate}", markup=False)
