"""The catalogue of findings: codes are stable, every sentence can be made, nothing goes without a remedy."""

import re

from gmsafety import Catalog, Place
from gmsafety.kinds import KINDS

_BRACES = re.compile(r"\{(\w+)\}")


def test_codes_and_slugs_are_unique(catalog: Catalog) -> None:
    codes = [k.code for k in catalog.kinds.values()]

    assert len(codes) == len(set(codes))
    assert all(slug == kind.slug for slug, kind in catalog.kinds.items())


def test_every_kind_has_a_title_a_sentence_and_a_remedy(catalog: Catalog) -> None:
    for kind in catalog.kinds.values():
        data = dict.fromkeys(_BRACES.findall(kind.message + kind.remedy), "某处")
        finding = kind.at(Place("C7", "台账"), **data)

        assert "{" not in finding.message + finding.remedy
        assert finding.remedy.endswith("。")
        assert finding.message.endswith(("。", "？"))


def test_places_in_words() -> None:
    assert "工作表“台账”C7单元格" == Place("C7", "台账").chinese
    assert "第1个表格第3行第4列" == Place("table 1 row 3 col 4").chinese
    assert "第2个表格" == Place("table 2").chinese
    assert "整个文件" == Place().chinese
    assert "工作表“台账”" == Place("file", "台账").chinese
    assert "工作表“台账”表头行" == Place("header row", "台账").chinese
    assert "台账!C7" == str(Place("C7", "台账"))


def test_published_codes_do_not_change() -> None:
    """A code once published keeps its meaning; add to this table, never change it."""
    published = {
        "GM-F104": "zip-bomb",
        "GM-S202": "wrong-form",
        "GM-T302": "several-numbers",
        "GM-R401": "rectified-exceeds-found",
        "GM-P501": "lower-than-last-period",
        "GM-X601": "table-ledger-mismatch",
        "GM-U704": "unit-missing",
    }

    assert published == {KINDS[slug].code: slug for slug in published.values()}
