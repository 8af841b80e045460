"""The first Friday: three weeks of six counties' forms, read, checked, rolled up, written as the city's official files.

Everything happens in this one process; nothing is sent anywhere. Run it by `make demo`, or
`python examples/first-friday/demo.py [--out DIR]` where gmsafety and its plugins are installed.
"""

import argparse
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gmsafety import Catalog, load_catalog
from gmsafety.findings import Finding, has_findings
from gmsafety.forms import check, fill, read
from gmsafety.forms.printed import from_printed
from gmsafety.forms.reading import Reading
from gmsafety.forms.record import Record
from gmsafety.rollups import RollupResult

HERE = Path(__file__).parent
WEEKS = ("2024-12-20", "2024-12-27", "2025-01-03")
CITY = "140500"
FORMS = {"weekly": "weekly-dispatch", "ledger": "major-hazard-ledger"}
COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
SHOWN = ("self.general.found", "self.major.found", "joint.county.firms", "penalty.fine")


@dataclass(frozen=True)
class Filing:
    """One file that came in: what it held and what was found."""

    path: Path
    form: str
    area: str
    reading: Reading
    findings: tuple[Finding, ...]

    @property
    def record(self) -> Record:
        """The form that was read (every file of the example can be read)."""
        assert self.reading.record is not None, self.path
        return self.reading.record


def main() -> None:
    """Play the three weeks."""
    arguments = argparse.ArgumentParser(description="六县三周：读取、核对、汇总、出表")
    arguments.add_argument("--out", type=Path, default=Path("out"), help="成品放在哪个文件夹（默认 out）")
    out = arguments.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False)
    catalog = load_catalog()
    console.print(
        Panel.fit(
            "晋城市六县（市、区）三周的周调度统计表和重大事故隐患台账\n读取 → 核对 → 汇总 → 晋城市的正式表",
            title="首个周五",
        )
    )
    last: dict[tuple[str, str], Filing] = {}
    written: list[Path] = []
    for week in WEEKS:
        written += play_week(week, catalog, last, out, console)
    tell_files(written, console)


def play_week(
    week: str, catalog: Catalog, last: dict[tuple[str, str], Filing], out: Path, console: Console
) -> list[Path]:
    """Read and check one week, roll it up, write the city's files; return them."""
    console.rule(f"[bold]{week}（周五 12:00 截止）")
    filings = read_week(week, catalog, last, console)
    tell_filings(week, filings, console)
    tell_findings(filings, console)
    written = []
    results = {form: roll_up(week, form, filings, catalog) for form in FORMS.values()}
    tell_city(results, catalog, console)
    for form, result in results.items():
        for suffix in ("xlsx", "docx"):
            target = (
                out / f"晋城市_{week}_{'周调度统计表' if form == 'weekly-dispatch' else '重大事故隐患台账'}.{suffix}"
            )
            written.append(fill(result.record, target))
    return written


def read_week(week: str, catalog: Catalog, last: dict[tuple[str, str], Filing], console: Console) -> list[Filing]:
    """Read and check the files of a week: each against last week's, each table against its ledger."""
    paths = sorted(p for p in (HERE / week).iterdir() if p.suffix in (".xlsx", ".docx"))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        reading = progress.add_task("读取", total=len(paths))
        readings = {}
        for path in paths:
            readings[path] = read(path, catalog)
            progress.advance(reading)
        checking = progress.add_task("核对", total=len(paths))
        filings = []
        for path, given in readings.items():
            filings.append(check_one(path, given, readings, last, catalog))
            progress.advance(checking)
    last.update({key_of(f.path): f for f in filings})
    return filings


def key_of(path: Path) -> tuple[str, str]:
    """County and kind of a file: `zezhou_weekly.xlsx`."""
    county, _, kind = path.stem.partition("_")
    return county, kind


def check_one(
    path: Path, given: Reading, readings: dict[Path, Reading], last: dict[tuple[str, str], Filing], catalog: Catalog
) -> Filing:
    """Check one file."""
    county, kind = key_of(path)
    beside = [r for p, r in readings.items() if key_of(p)[0] == county and p != path]
    before = last.get((county, kind))
    findings = check(given, catalog, previous=before.reading if before else None, beside=beside)
    unit = catalog.units.named(str(given.record["header.unit"])) if given.record else None
    area = catalog.units.area_name(unit) if unit else county
    return Filing(path, FORMS[kind], area, given, findings)


