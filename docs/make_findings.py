"""Write the tables of docs/findings.md anew: every kind of finding of the core and of the installed regions.

Run it by `.venv/bin/python docs/make_findings.py` after a kind was added; a test compares the page with what it gives.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gmsafety import Catalog, load_catalog
from gmsafety.findings import Kind
from gmsafety.kinds import KINDS

PAGE = Path(__file__).with_name("findings.md")
START, END = "<!-- findings -->", "<!-- /findings -->"
GROUPS = {
    "F": "F: the file (文件)",
    "S": "S: which form, and its shape (表样)",
    "T": "T: the type of a value (填写)",
    "R": "R: rules inside one form (表内)",
    "P": "P: against the last period (与上期)",
    "X": "X: across forms (表间)",
    "U": "U: units and roll-ups (单位与汇总)",
}
HEADINGS = ("code", "kind", "severity", "title", "message", "remedy")


def section(catalog: Catalog) -> str:
    """Return everything that stands between the two marks."""
    return "\n".join([START, "", *_core(), *_regions(catalog), END])


def _core() -> Iterator[str]:
    for letter, title in GROUPS.items():
        yield from _group(title, (k for k in KINDS.values() if k.code.startswith(f"GM-{letter}")))


def _regions(catalog: Catalog) -> Iterator[str]:
    for content in catalog.contents:
        if content.kinds:
            yield from _group(f"{content.title} (plugin `{content.plugin}`)", content.kinds)


def _group(title: str, kinds: Iterable[Kind]) -> list[str]:
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *map(_cells, kinds)]
    return [f"## {title}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]


def _cells(kind: Kind) -> tuple[str, ...]:
    words = (kind.severity.value, kind.title, kind.message, kind.remedy)
    return (f"`{kind.code}`", f"`{kind.slug}`", *(w.replace("|", "\\|") for w in words))


def renewed(page: str, catalog: Catalog) -> str:
    """Return the page with its section made anew."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return before + section(catalog) + after


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8"), load_catalog()), "utf-8", newline="\n")
