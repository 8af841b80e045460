"""Two versions of a form, told apart in plain words: what is asked, how it is judged, how it looks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .columns import OF_THE_ROW, Column, FormField
from .spec import Clause, Form, Layout, Rule, Step
from .versions import asked

_OF_THE_FORM: dict[str, tuple[str, dict[str, str]]] = {
    "title": ("标题", {}),
    "status": ("状态", {"draft": "草稿", "test": "试填", "published": "启用"}),
    "period": ("报送周期", {"week": "每周", "month": "每月", "once": "一次"}),
    "numbers": ("数的口径", {"cumulative": "累计", "this-period": "当期"}),
    "opens": ("启用日期", {}),
    "closes": ("停用日期", {}),
    "campaign": ("专项行动", {}),
}
_LISTS = {
    "choices": "可选项", "parts": "应写明的各项", "groups": "上方的标题", "units": "数后的单位", "aliases": "其他写法",
}  # fmt: skip
_LOOKS = {
    "annex": "附件号", "title": "标题的分行", "sheet": "工作表名", "orientation": "纸张方向", "size": "纸张",
    "widths": "列宽", "font_size": "字号", "empty_rows": "空行数", "dots": "省略行",
}  # fmt: skip


_SWITCHES = {
    "required": ("改为必填", "不再必填", False), "total": ("增加合计", "取消合计", None),
    "open": ("可以填写所列以外的", "只能填写所列的", True),
}  # fmt: skip
"""What is said of a switch that is on or off now, and which of the two asks less."""
_PERIODS = ("week", "month", "once")
_SEVERITIES = ("info", "warning", "error")

Tell = Callable[[Any, Any], Iterator[tuple[str, bool]]]
"""Says how two things of one id differ, and whether the second asks less."""


@dataclass(frozen=True, slots=True)
class SpecChange:
    """One difference: `about` form, field, rule, roll-up, text or layout; where, and what was and is now.

    It is `looser` where less is asked or judged than before, or where that cannot be told from the declaration.
    """

    about: str
    where: str
    text: str
    path: str = ""
    looser: bool = False

    def to_json(self) -> dict[str, Any]:
        """The change as JSON."""
        return asdict(self)


def compare_specs(older: Form, newer: Form) -> tuple[SpecChange, ...]:
    """Tell everything in which the newer declaration differs; nothing where they ask and look the same.

    Fields are paired as the newer one's `moved` says where it follows the older, else by their ids.
    """
    return tuple(_Pair(older, newer).all())


class _Pair:
    def __init__(self, older: Form, newer: Form) -> None:
        self.older, self.newer = older, newer
        self.moved = newer.moved if newer.follows == older.version else {}

    def all(self) -> Iterator[SpecChange]:
        yield from self._form()
        yield from self._fields()
        yield from self._clauses()
        yield from self._named("rule", "规则", self.older.rules, self.newer.rules, _rule)
        yield from self._rollup()
        yield from self._texts("text", "说明", self.older.notes, self.newer.notes)
        yield from self._layout()

    def _form(self) -> Iterator[SpecChange]:
        for name, (label, words) in _OF_THE_FORM.items():
            was, now = getattr(self.older, name), getattr(self.newer, name)
            if was != now:
                text = _from_to(words.get(str(was), was), words.get(str(now), now))
                yield SpecChange("form", label, text, name, _is_less(name, was, now))
        for name in _without(self.newer.not_cumulative, self.older.not_cumulative):
            yield SpecChange("form", name, "不再作累计比较", "not_cumulative", looser=True)
        for name in _without((self.moved.get(c, c) for c in self.older.fixed), self.newer.fixed):
            yield SpecChange("form", name, "印好的内容可以改动", "fixed", looser=True)
        yield from self._texts("form", "别名", self.older.aliases, self.newer.aliases)
        if [self.moved.get(k, k) for k in self.older.key] != list(self.newer.key):
            keys = ["、".join(form.label_of(k) for k in form.key) for form in (self.older, self.newer)]
            yield SpecChange("form", "同一行的判断", _from_to(*keys), "key", looser=bool(self.older.key))

    def _fields(self) -> Iterator[SpecChange]:
        before, after = asked(self.older), asked(self.newer)
        taken = set()
        for path in before:
            name = self.moved.get(path, path)
            if name not in after or path in self.newer.dropped:
                yield SpecChange("field", _label(self.older, path), "不再填报", path, looser=True)
                continue
            taken.add(name)
            where = _label(self.newer, name)
            if name != path:
                yield SpecChange("field", where, f"编号由{path}改为{name}，累计比较和汇总按此对照", name)
            yield from self._field(where, _field(self.older, path), _field(self.newer, name), name)
        for name in after:
            if name not in taken:
                yield SpecChange("field", _label(self.newer, name), f"新增，类型为{after[name]}", name)
        order = [p for p in after if p in taken]
        if order != [self.moved.get(p, p) for p in before if self.moved.get(p, p) in taken]:
            yield SpecChange("field", "栏目", "次序有变")

    def _field(self, where: str, was: Any, now: Any, path: str) -> Iterator[SpecChange]:
        for name, label in (("type", "类型"), ("label", "名称"), ("heading", "印刷的标题"), ("unit", "单位")):
            if getattr(was, name, None) != getattr(now, name, None):
                text = f"{label}{_from_to(getattr(was, name, ''), getattr(now, name, ''))}"
                yield SpecChange("field", where, text, path, looser=name == "type")
        for name, (yes, no, weaker) in _SWITCHES.items():
            if getattr(was, name, False) != getattr(now, name, False):
                is_on = bool(getattr(now, name))
                yield SpecChange("field", where, yes if is_on else no, path, looser=is_on == weaker)
        for name, label in _LISTS.items():
            before, after = getattr(was, name, ()), getattr(now, name, ())
            closed = name == "choices" and bool(before) and not getattr(was, "open", False)
            for text in _without(before, after):
                yield SpecChange("field", where, f"{label}删去“{text}”", path, looser=name == "parts")
            for text in _without(after, before):
                yield SpecChange("field", where, f"{label}增加“{text}”", path, looser=closed)
        if getattr(was, "computed", None) != getattr(now, "computed", None):
            yield SpecChange("field", where, "算法有变", path, looser=getattr(was, "computed", None) is not None)

    def _clauses(self) -> Iterator[SpecChange]:
        yield from self._named("clause", "行", self.older.clauses, self.newer.clauses, _clause)
        rows = [[tuple(_in_columns(row, form)) for row in form.rows] for form in (self.older, self.newer)]
        for text in [" ".join(r) for r in rows[0] if r not in rows[1]]:
            yield SpecChange("row", "印好的行", f"删去“{text}”", looser=True)
        for text in [" ".join(r) for r in rows[1] if r not in rows[0]]:
            yield SpecChange("row", "印好的行", f"增加“{text}”")

    def _named(
        self,
        about: str,
        noun: str,
        before: Iterable[Any],
        after: Iterable[Any],
        tell: Tell,
    ) -> Iterator[SpecChange]:
        old, new = {v.id: v for v in before}, {v.id: v for v in after}
        for name, value in old.items():
            where = f"{noun}“{getattr(value, 'label', name)}”"
            if name not in new:
                yield SpecChange(about, where, "删去", name, looser=True)
            else:
                for text, looser in tell(value, new[name]):
                    yield SpecChange(about, where, text, name, looser)
        for name, value in new.items():
            if name not in old:
                yield SpecChange(about, f"{noun}“{getattr(value, 'label', name)}”", f"增加：{_gist(value)}", name)

    def _rollup(self) -> Iterator[SpecChange]:
        for name in {**self.older.rollup, **self.newer.rollup}:
            was, now = self.older.rollup.get(name), self.newer.rollup.get(name)
            where = f"汇总 {name}"
            if was is None or now is None:
                yield SpecChange("rollup", where, "增加" if was is None else "删去", name)
                continue
            for field in Step.model_fields:
                if getattr(was, field) != getattr(now, field):
                    shown = [
                        "、".join(v) if isinstance(v, tuple) else v for v in (getattr(was, field), getattr(now, field))
                    ]
                    yield SpecChange("rollup", where, f"{field} {_from_to(*shown)}", name)

    def _texts(self, about: str, where: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[SpecChange]:
        yield from (SpecChange(about, where, f"删去“{text}”") for text in _without(before, after))
        yield from (SpecChange(about, where, f"增加“{text}”") for text in _without(after, before))

    def _layout(self) -> Iterator[SpecChange]:
        for name in Layout.model_fields:
            was, now = getattr(self.older.layout, name), getattr(self.newer.layout, name)
            if was != now:
                shown = [" / ".join(map(str, v)) if isinstance(v, tuple) else v for v in (was, now)]
                yield SpecChange("layout", "版式", f"{_LOOKS.get(name, name)}{_from_to(*shown)}", name)


def _field(form: Form, path: str) -> FormField | Column | Any:
    for prefix, fields in (("header.", form.header), ("signatures.", form.signatures)):
        if path.startswith(prefix):
            return next(f for f in fields if f.id == path.removeprefix(prefix))
    return form.by_id[path] if form.is_grid else _Asked(form.blanks[path].kind.name, form.label_of(path))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A blank as far as versions are told apart by it."""

    type: str
    label: str


