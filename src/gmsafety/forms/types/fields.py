"""The field types: one small class each, saying how a value is read, written, and carried as JSON."""

import re
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from ...findings import Severity
from .dates import ANY, Window, chinese_date, parse_date
from .numbers import WAN, as_count, as_money, as_ratio, parse_number, plain
from .phrases import missing_parts, read_completion
from .problem import BLANK, Parsed, Trouble
from .text import LONGEST_CELL, fold, is_blank, shorten, squash, ticked

_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})


_AROUND_CHOICE = re.compile(r"^(?:[(]?\d[.、)]|[☑√✓■●])|(?<![。.;,、])[。.;,、]+$")
_ALTOGETHER = re.compile(r"^(?:共计?|总计|合计):?(?=[\d零一二两三四五六七八九十])")
_FILLER = frozenset("*x_/-—市县区")
_LEAD_IN = re.compile(r"^(?:截至|截止)?(?:目前|本周|当前|今日)(?:为止)?[,:]?")
_BETWEEN = re.compile(r"[,、/;]|(?<=[县市区旗])(?:以及|和|及|与)(?=.{2,}?[县市区旗])")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field of a form adds to its type: choices, parts of a measure, units, the window for dates."""

    choices: tuple[str, ...] = ()
    open: bool = False
    parts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    window: Window = ANY
    in_sentence: bool = False

    def within(self, window: Window) -> "Setting":
        """Return the same setting with another window for dates."""
        return replace(self, window=window)


class FieldType:
    """Text: kept as typed, trimmed. The other types narrow this one."""

    name: ClassVar[str] = "text"
    numeric: ClassVar[bool] = False
    derived: ClassVar[tuple[str, ...]] = ()

    def read(self, raw: object, setting: Setting) -> Parsed:
        """Understand what stands in a cell or blank."""
        if raw is None:
            return BLANK
        if isinstance(raw, str):
            if len(raw) > LONGEST_CELL:
                return Parsed(None, Trouble("cell-too-long", {"length": len(raw)}))
            if raw in _ERRORS:
                return Parsed(None, Trouble("error-value", {"text": raw}))
            if is_blank(raw) and not (self.numeric and setting.in_sentence):
                return BLANK
        return self._read(raw, setting)

    def _read(self, raw: object, setting: Setting) -> Parsed:
        return Parsed(as_text(raw) or None)

    def show(self, value: Any) -> str:
        """Write a value in the words of the paper."""
        return "" if value is None else str(value)

    def to_json(self, value: Any) -> Any:
        """Carry a value as canonical JSON."""
        return value

    def from_json(self, value: Any) -> Any:
        """Take a value from canonical JSON; ValueError where it is no such value."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if not isinstance(value, str):
            raise ValueError(f"应为文字，现为{value!r}")
        return squash(value) or None

    def to_printed(self, value: Any) -> Any:
        """Carry a value as it stands on paper (money in 万元)."""
        return self.to_json(value)

    def from_printed(self, value: Any) -> Any:
        """Take a value from a printed view."""
        return self.from_json(value)

    def to_rule(self, value: Any) -> Any:
        """Give a value to a rule: numbers as numbers, dates as ISO text."""
        return self.to_json(value)

    def derive(self, value: Any, setting: Setting) -> dict[str, Any]:
        """Give what follows from a value, under the names in `derived`."""
        return {}

    def check(self, value: Any, setting: Setting) -> tuple[Trouble, ...]:
        """Say what is wrong with a value that was understood."""
        return ()


class Narrative(FieldType):
    """A few sentences about this period."""

    name = "narrative"


class Name(FieldType):
    """A name inside a sentence: white space does not belong to it."""

    name = "name"

    def _read(self, raw: object, setting: Setting) -> Parsed:
        text = _LEAD_IN.sub("", fold(squash(raw)).strip("_*,;:。、"))
        return Parsed(None if is_blank(text) or set(text.lower()) <= _FILLER else text)


class Names(FieldType):
    """Several names joined by 、."""

    name = "names"

    def _read(self, raw: object, setting: Setting) -> Parsed:
        names = [n.strip("_*") for n in _BETWEEN.split(fold(squash(raw)))]
        kept = tuple(n for n in names if n and not is_blank(n) and set(n.lower()) - _FILLER)
        return Parsed(kept or None)

    def show(self, value: Any) -> str:
        return "、".join(value or ())

    def to_json(self, value: Any) -> Any:
        return list(value) if value else None

    def from_json(self, value: Any) -> Any:
        if not value:
            return None
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"应为名称的列表，现为{value!r}")
        return tuple(said for n in value if n and (said := squash(n))) or None