def roll_up(week: str, form: str, filings: list[Filing], catalog: Catalog) -> RollupResult:
    """Make the city's form out of the counties' and its own part."""
    own_file = HERE / f"city_own_{week}.json"
    own = from_printed(json.loads(own_file.read_text("utf-8")), catalog.form(form))
    tables = [f.reading for f in filings if f.form == form]
    rollup = catalog.rollup(form)
    return rollup.apply(
        tables, unit=catalog.unit(CITY), own=own, period=date.fromisoformat(week), own_file=own_file.name
    )


def tell_filings(week: str, filings: list[Filing], console: Console) -> None:
    """Say what came from whom, in which format, and when."""
    received = json.loads((HERE / "received.json").read_text("utf-8"))
    due = datetime.fromisoformat(received["due"][week])
    table = Table("单位", "收到", "周调度统计表", "重大事故隐患台账", title="收到的报表", title_justify="left")
    for area in dict.fromkeys(f.area for f in filings):
        when = datetime.fromisoformat(received["received"][f"{week}/{area}"])
        late = int((when - due).total_seconds() // 60)
        shown = f"{when:%H:%M}" + (f" [red]迟{late}分钟[/]" if late > 0 else "")
        mine = {f.form: describe(f) for f in filings if f.area == area}
        table.add_row(area, shown, *(mine.get(form, "[red]未报[/]") for form in FORMS.values()))
    console.print(table)


def describe(filing: Filing) -> str:
    """Say in a few words what a file held."""
    record = filing.record
    what = "零报告" if record.nil else f"{len(record.rows)}行" if record.form.is_grid else f"{len(record.values)}栏"
    count = sum(not f.is_remark for f in filing.findings)
    return f"{filing.path.suffix[1:]} {what} " + (f"[red]{count}处问题[/]" if count else "[green]无问题[/]")


def tell_findings(filings: list[Filing], console: Console) -> None:
    """Show the findings as a clerk would see them."""
    wrong = [f for f in filings if has_findings(f.findings)]
    if not wrong:
        console.print("[green]核对：没有发现问题。[/]\n")
    for filing in wrong:
        console.print(f"[bold]{filing.area} {filing.path.name}[/]")
        for finding in filing.findings:
            colour = COLOURS[finding.severity.value]
            words = escape(f"{finding.place.chinese}：{finding.message}{finding.remedy}")
            line = f"  [{colour}]{finding.severity.chinese}[/] {words} [dim]{finding.code}[/]"
            console.print(line, soft_wrap=True)
        console.print()


def tell_rollup(form: str, result: RollupResult, console: Console) -> None:
    """Show the roll-up with where its numbers come from."""
    if result.record.form.is_grid:
        parts = "，".join(f"{area}{count}" for area, count in result.contributions().items())
        console.print(f"[bold]重大事故隐患台账[/] 共{len(result.record.rows)}行：{parts}\n", soft_wrap=True)
        return
    console.print("[bold]周调度统计表汇总[/]（摘四项，每个数都有出处）")
    for path in SHOWN:
        blank = result.record.form.blanks[path]
        console.print(f"  {result.record.form.label_of(path)}  [bold]{blank.kind.show(result[path].value)}[/]")
        for source in result[path].sources:
            if source.value:
                where = escape(f"{source.file} {source.where}")
                console.print(f"    {source.area} {blank.kind.show(source.value)} [dim]← {where}[/]", soft_wrap=True)


def tell_city(results: dict[str, RollupResult], catalog: Catalog, console: Console) -> None:
    """Show the city's own forms, and check the table against the ledger before it goes up."""
    for form, result in results.items():
        tell_rollup(form, result, console)
    table, ledger = (results[form].record for form in FORMS.values())
    findings = [f for f in check(table, catalog, beside=[ledger]) if not f.is_remark]
    for finding in findings:
        console.print(f"  [red]晋城市的表与台账：{escape(finding.message)}[/] [dim]{finding.code}[/]", soft_wrap=True)
    if not findings:
        console.print("  [green]晋城市的表与台账一致。[/]")


def tell_files(written: list[Path], console: Console) -> None:
    """Say where the files are and how to open them."""
    lines = "\n".join(f"  {path}" for path in written)
    console.print(
        Panel(
            f"{lines}\n\n用 Excel、WPS 或 LibreOffice 打开 .xlsx，用 Word、WPS 或 LibreOffice 打开 .docx。\n"
            "再核对一次：  .venv/bin/gmsafety forms check 文件名",
            title=f"晋城市的正式表：{len(written)} 个文件",
            title_align="left",
        )
    )


if __name__ == "__main__":
    main()