def _label(form: Form, path: str) -> str:
    if path.startswith("signatures."):
        return next(f.label for f in form.signatures if path == f"signatures.{f.id}")
    return form.by_id[path].title if form.is_grid and path in form.by_id else form.label_of(path)


def _clause(was: Clause, now: Clause) -> Iterator[tuple[str, bool]]:
    if was.label != now.label:
        yield f"名称{_from_to(was.label, now.label)}", False
    before, after = ["".join(s.say for s in c.text) for c in (was, now)]
    if before != after:
        yield f"句子{_from_to(before, after)}", False
    if was.remark != now.remark:
        yield f"备注{_from_to(was.remark, now.remark)}", False


def _rule(was: Rule, now: Rule) -> Iterator[tuple[str, bool]]:
    """How a rule differs, and whether it finds less; of a condition that is another that cannot be told."""
    if _asks(was) != _asks(now):
        yield f"应成立的条件{_from_to(_condition(was), _condition(now))}", True
    if was.missing != now.missing:
        words = {"skip": "不判", "zero": "按0算"}
        yield f"空白{_from_to(words[was.missing], words[now.missing])}", now.missing == "skip"
    if (was.severity, was.kind) != (now.severity, now.kind):
        yield f"轻重{_from_to(was.severity or was.kind, now.severity or now.kind)}", _weighs_less(was, now)
    if was.say != now.say:
        yield f"说法{_from_to(was.say, now.say)}", False


