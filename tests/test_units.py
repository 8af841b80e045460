"""Units and the names clerks write for them."""

import pytest

from gmsafety import Catalog
from gmsafety.errors import UnknownName

NAMES = (
    ("泽州县应急管理局", "zezhou-office"),
    ("晋城市泽州县应急管理局", "zezhou-office"),
    ("山西省晋城市泽州县应急管理局", "zezhou-office"),
    ("泽州县 应急管理局", "zezhou-office"),
    ("陵川县冶金工贸专委会", "lingchuan-office"),
    ("沁水县冶金工贸行业安全生产专业委员会办公室", "qinshui-office"),
    ("晋城市冶金工贸行业安全生产专业委员会", "jincheng-office"),
    ("晋城市冶金工贸行业安全专业委员会", "jincheng-office"),
    ("城区", "chengqu-office"),
    ("市工信局", "jincheng-gxj"),
    ("zezhou-office", "zezhou-office"),
    ("jincheng.zezhou-office", "zezhou-office"),
)


@pytest.mark.parametrize(("written", "unit"), NAMES)
def test_names(written: str, unit: str, catalog: Catalog) -> None:
    found = catalog.units.named(written)

    assert found is not None
    assert unit == found.id


@pytest.mark.parametrize("written", ["", "某某有限公司", "泽州", "应急管理局"])
def test_what_is_no_unit(written: str, catalog: Catalog) -> None:
    assert catalog.units.named(written) is None


def test_an_area_code_names_the_unit_that_files_for_it(catalog: Catalog) -> None:
    assert "zezhou-office" == catalog.unit("140525").id
    assert "jincheng-office" == catalog.unit("140500").id
    with pytest.raises(UnknownName):
        catalog.unit("140100999")


def test_the_tree(catalog: Catalog) -> None:
    city, county = catalog.unit("140500"), catalog.unit("140525")

    assert catalog.units.is_below(county, city)
    assert catalog.units.is_below(county, catalog.unit("140000"))
    assert not catalog.units.is_below(city, county)
    assert 9 == len(catalog.units.children(city))
    assert "泽州县" == catalog.units.area_name(county)
    assert "晋城市工业和信息化局" == catalog.units.area_name(catalog.unit("jincheng-gxj"))
