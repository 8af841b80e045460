"""What was measured, for programs (JSON) and for readers (a table)."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from unicodedata import east_asian_width

from measure import Figure

_HEADINGS = ("figure", "median", "min–max", "goal", "", "rounds", "files")


def machine() -> dict[str, str | int]:
    """Say what it was measured on, without names of hosts or folders."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "cores": os.cpu_count() or 0,
        "platform": f"{platform.system()} {platform.machine()}",
    }


def write_json(figures: Iterable[Figure], to: Path) -> None:
    """Write the report that programs read."""
    to.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "figures": [_as_json(f) for f in figures]}
    to.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _as_json(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.name,
        "what": figure.what,
        "value": _rounded(figure.value),
        "unit": figure.unit,
        "goal": figure.goal.bound if figure.goal else None,
        "goal_sign": figure.goal.sign if figure.goal else None,
        "later_goal": figure.goal.later if figure.goal else None,
        "met": figure.met,
        "rounds": figure.rounds,
        "min": _rounded(figure.least),
        "max": _rounded(figure.most),
        "files": list(figure.files),
    }


def _rounded(value: float) -> float:
    return round(value, 3) if abs(value) < 10 else round(value, 1)


def table(figures: Iterable[Figure]) -> str:
    """Lay the figures out as a Markdown table that reads well as plain text; a goal that is not met says missed."""
    rows = [_HEADINGS, *map(_cells, figures)]
    widths = [max(_width(row[i]) for row in rows) for i in range(len(_HEADINGS))]
    lines = ["| " + " | ".join(_padded(c, w) for c, w in zip(row, widths, strict=True)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    unit = figure.unit
    goal = f"{figure.goal.sign} {figure.goal.bound:g} {unit}" if figure.goal else ""
    later = f", later {figure.goal.later:g}" if figure.goal and figure.goal.later is not None else ""
    verdict = {None: "", True: "met", False: "**missed**"}[figure.met]
    spread = f"{_shown(figure.least)}–{_shown(figure.most)}"
    files = ", ".join(f.rpartition("/")[2] for f in figure.files)
    return (figure.what, f"{_shown(figure.value)} {unit}", spread, goal + later, verdict, str(figure.rounds), files)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def missed(figures: Sequence[Figure]) -> str:
    """Say how many goals are met, and name those that are not."""
    judged = [f for f in figures if f.met is not None]
    late = [f.name for f in judged if not f.met]
    return f"{len(judged) - len(late)} of {len(judged)} goals met" + (f"; missed: {', '.join(late)}" if late else "")


def update_page(figures: Sequence[Figure], page: Path, part: str) -> None:
    """Put the table of a part into the page, between its two marks. ValueError where a mark is missing."""
    first, last = f"<!-- {part} -->", f"<!-- /{part} -->"
    text = page.read_text(encoding="utf-8")
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not start or not end:
        raise ValueError(f"{page.name} must hold {first} and {last}")
    on = machine()
    where = f"{on['python']}, {on['cores']} cores, {on['platform']}. {missed(figures)}."
    page.write_text(f"{before}{first}\n{where}\n\n{table(figures)}\n{last}{after}", encoding="utf-8")
