"""Phrases of a hazard ledger: whether rectification is done and since when, and the parts of a measure."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cache

from .dates import ANY, Found, Window, find_dates, loosen
from .text import fold, is_blank

_EMPTY = re.compile(r"[\s,.;:。、/\\()（）\[\]【】*×_—-]")

_NOT_DONE = re.compile(
    r"未整改|未完成(?!复查|验收|销号)|未落实整改|尚未(?:整改|完成(?!复查|验收|销号))|整改中|正在|正整改|进行中|推进中|落实中|"
    r"(?<!全)部分(?:已|完成)?整改|整改(?:了)?一部分|其余|(?:已|完成|整改)[约]?(?!100%)\d+(?:\.\d+)?%|未销号|未改|"
    r"(?:完成|整改)进度[:为达到约]*(?!100%)\d+(?:\.\d+)?(?:%|/\d+(?![/\d]))"
)
_ALREADY = re.compile(
    r"已(?:经|落实|全部|当场|现场|按期|如期|提前|按要求|立即|于.{2,16})*"
    r"(?:完成(?!\d|整改方案)|整改(?!\d|中|一?部分|方案|通知|指令)|改正|改完|改(?=[,;。(]|$)|销号|闭环|办结|验收|复查合格|拆除|消除)"
)
_AT_ONCE = re.compile(
    r"(?:当场|现场|立即|即时)(?:完成)?(?:整改|改正)|立行立改|^√|^是(?:[,;]|$)|100%|(?:验收|复查)合格|通过(?:了)?(?:验收|复查)"
)
_FINISHED = re.compile(r"完成|完毕|到位|整改(?:结束|合格|好|闭环)|销号|闭环|办结|已改")
_LATER = re.compile(r"预计|计划|拟于|力争|确保|将于|底前|日前|月前|限期|期限|时限|延期")
_PLANNED = re.compile(
    r"(?:计划|期限|时限|原定|限期|要求|开始|启动|应于|责令|预计|拟于|力争|确保|发现|检查|延期至?|推迟到?|将于)[^,;。(]{0,6}$"
)
_DONE_BEFORE = re.compile(r"(?:完成|整改|销号|完毕|到位|闭环)(?:时间|日期|于)?[:为是于(,]*$")
_DONE_AFTER = re.compile(r"^[)]?(?:已|全部|均)*(?:完成|整改完|改完|整改到位|整改结束|当场整改|销号)")
_NOT_THIS = re.compile(r"^(?:开始|启动|立案|下达|检查|发现|复查|验收|通过)")
_BEFORE_IT = re.compile(r"^(?:之|以)?前")
_NEAR = 24


@dataclass(frozen=True, slots=True)
class Completion:
    """Whether rectification is done; `day` is the date given, `bad_day` one that does not exist."""

    done: bool
    day: date | None = None
    bad_day: str | None = None


def read_completion(text: object, window: Window = ANY) -> Completion:
    """Read 整改完成情况: done or not, and the completion date."""
    if isinstance(text, date):
        return Completion(True, text)
    if is_blank(text):
        return Completion(False)
    folded = loosen(text).replace("％", "%")
    dates = find_dates(folded, window)
    bare = len(dates) == 1 and not (folded[: dates[0].start] + folded[dates[0].end :]).strip("。.()（）日")
    already = bool(_ALREADY.search(folded))
    fitting = [f for f in dates if not _is_planned(folded, f, already=already)]
    if not bare and not _is_done(folded, dated=bool(fitting)):
        return Completion(False)
    chosen = max(fitting, key=lambda f: _fitness(folded, f), default=None)
    if chosen is None:
        return Completion(True)
    return Completion(True, chosen.day, None if chosen.day else folded[chosen.start : chosen.end])


def _is_done(folded: str, *, dated: bool) -> bool:
    """Judge the words: said to be done already, done on the spot, or finished on a day that is no plan."""
    if _NOT_DONE.search(folded):
        return False
    if _ALREADY.search(folded) or _AT_ONCE.search(folded):
        return True
    return bool(_FINISHED.search(folded)) and (dated or not _LATER.search(folded))


def _is_planned(folded: str, found: Found, *, already: bool) -> bool:
    """Tell whether a date is one by which something should be done; before a day it may be done already, too."""
    before, after = _beside(folded, found)
    return bool(_PLANNED.search(before) or (not already and _BEFORE_IT.search(after)))


def _fitness(folded: str, found: Found) -> int:
    """How well a date fits as the day of completion, judged by the words on its two sides."""
    before, after = _beside(folded, found)
    fitness = 4 * bool(_DONE_BEFORE.search(before)) + 4 * bool(_DONE_AFTER.search(after))
    return fitness - 2 * bool(_NOT_THIS.search(after))


def _beside(folded: str, found: Found) -> tuple[str, str]:
    """The words on the two sides of a date that may say what it is."""
    return folded[max(0, found.start - _NEAR) : found.start], folded[found.end : found.end + _NEAR]


def missing_parts(text: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return which parts a measure (整改措施) does not give; a part is declared as 资金|经费|投入.

    A part is given where its word stands at the beginning of a passage and something follows it. A measure in which
    no part is labelled so is asked only for the words themselves.
    """
    lines = fold(text.replace("\n", ";"))
    labels = _labels(lines, parts)
    given = set()
    for index, label in enumerate(labels):
        end = labels[index + 1].start if index + 1 < len(labels) else len(lines)
        if label.is_said or _says_something(lines[label.end : end]):
            given.add(label.part)
    if len({label.part for label in labels}) * 2 <= len(parts):
        given |= {p for p in parts if any(word in lines for word in p.split("|"))}
    return tuple(p.split("|")[0] for p in parts if p not in given)


