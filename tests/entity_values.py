"""Invented enterprises, hazards, inspections and penalties, for properties."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from gmsafety.codes import Industry, Level, check_digit
from gmsafety.codes.order10 import situations
from gmsafety.enterprises import Enterprise, Figures, Traits
from gmsafety.hazardevents import (
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
from gmsafety.hazards import Acceptance, Grade, Hazard, HazardDeed, HazardEvent, Stage, Suspension
from gmsafety.inspections import Inspection
from gmsafety.penalties import Measure, Penalty, PenaltyKind, Punished
from gmsafety.registers import Register
from strategies import CHINESE

DAYS = st.dates(date(2024, 1, 1), date(2025, 12, 31))
WORDS = st.text(CHINESE + "abC012（）、", min_size=1, max_size=12).map(lambda text: f"第{text}号")
TEXTS = st.lists(WORDS, min_size=1, max_size=3).map("\n".join)
YUAN = st.integers(0, 10**12).map(Decimal)
COUNTS = st.integers(0, 10**6)
FLAGS = st.none() | st.booleans()
SEVERAL = st.lists(WORDS, max_size=3, unique=True).map(tuple)
UNITS = WORDS.map(lambda text: f"{text}局")


def credit_code(number: int, area: str = "140525") -> str:
    """A sound credit code of nobody."""
    first = f"91{area}MA0K{number:05d}"
    return first + check_digit(first)


CODES = st.integers(0, 99999).map(credit_code)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def enterprises(draw: st.DrawFn) -> Enterprise:
    """Enterprises of which more or less is known."""
    traits = {n: draw(FLAGS if "bool" in str(f.annotation) else maybe(COUNTS)) for n, f in Traits.model_fields.items()}
    names = st.sampled_from(["port_zone", "集团", "x.y"])
    return Enterprise(
        credit_code=draw(CODES),
        name=draw(WORDS),
        area=draw(st.sampled_from(["140525", "140500", "140525101", "140525101000"])),
        address=draw(maybe(WORDS)),
        gbt4754=draw(maybe(st.sampled_from(["3110", "C3120", "3311", "1810", "5171", "F52", "3071"]))),
        confirmed_industry=draw(maybe(st.sampled_from(Industry))),
        on_scale_list=draw(FLAGS),
        key_level=draw(maybe(st.sampled_from(Level))),
        figures=Figures(
            year=draw(maybe(st.integers(2000, 2025))),
            staff=draw(maybe(COUNTS)),
            revenue=draw(maybe(YUAN)),
            assets=draw(maybe(YUAN)),
        ),
        traits=Traits(**traits),
        more=draw(st.dictionaries(names, st.booleans() | st.integers(-9, 9) | WORDS | st.just("1"), max_size=3)),
    )


def hazard_events(hazard: Hazard, deed: HazardDeed) -> st.SearchStrategy[HazardEvent]:
    """Events of a kind that are possible for a hazard."""
    last = hazard.steps[-1].on if hazard.steps else hazard.found
    on = st.integers(0, 20).map(lambda days: last + timedelta(days=days))
    limits = st.integers(21, 90).map(lambda days: last + timedelta(days=days))
    later = max(hazard.measure.time_limit or last, last) + timedelta(days=5)
    told: dict[str, Any] = {"on": on, "by": maybe(UNITS), "note": maybe(WORDS)}
    listed = hazard.listing is not None and hazard.listing.is_open
    grades = st.just(Grade.MAJOR) if listed else st.sampled_from(Grade)
    bases = st.lists(st.sampled_from(sorted(situations())), max_size=2, unique=True).map(tuple)
    measures = st.builds(
        Measure,
        responsibility=maybe(WORDS),
        action=maybe(TEXTS),
        funds=maybe(YUAN),
        time_limit=limits,
        contingency=maybe(TEXTS),
    )
    kinds: dict[HazardDeed, st.SearchStrategy[HazardEvent]] = {
        HazardDeed.JUDGE: st.builds(Judged, **told, grade=grades, basis=bases, other_basis=maybe(WORDS)),
        HazardDeed.ORDER: st.builds(Ordered, **told, measure=measures, suspension=maybe(st.sampled_from(Suspension))),
        HazardDeed.EXTEND: st.builds(Extended, **told, time_limit=st.just(later), reason=WORDS),
        HazardDeed.LIST: st.builds(
            Listed, **told, level=st.sampled_from(Level), supervisor=UNITS, due=limits, department=maybe(UNITS)
        ),
        HazardDeed.RECTIFY: st.builds(Rectified, **told, spent=maybe(YUAN)),
        HazardDeed.REINSPECT: st.builds(Reinspected, **told, passed=st.just(False), time_limit=maybe(limits))
        | st.builds(
            Reinspected,
            **told,
            passed=st.just(True),
            acceptance=st.lists(st.sampled_from(Acceptance), unique=True).map(tuple),
        ),
        HazardDeed.DELIST: st.builds(Delisted, **told),
        HazardDeed.CLOSE: st.builds(Closed, **told),
        HazardDeed.REOPEN: st.builds(Reopened, **told, time_limit=limits, reason=WORDS),
    }
    return kinds[deed]


@st.composite
def hazards(draw: st.DrawFn, longest: int = 12) -> Hazard:
    """Hazards somewhere on their way, by any way that is possible."""
    hazard = Hazard(
        id=draw(WORDS),
        enterprise=draw(CODES),
        detail=draw(TEXTS),
        stage=draw(st.sampled_from(Stage)),
        found=draw(DAYS),
        found_by=draw(maybe(UNITS)),
        evidence=draw(maybe(TEXTS)),
    )
    for _ in range(draw(st.integers(0, longest))):
        deed = draw(st.sampled_from(hazard.allowed))
        hazard = hazard.after(draw(hazard_events(hazard, deed)))
    return hazard


@st.composite
def inspections(draw: st.DrawFn) -> Inspection:
    """Inspections, more or less complete."""
    first = draw(DAYS)
    examined = draw(FLAGS)
    return Inspection(
        id=draw(WORDS),
        enterprise=draw(CODES),
        stage=draw(st.sampled_from(Stage)),
        first=first,
        last=draw(maybe(st.integers(0, 9).map(lambda days: first + timedelta(days=days)))),
        inspected_by=draw(UNITS),
        inspectors=draw(SEVERAL),
        experts=draw(maybe(COUNTS)),
        checklists=draw(SEVERAL),
        hazards=draw(SEVERAL),
        inspectors_signed=draw(FLAGS),
        principal_signed=draw(FLAGS),
        principal_examined=examined,
        principal_passed=draw(FLAGS) if examined else None,
        majors_checked=draw(FLAGS),
        unannounced=draw(FLAGS),
        entered=draw(maybe(DAYS)),
        remark=draw(maybe(TEXTS)),
    )


def penalties() -> st.SearchStrategy[Penalty]:
    """Penalties of every kind."""
    return st.builds(
        Penalty,
        id=WORDS,
        enterprise=CODES,
        hazard=maybe(WORDS),
        decided=DAYS,
        by=UNITS,
        kinds=st.lists(st.sampled_from(PenaltyKind), min_size=1, unique=True).map(tuple),
        punished=st.sampled_from(Punished),
        amount=maybe(YUAN),
        number=maybe(WORDS),
        case=maybe(WORDS),
        referred=FLAGS,
        published=FLAGS,
    )


def registers() -> st.SearchStrategy[Register]:
    """Registers in which nothing stands twice."""

    def unique(strategy: st.SearchStrategy[Any], key: str) -> st.SearchStrategy[Any]:
        return st.lists(strategy, max_size=3, unique_by=lambda value: getattr(value, key)).map(tuple)

    return st.builds(
        Register,
        enterprises=unique(enterprises(), "credit_code"),
        hazards=unique(hazards(6), "id"),
        inspections=unique(inspections(), "id"),
        penalties=unique(penalties(), "id"),
    )
