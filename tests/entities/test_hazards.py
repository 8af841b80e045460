"""The life cycle of a hazard: 发现 → 判定 → 整改 → 复查 → 销号, with listed supervision, overdue and re-opening."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from pydantic import TypeAdapter, ValidationError

from entity_values import credit_code, hazard_events, hazards, penalties
from gmsafety.hazardevents import (
    AnyHazardEvent,
    Closed,
    Delisted,
    Extended,
    Judged,
    Listed,
    Ordered,
    Rectified,
    Reinspected,
    Reopened,
)
from gmsafety.hazards import (
    FLOW,
    EventNotAllowed,
    Grade,
    Hazard,
    HazardDeed,
    HazardEvent,
    HazardState,
    Measure,
    Penalty,
    Stage,
    dual_cases,
)
from gmsafety.penalties import PARTS


def day(of_january: int) -> date:
    return date(2025, 1, 1) + timedelta(days=of_january - 1)


FOUND = Hazard(
    id="YH-1", enterprise=credit_code(1), detail="喷漆房未设可燃气体报警", stage=Stage.JOINT, found=day(3), found_by="示例县应急管理局"
)  # fmt: skip
GENERAL = Judged(on=day(3), grade=Grade.GENERAL)
MAJOR = Judged(on=day(3), grade=Grade.MAJOR, basis=("七（七）",))
ORDER = Ordered(on=day(4), measure=Measure(responsibility="车间主任", action="加装报警器", time_limit=day(15)))
LIST = Listed(on=day(5), level="county", supervisor="示例县安委会", due=day(20))
DONE = Rectified(on=day(14), spent=35_000)
PASSED, FAILED = Reinspected(on=day(16), passed=True), Reinspected(on=day(16), passed=False, time_limit=day(25))
DELIST, CLOSE = Delisted(on=day(17)), Closed(on=day(18))
REOPEN = Reopened(on=day(40), time_limit=day(50), reason="回头看发现报警器停用")


def after(*events: HazardEvent, hazard: Hazard = FOUND) -> Hazard:
    for event in events:
        hazard = hazard.after(event)
    return hazard


# --- the way ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "已发现"),
        ([GENERAL], "已判定"),
        ([GENERAL, Rectified(on=day(3))], "已整改待复查"),  # put right on the spot
        ([GENERAL, ORDER], "整改中"),
        ([GENERAL, ORDER, DONE, PASSED, CLOSE], "已销号"),
        ([MAJOR, ORDER], "整改中"),
        ([MAJOR, ORDER, LIST], "整改中"),
        ([MAJOR, ORDER, LIST, DONE], "已整改待复查"),
        ([MAJOR, ORDER, LIST, DONE, FAILED], "整改中"),
        ([MAJOR, ORDER, LIST, DONE, PASSED], "复查合格"),
        ([MAJOR, ORDER, LIST, DONE, PASSED, DELIST], "复查合格"),
        ([MAJOR, ORDER, LIST, DONE, PASSED, DELIST, CLOSE], "已销号"),
        ([MAJOR, ORDER, DONE, PASSED, CLOSE, REOPEN], "整改中"),
    ],
)
def test_where_it_stands(events: list[HazardEvent], state: str) -> None:
    assert state == after(*events).state


@pytest.mark.parametrize(
    ("before", "event", "said"),
    [
        ([], ORDER, "隐患YH-1现为“已发现”，不能“责令整改”。现在可以：判定。"),
        ([], CLOSE, "隐患YH-1现为“已发现”，不能“销号”。现在可以：判定。"),
        ([GENERAL], LIST, "隐患YH-1现为“已判定”，不能“挂牌督办”：只有重大事故隐患才挂牌督办。现在可以：判定、责令整改、整改完成。"),
        ([MAJOR], DONE, "隐患YH-1现为“已判定”，不能“整改完成”：重大事故隐患须先责令整改。现在可以：判定、责令整改、挂牌督办。"),
        ([MAJOR, ORDER, LIST], LIST, "隐患YH-1现为“整改中”，不能“挂牌督办”：已经挂牌督办。现在可以：判定、延期、整改完成。"),
        ([MAJOR, ORDER, LIST], Judged(on=day(6), grade=Grade.GENERAL), "隐患YH-1现为“整改中”，不能“判定”：挂牌督办期间不能改判为一般隐患。现在可以：判定、延期、整改完成。"),
        ([MAJOR, ORDER], CLOSE, "隐患YH-1现为“整改中”，不能“销号”。现在可以：判定、延期、挂牌督办、整改完成。"),
        ([MAJOR, ORDER, LIST, DONE, PASSED], CLOSE, "隐患YH-1现为“复查合格”，不能“销号”：挂牌督办的须先摘牌。现在可以：摘牌。"),
        ([MAJOR, ORDER, DONE, PASSED], DELIST, "隐患YH-1现为“复查合格”，不能“摘牌”：没有挂牌督办。现在可以：销号。"),
        ([MAJOR, ORDER, DONE, PASSED, CLOSE], CLOSE, "隐患YH-1现为“已销号”，不能“销号”。现在可以：重新打开。"),
        ([MAJOR, ORDER], Rectified(on=day(1)), "隐患YH-1现为“整改中”，不能“整改完成”：2025-01-01早于前一步2025-01-04。现在可以：判定、延期、挂牌督办、整改完成。"),
        ([MAJOR], Ordered(on=day(4), measure=Measure()), "隐患YH-1现为“已判定”，不能“责令整改”：没有写明整改时限。现在可以：判定、责令整改、挂牌督办。"),
        ([MAJOR, ORDER], Extended(on=day(9), time_limit=day(15), reason="设备未到货"), "隐患YH-1现为“整改中”，不能“延期”：延期后的时限须晚于原时限2025-01-15。现在可以：判定、延期、挂牌督办、整改完成。"),
    ],
)  # fmt: skip
def test_what_cannot_be_says_what_can(before: list[HazardEvent], event: HazardEvent, said: str) -> None:
    with pytest.raises(EventNotAllowed) as refused:
        after(*before, event)

    assert said == str(refused.value)


def test_the_history_tells_everything() -> None:
    hazard = after(MAJOR, ORDER, LIST, DONE, FAILED)

    assert [
        "2025-01-03 判定→已判定：重大事故隐患；第七条（七）",
        "2025-01-04 责令整改→整改中：时限2025-01-15",
        "2025-01-05 挂牌督办→整改中：督办单位示例县安委会；督办完成时间2025-01-20",
        "2025-01-14 整改完成→已整改待复查：投入3.5万元",
        "2025-01-16 复查→整改中：不合格；时限2025-01-25",
    ] == [str(step) for step in hazard.steps]
    assert (day(25), Decimal(35_000)) == (hazard.measure.time_limit, hazard.spent)
    assert ["机械"] == [s.field for s in hazard.situations]


def test_a_hazard_that_was_reopened_goes_the_way_again() -> None:
    hazard = after(MAJOR, ORDER, LIST, DONE, PASSED, DELIST, CLOSE, REOPEN)
    again = after(
        Listed(on=day(41), level="city", supervisor="示例市安委会", due=day(60)),
        Rectified(on=day(45)),
        Reinspected(on=day(46), passed=True),
        hazard=hazard,
    )

    assert (1, day(50)) == (hazard.reopened, hazard.measure.time_limit)
    assert (HazardDeed.DELIST,) == again.allowed
    assert again.listing is not None
    assert "示例市安委会" == again.listing.supervisor


# --- days ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "on", "days"),
    [
        ([MAJOR], 60, 0),  # no time limit yet
        ([MAJOR, ORDER], 15, 0),  # the last day counts
        ([MAJOR, ORDER], 16, 1),
        ([MAJOR, ORDER], 45, 30),
        ([MAJOR, ORDER, Extended(on=day(15), time_limit=day(31), reason="设备未到货")], 20, 0),
        ([MAJOR, ORDER, Extended(on=day(15), time_limit=day(31), reason="设备未到货")], 32, 1),
        ([MAJOR, ORDER, DONE], 20, 0),  # in time; the re-inspection is not the enterprise's delay
        ([MAJOR, ORDER, Rectified(on=day(20))], 18, 3),  # as it stood on that day
        ([MAJOR, ORDER, Rectified(on=day(20))], 21, 0),
        ([MAJOR, ORDER, DONE, FAILED], 26, 1),
        ([MAJOR, ORDER, DONE, PASSED, CLOSE, REOPEN], 50, 0),
        ([MAJOR, ORDER, DONE, PASSED, CLOSE, REOPEN], 51, 1),
    ],
)
def test_overdue(events: list[HazardEvent], on: int, days: int) -> None:
    assert days == after(*events).overdue_days(day(on))


@pytest.mark.parametrize(("on", "days"), [(4, 0), (20, 0), (21, 1), (24, 4), (25, 0)])
def test_listed_supervision_is_overdue_until_it_is_taken_off(on: int, days: int) -> None:
    hazard = after(MAJOR, ORDER, LIST, DONE, PASSED, Delisted(on=day(25)))

    assert days == hazard.supervision_overdue_days(day(on))


def test_where_it_stood_on_a_day() -> None:
    hazard = after(MAJOR, ORDER, DONE)

    assert [None, HazardState.JUDGED, HazardState.RECTIFYING, HazardState.RECTIFIED] == [
        hazard.state_on(day(n)) for n in (2, 3, 4, 99)
    ]


# --- measure, penalties -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "missing", "text"),
    [
        (Measure(), ("责任", "措施", "资金", "时限", "预案"), ""),
        (ORDER.measure, ("资金", "预案"), "责任：车间主任；措施：加装报警器；时限：2025-01-15"),
        (Measure(funds=0), ("责任", "措施", "时限", "预案"), "资金：0万元"),
        (Measure(responsibility="甲", action="乙", funds=35000, time_limit=day(9), contingency="丙"), (), "责任：甲；措施：乙；资金：3.5万元；时限：2025-01-09；预案：丙"),
    ],
)  # fmt: skip
def test_five_parts(measure: Measure, missing: tuple[str, ...], text: str) -> None:
    assert (missing, text) == (measure.missing(), measure.as_text())


def test_a_region_calls_the_parts_its_own_way() -> None:
    parts = {**PARTS, "responsibility": "责任人", "contingency": "应急措施"}

    assert ("责任人", "应急措施") == Measure(action="甲", funds=1, time_limit=day(9)).missing(parts)


def penalty(case: str | None, punished: str) -> Penalty:
    return Penalty(
        id=f"{case}{punished}", enterprise=credit_code(1), decided=day(9), by="示例局", kinds=("罚款",), punished=punished, case=case
    )  # fmt: skip


def test_dual_penalty_is_one_case_against_both() -> None:
    punished = [penalty("一", "企业"), penalty("一", "主要负责人"), penalty("二", "企业"), penalty(None, "主要负责人")]

    assert ("一",) == dual_cases(punished)


# --- JSON ---------------------------------------------------------------------------------------------------------


@given(hazards())
def test_json_round_trip(hazard: Hazard) -> None:
    assert hazard == Hazard.model_validate_json(hazard.model_dump_json())


@given(penalties())
def test_json_round_trip_of_penalties(penalty: Penalty) -> None:
    assert penalty == Penalty.model_validate_json(penalty.model_dump_json())


@given(hazards(), st.data())
def test_an_event_as_json_does_the_same(hazard: Hazard, data: st.DataObject) -> None:
    event = data.draw(hazard_events(hazard, data.draw(st.sampled_from(hazard.allowed))))
    read: Any = TypeAdapter(AnyHazardEvent).validate_json(event.model_dump_json())

    assert hazard.after(event) == hazard.after(read)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grade": None}, "隐患等级与经过不符"),
        ({"listing": None}, "挂牌督办与经过不符"),
        ({"grade": "一般隐患"}, "只有重大事故隐患才挂牌督办"),
        ({"steps": [{"on": "2025-01-05", "deed": "销号", "state": "已销号"}]}, "“已发现”之后不能是“销号→已销号”"),
        ({"found": "2025-02-01"}, "2025-01-03“判定”早于前一步2025-02-01"),
        ({"basis": ["第九十条（一）"]}, "没有这样的条款：第九十条（一）"),
    ],
)
def test_json_that_contradicts_itself_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Hazard.model_validate(after(MAJOR, ORDER, LIST).model_dump(mode="json") | change)


# --- any way at all -----------------------------------------------------------------------------------------------


class AnyWay(RuleBasedStateMachine):
    """Whatever is done to a hazard in whatever order, it stays whole."""

    hazard: Hazard

    @initialize(hazard=hazards(longest=0))
    def found(self, hazard: Hazard) -> None:
        self.hazard = hazard

    @rule(data=st.data())
    def allowed(self, data: st.DataObject) -> None:
        deed = data.draw(st.sampled_from(self.hazard.allowed))
        before = self.hazard
        self.hazard = before.after(data.draw(hazard_events(before, deed)))

        assert before.steps == self.hazard.steps[:-1]
        assert self.hazard.state in FLOW[before.state][deed]

    @rule(data=st.data(), deed=st.sampled_from(HazardDeed))
    def not_allowed(self, data: st.DataObject, deed: HazardDeed) -> None:
        if deed in self.hazard.allowed:
            return
        with pytest.raises(EventNotAllowed) as refused:
            self.hazard.after(data.draw(hazard_events(self.hazard, deed)))
        assert self.hazard.allowed == refused.value.allowed

    @invariant()
    def there_is_always_a_way(self) -> None:
        if hasattr(self, "hazard"):
            assert self.hazard.allowed

    @invariant()
    def closed_means_off_the_list_and_never_overdue(self) -> None:
        if hasattr(self, "hazard") and self.hazard.state is HazardState.CLOSED:
            assert self.hazard.listing is None or not self.hazard.listing.is_open
            assert 0 == self.hazard.overdue_days(date(2099, 1, 1))

    @invariant()
    def only_majors_are_on_the_list(self) -> None:
        if hasattr(self, "hazard") and self.hazard.listing and self.hazard.listing.is_open:
            assert self.hazard.grade is Grade.MAJOR


def test_any_way() -> None:
    run_state_machine_as_test(AnyWay, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
