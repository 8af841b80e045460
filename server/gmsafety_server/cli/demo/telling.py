"""How the story is told on a terminal: short paragraphs, a progress bar, tables."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from gmsafety.client.board import Board, Cell
from gmsafety.client.submitted import SubmissionDetail
from gmsafety.client.values import Finding
from gmsafety.duties import BEIJING

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_WORDS = {
    "not-due": "[dim]未到期[/]", "due": "待报", "missing": "[bold red]未报[/]", "nil": "零报告",
    "submitted": "已报待审", "late": "迟报待审", "returned": "[yellow]已退回[/]", "accepted": "[green]已接受[/]",
}  # fmt: skip


def clock(moment: datetime) -> str:
    """A time of day in China."""
    return f"{moment.astimezone(BEIJING):%H:%M}"


class Teller:
    """Tells what happens."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    def title(self, name: str, text: str) -> None:
        """Begin."""
        self.console.print(Panel.fit(text, title=name))

    def chapter(self, name: str) -> None:
        """Begin a week."""
        self.console.print()
        self.console.rule(f"[bold]{name}")

    def say(self, text: str, moment: datetime | None = None) -> None:
        """Tell one thing, at its moment."""
        head = f"[bold cyan]{moment.astimezone(BEIJING):%m-%d %H:%M}[/] " if moment else ""
        self.console.print(head + text, soft_wrap=True)

    def findings(self, findings: Iterable[Finding]) -> None:
        """Show findings as a clerk sees them; one that is told of two forms is shown once."""
        told = {f.message: f for f in findings if f.severity != "info"}
        for finding in told.values():
            words = escape(f"{finding.place}：{finding.message}")
            self.aside(f"[{_COLOURS[finding.severity]}]{words}[/] [dim]{finding.code}[/]")

    def aside(self, text: str) -> None:
        """Tell a detail of what was told before."""
        for line in text.splitlines():
            self.console.print(f"      {line}", soft_wrap=True)

    @contextmanager
    def progress(self, name: str, total: int) -> Iterator["Bar"]:
        """Show how far something is."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield Bar(progress, progress.add_task(name, total=total))

    def filed(self, week: Sequence[tuple[str, datetime, Sequence[SubmissionDetail]]]) -> None:
        """Show what came in: unit, time, each form, the code of its receipt."""
        table = Table("单位", "收到", "隐患台账", "周调度表", "回执验证码")
        for area, moment, submissions in week:
            late = max(s.late_minutes for s in submissions)
            when = clock(moment) + (f" [red]迟{late}分钟[/]" if late else "")
            table.add_row(area, when, *(_held(s) for s in submissions), submissions[-1].receipts[0].code)
        self.console.print(table)

    def board(self, board: Board) -> None:
        """Show who has filed what."""
        table = Table()
        for heading in ("单位", *(p.title for p in board.periods)):
            table.add_column(escape(heading), overflow="fold")
        for row in board.rows:
            table.add_row(escape(row.unit_name), *(_cell(c) for c in row.cells))
        rates = [f"报送率{_rate(p.totals.completeness)} 按时率{_rate(p.totals.timeliness)}" for p in board.periods]
        table.add_section()
        table.add_row("合计", *rates)
        self.console.print(table)

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show a table."""
        table = Table()
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)


class Bar:
    """A progress bar under way."""

    def __init__(self, progress: Progress, task: object) -> None:
        self._progress, self._task = progress, task

    def step(self, text: str) -> None:
        """One more is done."""
        self._progress.update(self._task, advance=1, description=text)  # type: ignore[arg-type]


def _held(submission: SubmissionDetail) -> str:
    count = submission.errors + submission.warnings
    rows = len((submission.body or {}).get("rows") or ())
    what = "零报告" if submission.nil else f"{rows}行" if "rows" in (submission.body or {}) else "已填"
    return f"{what} [red]{count}处问题[/]" if count else f"{what} [green]没有问题[/]"


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return "—"
    nil = "·零报告" if cell.nil and cell.state != "nil" else ""
    late = f" [red]迟{cell.late_minutes}分钟[/]" if cell.late_minutes else ""
    again = f" 第{cell.revision}版" if cell.revision > 1 else ""
    return f"{_WORDS[cell.state]}{nil}{again}{late}"


def _rate(value: float | None) -> str:
    return "/" if value is None else f"{value:.0%}"
