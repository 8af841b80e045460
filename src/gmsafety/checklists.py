"""Checklists: questions in groups, which answer is the bad one, what proves it, and which clause it rests on.

A checklist is printed, filled in and read back as a form; `form` has the groups as they are meant, `as_printed` as the
notice prints them where that differs.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, model_validator

from .codes.order10 import Situation, cited, unknown
from .forms.columns import Column, FormField
from .forms.record import Record
from .forms.spec import Form, Layout
from .forms.types.answers import split_answer
from .provenance import Citation, Erratum, Names, Value

ANSWERS = ("是", "否", "不涉及")


class Item(Value):
    """One question. `bad` is the answer that is a finding; `unclear` where 是 and 否 can both mean it."""

    id: str
    ask: str = Field(description="as printed")
    bad: Literal["yes", "no", "unclear"] = "no"
    proof: str | None = Field(None, description="印证资料, as printed")
    basis: Names = Field((), description="situations of 应急管理部令第10号, marked as our reading")
    parts: Names = Field((), description="which parts it asks after of a situation that needs several things at once")
    several: bool = Field(False, description="several questions in one: 是 or 否 cannot answer them all")
    note: str | None = None

    @property
    def evidence(self) -> tuple[Literal["documents", "site"], ...]:
        """What is looked at: documents (查资料), the site (查现场)."""
        kinds: tuple[tuple[Literal["documents", "site"], str], ...] = (("documents", "查资料"), ("site", "查现场"))
        return tuple(kind for kind, mark in kinds if self.proof and mark in self.proof)

    @property
    def situations(self) -> tuple[Situation, ...]:
        """The situations it may be."""
        return tuple(s for text in self.basis for s in cited(text))

    @model_validator(mode="after")
    def _known_basis(self) -> "Item":
        if wrong := [name for b in self.basis for name in unknown(b)]:
            raise ValueError(f"应急管理部令第10号没有这样的条款：{'、'.join(wrong)}")
        needed = [part for s in self.situations for part in s.parts]
        if needed and not self.parts:
            raise ValueError(f"所引条款须“{'”“'.join(needed)}”各项都不符合，请在 parts 中写明这一项问的是哪些")
        if strange := [part for part in self.parts if part not in needed]:
            raise ValueError(f"所引条款没有“{'”“'.join(strange)}”这样的部分")
        return self


class Group(Value):
    """Questions that belong together; `number` is what the paper prints beside them."""

    title: str
    items: tuple[Item, ...]
    number: int | None = None
    note: str | None = None


class PrintedGroup(Value):
    """A group as the notice prints it: the questions that stand in its row, by id."""

    title: str
    number: int | None = None
    items: Names = ()


class Checklist(Value):
    """A checklist. `columns` are those of the paper; `number`, `group`, `ask` and `proof` hold what is printed."""

    id: str = Field(alias="checklist")
    version: str
    printed_id: str = ""
    title: str
    aliases: Names = ()
    campaign: str | None = None
    source: Citation
    numbered: Literal["group", "item"] = "item"
    judged: bool = Field(True, description="answered 是, 否 or 不涉及; else with free text")
    header: tuple[FormField, ...] = ()
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    printed: tuple[PrintedGroup, ...] = Field((), description="the grouping as printed, where it is not the meant one")
    signatures: tuple[FormField, ...] = ()
    notes: Names = ()
    errata: tuple[Erratum, ...] = ()
    layout: Layout = Layout()
    plugin: str = ""

    @property
    def ref(self) -> str:
        """The full name, `plugin.id`."""
        return f"{self.plugin}.{self.id}" if self.plugin else self.id

    @property
    def items(self) -> tuple[Item, ...]:
        """Every question, in the order meant."""
        return tuple(i for g in self.groups for i in g.items)

    @cached_property
    def by_ask(self) -> dict[str, tuple[tuple[Group, Item], ...]]:
        """Group and question by the printed words; several where groups ask the same."""
        found: dict[str, tuple[tuple[Group, Item], ...]] = {}
        for group in self.groups:
            for item in group.items:
                found[item.ask] = (*found.get(item.ask, ()), (group, item))
        return found

    @model_validator(mode="after")
    def _whole(self) -> "Checklist":
        ids = [i.id for i in self.items]
        twice = {i for i in ids if ids.count(i) > 1}
        if twice:
            raise ValueError(f"检查项的id重复：{'、'.join(sorted(twice))}")
        dealt = [i for g in self.printed for i in g.items]
        if self.printed and sorted(dealt) != sorted(ids):
            wrong = sorted({*dealt} ^ {*ids}) or sorted(i for i in dealt if dealt.count(i) > 1)
            raise ValueError(f"printed 与各组的检查项不一致：{'、'.join(wrong)}")
        for found, unasked in _unnamed(self.items):
            raise ValueError(f"检查表引用{found.citation}，却没有检查项问到“{'”“'.join(unasked)}”")
        return self

    @cached_property
    def form(self) -> Form:
        """The checklist as a form, in the grouping that is meant."""
        return self._form([(g.number, g.title, g.items) for g in self.groups])

    @cached_property
    def as_printed(self) -> Form:
        """The checklist as a form, in the grouping that the notice prints."""
        by_id = {i.id: i for i in self.items}
        groups = [(g.number, g.title, tuple(by_id[i] for i in g.items)) for g in self.printed]
        return self._form(groups) if groups else self.form

    def _form(self, groups: list[tuple[int | None, str, tuple[Item, ...]]]) -> Form:
        printed = [c.id for c in self.columns if c.id in ("number", "group", "ask", "proof")]
        rows, number = list[dict[str, str | int | None]](), 0
        for at, title, items in groups:
            for item in items or (None,):
                number += item is not None
                told = {
                    "number": at if self.numbered == "group" else number, "group": title,
                    "ask": item.ask if item else None, "proof": item.proof if item else None,
                }  # fmt: skip
                rows.append({name: told[name] for name in printed})
        merged = ("number", "group") if self.numbered == "group" else ("group",)
        return Form(
            id=self.id, version=self.version, printed_id=self.printed_id, title=self.title, aliases=self.aliases,
            period="once", campaign=self.campaign, source=self.source, header=self.header, columns=self.columns,
            rows=tuple(rows), fixed=tuple(printed), merged=merged, signatures=self.signatures, notes=self.notes,
            errata=self.errata, layout=self.layout, plugin=self.plugin,
        )  # fmt: skip

    def outcomes(self, record: Record) -> list["Outcome"]:
        """What a filled-in checklist says about each question, in the order of its rows."""
        answer = next((c.id for c in self.columns if c.type == "answer"), None)
        found: list[Outcome] = []
        for row in record.rows:
            alike = self.by_ask.get(str(row.get("ask")), ())
            known = next((k for k in alike if k[0].title == row.get("group")), None) or _first_fresh(alike, found)
            if known is not None:
                word, remark = split_answer(row[answer]) if answer and row.get(answer) else (None, None)
                found.append(Outcome(group=known[0].title, item=known[1], answer=word, remark=remark, row=dict(row)))
        return found

    def majors(self, outcomes: Iterable["Outcome"]) -> tuple[tuple[Situation, tuple[str, ...]], ...]:
        """The situations that the bad answers may be, each with the parts that are still to be shown to be missing."""
        bad = [o.item for o in outcomes if o.is_bad]
        open_ = {s.citation: parts for s, parts in _unnamed(bad)}
        found = {s.citation: s for item in bad for s in item.situations}
        return tuple((s, open_.get(citation, ())) for citation, s in found.items())


def _unnamed(items: Iterable[Item]) -> Iterator[tuple[Situation, tuple[str, ...]]]:
    """Situations of which questions name some parts and not all."""
    named: dict[str, tuple[Situation, set[str]]] = {}
    for item in items:
        for found in item.situations:
            named.setdefault(found.citation, (found, set()))[1].update(item.parts)
    for found, parts in named.values():
        if missing := tuple(part for part in found.parts if part not in parts):
            yield found, missing


class Outcome(Value):
    """The answer to one question."""

    group: str
    item: Item
    answer: str | None
    remark: str | None = None
    row: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_bad(self) -> bool | None:
        """True for a finding, False for none (also 不涉及); None where nothing, or nothing clear, was answered."""
        if self.answer == "不涉及":
            return False
        if self.answer is None or self.item.bad == "unclear":
            return None
        return self.answer == ("是" if self.item.bad == "yes" else "否")


def _first_fresh(alike: tuple[tuple[Group, Item], ...], found: list[Outcome]) -> tuple[Group, Item] | None:
    """Of questions that read alike the first that has no answer yet; else the first."""
    answered = {f.item.id for f in found} if len(alike) > 1 else ()
    return next((k for k in alike if k[1].id not in answered), alike[0] if alike else None)