class Count(FieldType):
    """A whole number, not below zero."""

    name = "count"
    numeric = True

    def _read(self, raw: object, setting: Setting) -> Parsed:
        if isinstance(raw, str) and not setting.in_sentence:
            raw = _ALTOGETHER.sub("", fold(raw))
        return as_count(parse_number(raw, units=setting.units, words=setting.in_sentence))

    def from_json(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or value != int(value):
            raise ValueError(f"应为整数，现为{value!r}")
        return int(value)


class Serial(Count):
    """序号: the running number of a row; kept as typed where it is no number."""

    name = "serial"

    def _read(self, raw: object, setting: Setting) -> Parsed:
        if isinstance(raw, float) and raw >= 0 and raw.is_integer():
            return Parsed(int(raw))
        value, trouble = as_count(parse_number(raw))
        return Parsed(squash(raw)) if trouble else Parsed(value)

    def from_json(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else super().from_json(value)


class Money(FieldType):
    """Money: 万元 on paper, yuan as a Decimal inside, whole yuan in JSON and rules."""

    name = "money"
    numeric = True

    def _read(self, raw: object, setting: Setting) -> Parsed:
        if isinstance(raw, str) and not setting.in_sentence and re.search(r"(?<!万)元$", fold(raw)):
            value, trouble = parse_number(raw, units=("元",))
            return Parsed(value, trouble) if trouble or value is None else as_money(Parsed(value / WAN))
        return as_money(parse_number(raw, units=setting.units or ("万元",), words=setting.in_sentence))

    def show(self, value: Any) -> str:
        return "" if value is None else plain(value / WAN)

    def to_json(self, value: Any) -> Any:
        if value is None:
            return None
        return int(value) if value == value.to_integral_value() else float(value)

    def from_json(self, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            raise ValueError(f"应为金额，现为{value!r}")
        return Decimal(str(value))

    def to_printed(self, value: Any) -> Any:
        if value is None:
            return None
        wan = value / WAN
        return int(wan) if wan == wan.to_integral_value() else float(wan)

    def from_printed(self, value: Any) -> Any:
        yuan = self.from_json(value)
        return None if yuan is None else _whole(yuan * WAN)


class Ratio(FieldType):
    """A part of a whole: 85.7% on paper, 0.857 as a Decimal inside, and as text in JSON."""

    name = "ratio"
    numeric = True

    def _read(self, raw: object, setting: Setting) -> Parsed:
        return as_ratio(raw)

    def show(self, value: Any) -> str:
        return "" if value is None else f"{plain(value * 100)}%"

    def to_json(self, value: Any) -> Any:
        return None if value is None else plain(value)

    def from_json(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            ratio = Decimal(str(value))
        except InvalidOperation:
            ratio = Decimal(-1)
        if isinstance(value, bool) or not ratio.is_finite() or ratio < 0:
            raise ValueError(f'应为比率（"0.857"），现为{value!r}')
        return ratio

    def to_rule(self, value: Any) -> Any:
        return None if value is None else float(value)

    def to_printed(self, value: Any) -> Any:
        return None if value is None else self.show(value)

    def from_printed(self, value: Any) -> Any:
        return None if value is None else as_ratio(value).value


class Date(FieldType):
    """A day."""

    name = "date"

    def read(self, raw: object, setting: Setting) -> Parsed:
        if isinstance(raw, str) and (len(raw) > LONGEST_CELL or raw in _ERRORS):
            return super().read(raw, setting)
        return parse_date(raw, setting.window)

    def show(self, value: Any) -> str:
        return "" if value is None else chinese_date(value)

    def to_json(self, value: Any) -> Any:
        return None if value is None else value.isoformat()

    def from_json(self, value: Any) -> Any:
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"应为日期（2024-12-20），现为{value!r}") from error


class Choice(FieldType):
    """One of a list."""

    name = "choice"

    def _read(self, raw: object, setting: Setting) -> Parsed:
        folded = _AROUND_CHOICE.sub("", fold(ticked(str(raw)) or raw))
        for choice in setting.choices:
            if folded == fold(choice):
                return Parsed(choice)
        if not squash(raw):
            return BLANK
        said: dict[str, Any] = {"text": shorten(raw), "choices": "、".join(setting.choices)}
        return Parsed(squash(raw), Trouble("not-in-list", said | ({"severity": Severity.INFO} if setting.open else {})))


class Measure(FieldType):
    """A rectification measure (整改措施), which must name its parts; which parts, each form says."""

    name = "measure"

    def check(self, value: Any, setting: Setting) -> tuple[Trouble, ...]:
        missing = missing_parts(value, setting.parts) if value else ()
        words = "、".join(p.split("|")[0] for p in setting.parts)
        return (Trouble("missing-measure-part", {"missing": "、".join(missing), "parts": words}),) if missing else ()


class CompletionText(FieldType):
    """整改完成情况: free text that says whether it is done and when."""

    name = "completion"
    derived = ("done", "done_date")

    def _read(self, raw: object, setting: Setting) -> Parsed:
        return Parsed(chinese_date(raw) if isinstance(raw, date) else as_text(raw) or None)

    def derive(self, value: Any, setting: Setting) -> dict[str, Any]:
        state = read_completion(value, setting.window)
        return {"done": state.done, "done_date": state.day}

    def check(self, value: Any, setting: Setting) -> tuple[Trouble, ...]:
        state = read_completion(value, setting.window)
        if state.bad_day:
            return (Trouble("impossible-date", {"text": state.bad_day}),)
        return (Trouble("missing-completion-date", {}),) if state.done and state.day is None else ()


def as_text(raw: object) -> str:
    """Write what stands in a cell as text: whole numbers without a point, days in words."""
    if raw is None:
        return ""
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() else repr(raw)
    return chinese_date(raw) if isinstance(raw, date) else squash(raw)


def _whole(yuan: Decimal) -> Decimal:
    return yuan.to_integral_value() if yuan == yuan.to_integral_value() else yuan