_IS_THERE = ("已", "有", "配备")
_NEXT_NUMBER = re.compile(r"(?:[;。,、]+\d+[.、)]?|\d+[.、)]|[;。,、]+[一二三四五六七八九十]+(?:是|、)|[①-⑳])$")
_LINK = re.compile(r"^[为是]")


@dataclass(frozen=True, slots=True)
class _Label:
    """A part's word at the beginning of a passage; `is_said` where the words before it say that there is one."""

    start: int
    end: int
    word: str
    part: str
    is_said: bool


def _labels(lines: str, parts: tuple[str, ...]) -> list[_Label]:
    found = [
        _Label(m.start("label"), m.end(), m["word"], part, any(w in m["before"] for w in _IS_THERE))
        for part in parts
        for m in _label(part).finditer(lines)
    ]
    kept: list[_Label] = []
    for label in sorted(found, key=lambda found: (found.start, -len(found.word))):
        if not kept or label.start >= kept[-1].end:
            kept.append(label)
    return kept


def _says_something(content: str) -> bool:
    """Tell whether anything stands between one label and the next, apart from punctuation and the next number."""
    return bool(_LINK.sub("", _EMPTY.sub("", _NEXT_NUMBER.sub("", content))))


@cache
def _label(part: str) -> re.Pattern[str]:
    """A part's word at the beginning of a passage, with the words that often go with it."""
    before = (
        r"(?:落实|整改|应急|安全|治理|防控|所需|需要|需|完成|明确|制定|已制定|安排|主要|预计|整改的|具体|隐患|"
        r"救援|处置|现场|已|有|配备|拟){0,4}"
    )
    after = r"(?:人员|人|领导|单位|部门|要求|来源|安排|保障|落实|方面|情况|投入)?"
    start = r"(?:^[-=+@•·]?|[;。,、.)\]】\n\d]|[①-⑳]|[一二三四五六七八九十]是|[一二三四五六七八九十]、|(?=[【\[]))"
    return re.compile(rf"{start}(?P<label>[(\[【]?(?P<before>{before})(?P<word>{part}){after})[)\]】]?[:为是]?")
