"""Divisions of the country: their names, levels and places, and the towns that plugins add."""

from pathlib import Path

import pytest

from gmsafety.codes import (
    SUCCESSOR_CODES,
    Area,
    AreaTable,
    Level,
    ancestors,
    area,
    areas_from_tsv,
    canonical_code,
    children,
    full_name,
    successor,
)

DIVISIONS = Path(__file__).parents[1] / "data" / "divisions_sx_tj.tsv"

TOWNS = """\
code	name	parent	level
140525108000	巴公镇	140525000000	township
140525100	南村镇	140525	township
"""


def shanxi_and_tianjin() -> list[Area]:
    return [found for code, found in AreaTable.national().items() if code[:2] in {"12", "14"}]


def test_shanxi_and_tianjin_are_exactly_these() -> None:
    expected = areas_from_tsv(DIVISIONS.read_text(encoding="utf-8"))

    assert 146 == len(expected)
    assert sorted(expected, key=lambda row: row.code) == shanxi_and_tianjin()


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("140000", "山西省", "省级"),
        ("140500", "山西省晋城市", "市级"),
        ("140525", "山西省晋城市泽州县", "县级"),
        ("140581", "山西省晋城市高平市", "县级"),
        ("140681", "山西省朔州市怀仁市", "县级"),
        ("120000", "天津市", "省级"),
        ("120116", "天津市滨海新区", "县级"),
        ("419001", "河南省济源市", "县级"),  # directly below the province
        ("441900", "广东省东莞市", "市级"),  # a city without counties
        ("460400", "海南省儋州市", "市级"),
        ("429021", "湖北省神农架林区", "县级"),
        ("710000", "台湾省", "省级"),
        ("810000", "香港特别行政区", "省级"),
    ],
)
def test_a_division_has_a_full_name_and_a_level(code: str, name: str, level: str) -> None:
    found = area(code)

    assert found is not None
    assert (name, level) == (full_name(code), found.level.chinese)


def test_a_county_stands_below_its_city_and_province() -> None:
    assert ["140500", "140000"] == [above.code for above in ancestors("140525")]


def test_a_district_of_a_municipality_stands_directly_below_it() -> None:
    assert ["120000"] == [above.code for above in ancestors("120116")]
    assert 16 == len(children("120000"))


def test_jincheng_has_six_counties() -> None:
    assert ["城区", "沁水县", "阳城县", "陵川县", "泽州县", "高平市"] == [below.name for below in children("140500")]


def test_there_are_34_provinces_and_every_division_leads_up_to_one() -> None:
    provinces = set(AreaTable.national().provinces())

    assert 34 == len(provinces)
    assert provinces == {(*[found], *ancestors(code))[-1] for code, found in AreaTable.national().items()}


@pytest.mark.parametrize("code", ["", "140525100", "999999", "14052", "泽州县", "140624"])
def test_an_unknown_code_is_nothing(code: str) -> None:
    assert area(code) is None
    assert () == children(code)
    assert () == ancestors(code)


def test_an_unknown_code_has_no_name() -> None:
    with pytest.raises(KeyError, match="140624"):
        full_name("140624")


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        ("14", "140000"),
        ("1405", "140500"),
        ("140525", "140525"),
        ("140525000", "140525"),
        ("140525000000", "140525"),
        ("140525100000", "140525100"),
        ("140525100", "140525100"),
        ("140000000000", "140000"),
    ],
)
def test_a_code_has_one_usual_length(written: str, usual: str) -> None:
    assert usual == canonical_code(written)


def test_towns_extend_the_table_and_leave_the_national_one_alone() -> None:
    table = AreaTable.national().with_areas(areas_from_tsv(TOWNS))

    assert ["南村镇", "巴公镇"] == [town.name for town in table.children("140525")]
    assert table.area("140525108") == table.area("140525108000")
    assert "山西省晋城市泽州县巴公镇" == table.full_name("140525108")
    assert 2 == len(table) - len(AreaTable.national())
    assert area("140525108") is None


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        (Area("140525", "泽州县", "140500", Level.COUNTY), "140525 is given twice"),
        (Area("140525000000", "泽州县", "140500", Level.COUNTY), "140525 is given twice"),
        (Area("140599100", "某镇", "140599", Level.TOWNSHIP), "no parent 140599 above it"),
        (Area("140525100", "南村镇", "140525108", Level.TOWNSHIP), "no parent 140525108 above it"),
        (Area("140525100", "南村镇", None, Level.TOWNSHIP), "has no parent"),
        (Area("140525100", "南村镇", "140525", Level.COUNTY), "the code is not one of a county"),
        (Area("140525100201", "某村", "140525", Level.TOWNSHIP), "'140525100201' is not the code of a division"),
        (Area("14052510X", "某镇", "140525", Level.TOWNSHIP), "'14052510X' is not the code of a division"),
    ],
)
def test_a_division_that_does_not_fit_is_refused(extra: Area, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        AreaTable.national().with_areas([extra])


@pytest.mark.parametrize(
    ("printed", "typed", "complaint"),
    [
        ("level", "rank", "line 1: the columns are not code, name, parent, level"),
        ("\t140525\t", "\t", "line 3: not 4 filled columns"),
        ("南村镇", "", "line 3: not 4 filled columns"),
        ("140525\ttownship", "140525\ttown", "line 3: 'town' is not a level"),
    ],
)
def test_a_wrong_row_is_named(printed: str, typed: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        areas_from_tsv(TOWNS.replace(printed, typed))


@pytest.mark.parametrize(
    ("withdrawn", "today"),
    [
        ("140624", "怀仁市"),
        ("140726", "太谷区"),
        ("140203", "云冈区"),
        ("140227", "云州区"),
        ("140402", "潞州区"),
        ("140411", "潞州区"),
        ("140421", "上党区"),
        ("140424", "屯留区"),
        ("140481", "潞城区"),
        ("120109", "滨海新区"),
        ("120225", "蓟州区"),
    ],
)
def test_a_withdrawn_code_leads_to_the_division_of_today(withdrawn: str, today: str) -> None:
    found = area(successor(withdrawn) or "")

    assert found is not None
    assert today == found.name


@pytest.mark.parametrize("code", ["140202", "140211", "140525", ""])
def test_a_divided_or_valid_code_has_no_one_successor(code: str) -> None:
    assert successor(code) is None


def test_withdrawn_codes_are_out_of_force_and_their_successors_in_force() -> None:
    assert [] == [code for code in SUCCESSOR_CODES if area(code)]
    assert [] == [code for codes in SUCCESSOR_CODES.values() for code in codes if not area(code)]