def _weighs_less(was: Rule, now: Rule) -> bool:
    """Tell whether a rule's findings weigh less; without a severity of its own it has that of its kind."""
    if now.severity == "error":
        return False
    if was.kind != now.kind or None in (was.severity, now.severity):
        return True
    return _SEVERITIES.index(now.severity) < _SEVERITIES.index(was.severity)


def _asks(rule: Rule) -> tuple[Any, ...]:
    return rule.check, rule.let, rule.over, rule.each, rule.with_


def _condition(rule: Rule) -> str:
    return "；".join((*(f"{name} = {source}" for name, source in rule.let.items()), rule.check))


def _is_less(name: str, was: Any, now: Any) -> bool:
    """Tell whether less is asked of a form where something that it says of itself is another."""
    if name == "period":
        return _PERIODS.index(now) > _PERIODS.index(was)
    if name == "closes":  # the version may be filed longer
        return was is not None and (now is None or now > was)
    return bool((name, was) in (("status", "published"), ("numbers", "cumulative")))


def _without(texts: Iterable[str], others: Iterable[str]) -> list[str]:
    """The texts that are not among the others, in their order."""
    left = set(others)
    return [text for text in texts if text not in left]


def _in_columns(row: Mapping[str, Any], form: Form) -> Iterator[str]:
    """What a printed row says, in the order of the columns, and then of itself."""
    return (str(row[name]) for name in (*form.by_id, *OF_THE_ROW) if name in row)


def _gist(value: Any) -> str:
    return value.say or value.check if isinstance(value, Rule) else "".join(s.say for s in value.text)


def _from_to(was: Any, now: Any) -> str:
    return f"由“{was if was not in (None, '') else '（无）'}”改为“{now if now not in (None, '') else '（无）'}”"
