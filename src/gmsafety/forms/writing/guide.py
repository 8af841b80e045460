"""How to fill a form in (填表说明): made from its notes, its fields and its rules, in plain Chinese."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..columns import Column, FormField
from ..marks import GUIDE_END, GUIDE_TITLE
from ..spec import Clause, Form, Rule

_HOW = {
    "text": "文字",
    "narrative": "几句话，写本期的情况",
    "name": "名称",
    "names": "名称，几个之间用“、”隔开",
    "count": "整数，没有就填0；不清楚的不要估填",
    "serial": "序号，从1起按顺序",
    "money": "万元，可有小数",
    "ratio": "百分数，如85.7%",
    "date": "日期，如2024年12月20日",
    "measure": "整改措施",
    "completion": "整改完成情况；已完成的写明完成时间",
    "answer": "先写是或否，需要说明的写在括号里",
}
_ONLY_BLANKS = "只在空格处填写，不要改动印好的句子。"
_SAME = "同上"
_BRACES = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Advice:
    """One line of the guide: of what it speaks, and what it says; a line that says nothing is a heading."""

    about: str
    says: str = ""


def guide(form: Form) -> tuple[Advice, ...]:
    """The guide to a form, line by line, between its title and its last line."""
    return (Advice(GUIDE_TITLE), *_general(form), *_fields(form), *_rules(form), Advice(GUIDE_END))


def _general(form: Form) -> Iterator[Advice]:
    yield Advice("一、怎样使用")
    yield Advice("填写", "只填空白的格子；标题、栏目名称和说明请不要改动（在Excel中已锁定）。行高、列宽可以调整。")
    if form.is_grid and not form.fixed:
        yield Advice("加行", "行数不够时，在最后一个空行之上插入行。")
    yield Advice("没有内容", "确无内容的，写“无”或“零报告”；不要留空，也不要把不清楚的填成0。")
    if form.numbers == "cumulative":
        yield Advice("累计", "本表的数是累计数，不应比上期少；上期已报的如附在批注里或已填在表里，供对照。")
    for note in form.notes:
        yield Advice("表上的说明", note)


def _fields(form: Form) -> Iterator[Advice]:
    yield Advice("二、各栏怎样填")
    for field in (*form.header, *form.signatures):
        yield Advice(field.label, _how(field))
    if form.is_grid:
        for column in form.columns:
            yield Advice(column.title, _of_column(form, column))
    else:
        for clause in form.clauses:
            yield Advice(clause.label, _of_clause(clause, form))


def _how(field: FormField) -> str:
    if field.choices:
        return f"从这几项中选一项：{'、'.join(field.choices)}"
    parts = f"，须写明{'、'.join(p.split('|')[0] for p in field.parts)}" if field.parts else ""
    units = f"（单位可写可不写：{'、'.join(field.units)}）" if field.units else ""
    return f"{_HOW.get(field.type, '文字')}{parts}{units}"


def _of_column(form: Form, column: Column) -> str:
    if column.id in form.fixed:
        return "已印好，不要改动"
    if column.computed:
        return "由其他各栏算出，可以不填"
    needed = "必填；" if column.required else ""
    unit = f"，单位：{column.unit}" if column.unit else ""
    return f"{needed}{_how(column)}{unit}"


def _of_clause(clause: Clause, form: Form) -> str:
    names: dict[str, list[str]] = {}
    for blank in clause.blanks:
        told = names.setdefault(_HOW.get(blank.kind.name, "文字"), [])
        if form.label_of(blank.path) not in told:
            told.append(form.label_of(blank.path))
    if list(names.values()) == [[clause.label]]:
        return f"{next(iter(names))}。{_ONLY_BLANKS}"
    return "".join(f"{'、'.join(of)}：{how}。" for how, of in names.items()) + _ONLY_BLANKS


def _rules(form: Form) -> Iterator[Advice]:
    said = list(dict.fromkeys(text for rule in form.rules if (text := _of_rule(rule))))
    if said:
        yield Advice("三、报送时核对")
    for number, text in enumerate(said, 1):
        yield Advice(f"第{number}项", text)


def _of_rule(rule: Rule) -> str:
    """What a rule demands: as the notice says it, else as we read it, else what must not be found."""
    source = rule.source
    if source and source.quote:
        return f"{source.quote}（{source.clause}）"
    if source and source.reading and source.reading != _SAME:
        return source.reading
    return f"不应出现：{_BRACES.sub('…', rule.say)}" if rule.say else ""
