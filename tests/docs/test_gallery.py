"""The gallery shows every registered form, blank and filled, in both formats; what stands in it is sound."""

import re
import runpy
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from gmsafety import Catalog
from gmsafety.forms import check

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/gallery.md"
SHOWN = re.compile(r"!\[[^\]]+\]\((gallery/[^)]+\.png)\)")
LARGEST = 100_000


@pytest.fixture(scope="module")
def maker() -> dict[str, Any]:
    """The program that draws the pictures."""
    return runpy.run_path(str(ROOT / "docs/gallery/pictures.py"))


def test_every_form_is_shown(maker: dict[str, Any], catalog: Catalog) -> None:
    pictures = SHOWN.findall(PAGE.read_text("utf-8"))
    wanted = [
        f"{look.name}-{n}-{s}"
        for look in maker["looks"](catalog)
        for n, s in product(("blank", "filled"), ("xlsx", "docx"))
    ]

    assert [] == [name for name in wanted if f"gallery/{name}-1.png" not in pictures], "run make gallery"
    assert {*catalog.forms} <= {look.form.ref for look in maker["looks"](catalog)}


def test_the_page_shows_what_is_there(maker: dict[str, Any], catalog: Catalog) -> None:
    page = PAGE.read_text("utf-8")
    there = {f"gallery/{p.name}" for p in (ROOT / "docs/gallery").glob("*.png")}

    assert there == {*SHOWN.findall(page)}
    assert maker["page"](catalog) == page, "run make gallery"


def test_pictures_are_small() -> None:
    sizes = {p.name: p.stat().st_size for p in (ROOT / "docs/gallery").glob("*.png")}

    assert {} == {name: size for name, size in sizes.items() if size > LARGEST}


def test_what_is_filled_in_is_sound(maker: dict[str, Any], catalog: Catalog) -> None:
    """No finding, apart from invented enterprises that report as units."""
    found = {
        f"{look.name}: {finding}"
        for look in maker["looks"](catalog)
        for finding in check(look.record, catalog)
        if finding.kind.slug != "unknown-unit"
    }

    assert set() == found
