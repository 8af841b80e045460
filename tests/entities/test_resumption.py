"""The way back to work: 停产 → 已报告 → 已指导 → 隐患整改中 → 可复工 → 已复工 / 不得复工."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pydantic import TypeAdapter

from entity_values import credit_code
from gmsafety import Catalog
from gmsafety.gates import Condition, Gate, GateState
from gmsafety.lifecycles import EventNotAllowed
from gmsafety.provenance import Citation
from gmsafety.resumption import FLOW, Resumption, ResumptionDeed, ResumptionEvent, ResumptionState
from gmsafety.resumptionevents import (
    AnyResumptionEvent,
    Caught,
    Decided,
    Fixed,
    Guided,
    Replanned,
    Reported,
    Resumed,
    Stopped,
)


def day(of_february: int) -> date:
    return date(2025, 2, 1) + timedelta(days=of_february - 1)


STOPPED = Resumption(enterprise=credit_code(1))
REPORT = Reported(on=day(6), planned=day(10), written=True)
GUIDE, NOTHING = Guided(on=day(7), found=3), Guided(on=day(7), found=0)
FIX_TWO, FIX_ALL = Fixed(on=day(8), fixed=2), Fixed(on=day(8), fixed=3)
ALLOW = Decided(on=day(9), verdict=GateState.ALLOW)
DENY = Decided(on=day(9), verdict=GateState.DENY, reasons=("还有重大事故隐患没有整改",))
RESUME, CATCH, STOP = Resumed(on=day(10)), Caught(on=day(9)), Stopped(on=day(20))


def after(*events: ResumptionEvent, start: Resumption = STOPPED) -> Resumption:
    for event in events:
        start = start.after(event)
    return start


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "停产"),
        ([REPORT], "已报告"),
        ([REPORT, GUIDE], "已指导"),
        ([REPORT, GUIDE, FIX_TWO], "隐患整改中"),
        ([REPORT, GUIDE, FIX_ALL, ALLOW], "可复工"),
        ([REPORT, GUIDE, FIX_ALL, ALLOW, RESUME], "已复工"),
        ([REPORT, NOTHING, ALLOW, RESUME], "已复工"),
        ([REPORT, NOTHING, ALLOW, RESUME, STOP], "停产"),
        ([REPORT, GUIDE, DENY], "不得复工"),
        ([REPORT, GUIDE, DENY, Fixed(on=day(12), fixed=3)], "隐患整改中"),
        ([REPORT, GUIDE, FIX_ALL, ALLOW, DENY], "不得复工"),  # a major hazard turned up on the last day
        ([REPORT, GUIDE, FIX_ALL, ALLOW, Replanned(on=day(9), planned=day(14))], "已指导"),  # judged anew
        ([CATCH], "不得复工"),
        ([CATCH, Reported(on=day(9), planned=day(15))], "已报告"),
    ],
)
def test_where_it_stands(events: list[ResumptionEvent], state: str) -> None:
    assert state == after(*events).state


WHO = f"企业{credit_code(1)}的复工复产现为"


@pytest.mark.parametrize(
    ("before", "event", "said"),
    [
        ([], RESUME, "“停产”，不能“复工”。现在可以：报告、查处擅自复工。"),
        ([REPORT], RESUME, "“已报告”，不能“复工”。现在可以：改期、技术指导、判定、查处擅自复工。"),
        ([REPORT], ALLOW, "“已报告”，不能“判定”：还没有接受技术指导服务。现在可以：改期、技术指导、判定、查处擅自复工。"),
        ([REPORT, GUIDE, FIX_TWO], ALLOW, "“隐患整改中”，不能“判定”：还有1条问题没有整改。现在可以：改期、技术指导、整改、判定、查处擅自复工。"),
        ([REPORT, GUIDE], Fixed(on=day(8), fixed=4), "“已指导”，不能“整改”：未整改的问题只有3条。现在可以：改期、技术指导、整改、判定、查处擅自复工。"),
        ([REPORT, NOTHING], FIX_TWO, "“已指导”，不能“整改”：没有待整改的问题。现在可以：改期、技术指导、判定、查处擅自复工。"),
        ([REPORT, NOTHING], Decided(on=day(9), verdict=GateState.UNKNOWN, reasons=("尚不知道：演练次数",)), "“已指导”，不能“判定”：尚不能判定（尚不知道：演练次数）。现在可以：改期、技术指导、判定、查处擅自复工。"),
        ([REPORT, NOTHING, ALLOW], Resumed(on=day(9)), "“可复工”，不能“复工”：早于报告的复工日期2025-02-10，如要提前须先改期。现在可以：改期、判定、复工。"),
        ([REPORT, NOTHING, ALLOW], ALLOW, "“可复工”，不能“判定”：已经判定可以复工。现在可以：改期、判定、复工。"),
        ([], Reported(on=day(6), planned=day(5)), "“停产”，不能“报告”：计划复工日期2025-02-05早于2025-02-06。现在可以：报告、查处擅自复工。"),
        ([REPORT], Guided(on=day(1), found=0), "“已报告”，不能“技术指导”：2025-02-01早于前一步2025-02-06。现在可以：改期、技术指导、判定、查处擅自复工。"),
        ([CATCH], Guided(on=day(9), found=0), "“不得复工”，不能“技术指导”：还没有报告计划复工日期。现在可以：报告、查处擅自复工。"),
    ],
)  # fmt: skip
def test_what_cannot_be_says_what_can(before: list[ResumptionEvent], event: ResumptionEvent, said: str) -> None:
    with pytest.raises(EventNotAllowed) as refused:
        after(*before, event)

    assert WHO + said == str(refused.value)


@pytest.mark.parametrize(
    ("events", "guided", "open_guided", "days_before"),
    [
        ([], False, None, None),
        ([REPORT], False, None, 4),
        ([REPORT, GUIDE], True, 3, 4),
        ([REPORT, GUIDE, FIX_TWO], True, 1, 4),
        ([REPORT, Replanned(on=day(7), planned=day(12))], False, None, 6),  # later: the report still counts
        ([REPORT, Replanned(on=day(7), planned=day(9))], False, None, 2),  # earlier: reported anew
    ],
)
def test_what_a_gate_is_told(
    events: list[ResumptionEvent], guided: bool, open_guided: int | None, days_before: int | None
) -> None:
    facts = after(*events).facts

    assert (guided, open_guided, days_before) == (facts["guided"], facts["open_guided"], facts["days_before"])


def test_the_verdict_of_a_gate_is_taken_over() -> None:
    source = Citation(clause="四")
    notice = Condition(id="reported", check="days_before >= 3", say="没有在复工复产前3天报告", source=source)
    gate = Gate(id="g", title="复工复产", facts={"days_before": "提前天数"}, conditions=(notice,), source=source)
    late = after(Reported(on=day(6), planned=day(8)), NOTHING)
    barred = late.after(Decided.of(gate.judge(late.facts, {}), on=day(7), by="示例县应急管理局"))

    assert (ResumptionState.BARRED, ("没有在复工复产前3天报告",)) == (barred.state, barred.reasons)
    assert "2025-02-07 判定→不得复工 示例县应急管理局：不得复工；没有在复工复产前3天报告" == str(barred.steps[-1])


def test_its_facts_are_those_that_the_county_asks_for(catalog: Catalog) -> None:
    gates = [gate for campaign in catalog.campaigns.values() for gate in getattr(campaign, "gates", ())]
    resumption = [gate for gate in gates if gate.id == "resumption"]
    if not resumption:
        pytest.skip("no plugin declares a gate for resumption")

    assert set(STOPPED.facts) <= set(resumption[0].facts)


def test_json_round_trip() -> None:
    way = after(REPORT, GUIDE, FIX_TWO, DENY)

    assert way == Resumption.model_validate_json(way.model_dump_json())


def days_after(now: Resumption) -> st.SearchStrategy[date]:
    last = now.steps[-1].on if now.steps else day(6)
    return st.integers(0, 5).map(lambda days: last + timedelta(days=days))


def events(now: Resumption, deed: ResumptionDeed) -> st.SearchStrategy[ResumptionEvent]:
    on = days_after(now)
    later = st.integers(6, 20).map(lambda days: (now.steps[-1].on if now.steps else day(6)) + timedelta(days=days))
    resumed_on = max(now.planned or day(6), now.steps[-1].on if now.steps else day(6))
    open_still = now.open_findings or not now.guided or now.state is ResumptionState.READY
    verdicts = [GateState.DENY] if open_still else [GateState.ALLOW, GateState.DENY]
    kinds: dict[ResumptionDeed, st.SearchStrategy[ResumptionEvent]] = {
        ResumptionDeed.REPORT: st.builds(Reported, on=on, planned=later, written=st.none() | st.booleans()),
        ResumptionDeed.REPLAN: st.builds(Replanned, on=on, planned=later),
        ResumptionDeed.GUIDE: st.builds(Guided, on=on, found=st.integers(0, 5)),
        ResumptionDeed.FIX: st.builds(Fixed, on=on, fixed=st.integers(0, now.open_findings)),
        ResumptionDeed.DECIDE: st.builds(Decided, on=on, verdict=st.sampled_from(verdicts)),
        ResumptionDeed.RESUME: st.builds(Resumed, on=st.just(resumed_on)),
        ResumptionDeed.CATCH: st.builds(Caught, on=on),
        ResumptionDeed.STOP: st.builds(Stopped, on=on),
    }
    return kinds[deed]


class AnyWay(RuleBasedStateMachine):
    """Whatever happens in whatever order, nobody resumes who may not."""

    def __init__(self) -> None:
        super().__init__()
        self.now = STOPPED

    @rule(data=st.data())
    def allowed(self, data: st.DataObject) -> None:
        deed = data.draw(st.sampled_from(self.now.allowed))
        event = data.draw(events(self.now, deed))
        read: Any = TypeAdapter(AnyResumptionEvent).validate_json(event.model_dump_json())
        before, self.now = self.now, self.now.after(event)

        assert self.now == before.after(read)
        assert self.now.state in FLOW[before.state][deed]

    @rule(data=st.data(), deed=st.sampled_from(ResumptionDeed))
    def not_allowed(self, data: st.DataObject, deed: ResumptionDeed) -> None:
        if deed not in self.now.allowed:
            with pytest.raises(EventNotAllowed):
                self.now.after(data.draw(events(self.now, deed)))

    @invariant()
    def nobody_works_with_open_findings(self) -> None:
        if self.now.state in (ResumptionState.READY, ResumptionState.RESUMED):
            assert (True, 0) == (self.now.facts["guided"], self.now.open_findings)

    @invariant()
    def json_round_trip(self) -> None:
        assert self.now == Resumption.model_validate_json(self.now.model_dump_json())


def test_any_way() -> None:
    run_state_machine_as_test(AnyWay, settings=settings(max_examples=40, stateful_step_count=25, deadline=None))
