"""Jincheng: the dates of 晋市工贸专委发[2024]1号, and how the city carries out the province's campaign."""

from datetime import date

import pytest

import gmsafety_jincheng
import gmsafety_shanxi
from gmsafety import Catalog, load_catalog
from gmsafety.testing import check_plugin


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Jincheng with the province it builds on."""
    return load_catalog([gmsafety_jincheng, gmsafety_shanxi])


def test_conforms() -> None:
    assert [] == [str(c) for c in check_plugin(gmsafety_jincheng, gmsafety_shanxi)]


FRIDAYS = (
    "2024-12-20", "2024-12-27", "2025-01-03", "2025-01-10", "2025-01-17", "2025-01-24", "2025-01-31", "2025-02-07",
    "2025-02-14", "2025-02-21", "2025-02-28", "2025-03-07", "2025-03-14", "2025-03-21", "2025-03-28",
)  # fmt: skip


def test_fifteen_fridays_at_noon(catalog: Catalog) -> None:
    """JC-D1, JC-D2: every Friday 12:00 Beijing time; one of them is a public holiday, flagged and not moved."""
    found = [o for o in catalog.duties(campaign="jincheng.gongmao-2024") if o.duty.id == "weekly-forms"]

    assert list(FRIDAYS) == [str(o.period) for o in found]
    assert {"12:00:00+0800"} == {f"{o.due:%H:%M:%S%z}" for o in found}
    assert {"2025-01-31": "public-holiday"} == {str(o.period): f.slug for o in found for f in o.flags}


def test_the_summary(catalog: Catalog) -> None:
    """JC-D3: 2025-03-25, a Tuesday, before the province's 2025-03-31."""
    found = [o for o in catalog.duties(campaign="jincheng.gongmao-2024") if o.duty.id == "summary"]

    assert ["2025-03-25"] == [str(o.period) for o in found]
    assert "Tuesday" == f"{found[0].period:%A}"


COUNTIES = (
    ("140502", "城区"), ("140521", "沁水县"), ("140522", "阳城县"),
    ("140524", "陵川县"), ("140525", "泽州县"), ("140581", "高平市"),
)  # fmt: skip


@pytest.mark.parametrize(("code", "name"), COUNTIES)
def test_each_county_owes_the_city(code: str, name: str, catalog: Catalog) -> None:
    unit = catalog.unit(code)

    assert name == catalog.units.area_name(unit)
    assert 16 == len(catalog.duties(unit=code))
    assert ["2024-12-27"] == [str(o.period) for o in catalog.duties(unit=code, between=("2024-12-21", "2024-12-31"))]


def test_the_city_owes_the_province_not_itself(catalog: Catalog) -> None:
    assert {"shanxi.gongmao-2024"} == {
        c.ref for c in catalog.campaigns.values() for o in catalog.duties(unit="140500") if o.duty in c.duties
    }


def test_the_week_before_the_notice_is_no_gap_of_the_citys(catalog: Catalog) -> None:
    """JC-O4: the province's first Friday lies before the city's notice; reported, not refused."""
    assert all("2024-12-13" in note for note in catalog.notes)
    assert 2 == len(catalog.notes)


def test_sixteen_towns(catalog: Catalog) -> None:
    assert 16 == len(catalog.areas.children("140525"))


def test_the_period_of_a_day(catalog: Catalog) -> None:
    form, county = catalog.form("weekly-dispatch"), catalog.unit("140525")
    days = ("2024-12-14", "2024-12-20", "2024-12-21", "2025-01-31")
    periods = [catalog.period(form, county, date.fromisoformat(d)) for d in days]

    assert ["2024-12-20", "2024-12-20", "2024-12-27", "2025-01-31"] == [str(p.period) for p in periods if p]
