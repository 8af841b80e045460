"""Inspections: what they must show, how late they were entered, and the hazards they found."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from entity_values import credit_code, inspections
from gmsafety.hazards import HazardState, Stage
from gmsafety.inspections import Inspection

SHOWN = {"inspectors": ("0001",), "inspectors_signed": True, "principal_signed": True, "principal_examined": True, "majors_checked": True}  # fmt: skip


def inspection(**more: Any) -> Inspection:
    told = {"id": "JC-1", "enterprise": credit_code(1), "stage": "交叉检查", "first": "2025-01-06", "inspected_by": "示例市应急管理局"}  # fmt: skip
    return Inspection(**{**told, **more})


@pytest.mark.parametrize(
    ("more", "not_shown"),
    [
        (SHOWN, ()),
        ({}, ("检查人员", "检查人员签字", "企业负责人签字", "逢查必考", "逢查必检")),
        ({**SHOWN, "principal_signed": False}, ("企业负责人签字",)),
        ({**SHOWN, "majors_checked": None}, ("逢查必检",)),
    ],
)
def test_what_an_inspection_has_to_show(more: dict[str, Any], not_shown: tuple[str, ...]) -> None:
    assert not_shown == inspection(**more).not_shown


@pytest.mark.parametrize(
    ("last", "entered", "days", "delay"),
    [
        (None, None, 1, None),
        (None, "2025-01-06", 1, 0),
        ("2025-01-10", "2025-01-13", 5, 3),
        ("2025-01-10", "2025-01-09", 5, -1),
    ],
)
def test_days_and_late_entry(last: str | None, entered: str | None, days: int, delay: int | None) -> None:
    known = inspection(last=last, entered=entered)

    assert (days, delay) == (known.days, known.entry_delay)


def test_what_it_finds_is_a_hazard_of_its_stage() -> None:
    hazard = inspection().find("YH-1", "除尘器未设锁气卸灰装置", evidence="照片3张")

    assert (Stage.CROSS, date(2025, 1, 6), "示例市应急管理局") == (hazard.stage, hazard.found, hazard.found_by)
    assert HazardState.FOUND is hazard.state


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"last": "2025-01-05"}, "检查结束日期2025-01-05早于开始日期2025-01-06"),
        ({"principal_examined": False, "principal_passed": True}, "没有考核主要负责人，却有考核结果"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        inspection(**wrong)


@given(inspections())
def test_json_round_trip(known: Inspection) -> None:
    assert known == Inspection.model_validate_json(known.model_dump_json())
