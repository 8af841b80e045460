"""The house keeps its size, its names and its words."""

import ast
import re
import subprocess
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for pattern in ("src/**/*.py", "plugins/*/gmsafety_*/**/*.py", "server/gmsafety_server/**/*.py")
    for path in ROOT.glob(pattern)
    if "versions" not in path.parts  # a step of the database's history is a list, and is never edited
)

FILE_LINES = 400
FILE_LINES_MEDIAN = 150
FUNCTION_LINES = 60
FUNCTION_LINES_P90 = 30
PARAMETERS = 6

VAGUE_NAMES = {"base", "common_utils", "helpers", "manager", "utils"}

REGISTRIES = [
    ".".join(words)
    for words in [
        ("pypi", "org"),
        ("python" + "hosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("npmmirror", "com"),
        ("deb", "debian"),
        ("security", "debian"),
        ("crates", "io"),
    ]
]
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"]


class Function(NamedTuple):
    """A function as the budgets see it: where it stands, and how much of it there is."""

    place: str
    name: str
    lines: int
    parameters: int
    annotated: bool


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def count_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def read_functions(path: Path) -> list[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    methods = {child for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body}
    return [
        measure(node, f"{name_of(path)}:{node.lineno}", is_method=node in methods)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def measure(node: ast.FunctionDef | ast.AsyncFunctionDef, place: str, *, is_method: bool) -> Function:
    given = [*node.args.posonlyargs, *node.args.args]
    own = 1 if is_method and given and given[0].arg in {"self", "cls"} else 0
    return Function(
        place=place,
        name=node.name,
        lines=(node.end_lineno or node.lineno) - node.lineno + 1,
        parameters=len(given) + len(node.args.kwonlyargs) - own,
        annotated=node.returns is not None,
    )


def table(rows: list[tuple[int, str]]) -> str:
    return "\n" + "\n".join(f"{size:>5}  {name}" for size, name in sorted(rows, reverse=True)[:25])


def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


FUNCTIONS = [function for path in SOURCES for function in read_functions(path)]


def test_no_file_is_too_long() -> None:
    too_long = [(lines, name_of(path)) for path in SOURCES if (lines := count_lines(path)) > FILE_LINES]

    assert not too_long, f"more than {FILE_LINES} lines:{table(too_long)}"


def test_the_usual_file_is_read_in_one_go() -> None:
    lines = [(count, name_of(path)) for path in SOURCES if (count := count_lines(path)) > 3]
    middle = median(count for count, _ in lines)

    assert middle <= FILE_LINES_MEDIAN, f"the median file has {middle} lines:{table(lines)}"


def test_no_function_is_too_long() -> None:
    too_long = [(f.lines, f"{f.place} {f.name}") for f in FUNCTIONS if f.lines > FUNCTION_LINES]

    assert not too_long, f"more than {FUNCTION_LINES} lines:{table(too_long)}"


def test_nine_functions_of_ten_fit_on_a_screen() -> None:
    lines = [(f.lines, f"{f.place} {f.name}") for f in FUNCTIONS]
    ninth = quantiles([count for count, _ in lines], n=10, method="inclusive")[-1]

    assert ninth <= FUNCTION_LINES_P90, f"one function of ten has {ninth} lines or more:{table(lines)}"


def _is_front(function: Function) -> bool:
    """A command has a parameter for each of its options, an endpoint or page for each thing a request brings."""
    return any(part in function.place for part in ("/cli/", "endpoints.py:", "pages.py:"))


def test_no_function_asks_for_too_much() -> None:
    too_many = [
        (f.parameters, f"{f.place} {f.name}") for f in FUNCTIONS if f.parameters > PARAMETERS and not _is_front(f)
    ]

    assert not too_many, f"more than {PARAMETERS} parameters:{table(too_many)}"


def test_public_functions_say_what_they_return() -> None:
    silent = [f"{f.place} {f.name}" for f in FUNCTIONS if not f.name.startswith("_") and not f.annotated]

    assert [] == silent


def test_modules_are_named_after_what_they_hold() -> None:
    vague = [name_of(path) for path in SOURCES if {path.stem, path.parent.name} & VAGUE_NAMES]

    assert [] == vague


@pytest.mark.parametrize("word", [*REGISTRIES, *UNFINISHED])
def test_no_file_says(word: str) -> None:
    pattern = re.compile(rb"\b" + re.escape(word).encode() + rb"\b")
    found = [name_of(path) for path in tracked_files() if pattern.search(path.read_bytes())]

    assert [] == found
