"""What every command prints with: JSON for programs, tables and sentences for people."""

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ..findings import Finding

Json = Annotated[bool, typer.Option("--json", help="输出JSON（数组）")]
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def console() -> "Console":
    """A console that writes to the current standard output."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140)


def print_json(data: Sequence[Any]) -> None:
    """Print an array, readable and in UTF-8."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    print(orjson.dumps(list(data), option=options, default=_plain).decode())


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*("" if c is None else str(c) for c in row))
    console().print(table)


def print_findings(file: str, title: str | None, findings: Sequence["Finding"]) -> None:
    """Print the findings of one file as a clerk reads them: a count first, then place, what is wrong, what to do."""
    from rich.markup import escape

    out = console()
    wrong = [f for f in findings if not f.is_remark]
    state = f"[bold red]{len(wrong)} 处需要处理[/]" if wrong else "[bold green]没有问题[/]"
    name = f"《{title}》" if title else "未识别"
    out.print(f"[bold]{escape(file)}[/]  {escape(name)}  {state}")
    for finding in findings:
        colour = _COLOURS[finding.severity.value]
        where = escape(finding.place.chinese)
        words = escape(f"{finding.message}{finding.remedy}")
        head = f"  [{colour}]{finding.severity.chinese}[/] [bold]{where}[/]："
        out.print(f"{head}{words} [dim]{finding.code}[/]")
