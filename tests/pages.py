"""The pages of the documentation as tests take them apart: blocks, commands, and what a command is to print."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELLIPSIS = "…"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands(block: str) -> Iterator[tuple[str, list[str], int]]:
    """The commands of a console block: each with the output shown and the exit status stated."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        stated = [int(line.split()[-1]) for line in shown if line.startswith("# exit status ")]
        yield command, [line for line in shown if not line.startswith("# exit status ")], (stated or [0])[0]


def looks_like(shown: list[str]) -> re.Pattern[str]:
    """What the output must be: line by line, with `…` for any lines left out."""
    lines = [r"(?:.*\n)*?" if line.strip() == ELLIPSIS else re.escape(line.rstrip()) + r" *\r?\n" for line in shown]
    return re.compile("".join(lines))
