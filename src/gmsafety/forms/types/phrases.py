"""Phrases of a hazard ledger: whether rectification is done and since when, and the parts of a measure."""

import re
from dataclasses import dataclass
from datetime import date

from .dates import ANY, Window, find_dates
from .text import fold, is_blank

_NOT_DONE = re.compile(
    r"未整改|未完成(?!复查|验收)|未落实整改|尚未(?:整改|完成(?!复查|验收))|整改中|正在(?:组织)?整改|正整改|(?<!全)部分(?:已|完成)?整改|已(?:完成|整改)[约]?\d+(?:\.\d+)?%|进行中|推进中|限期整改中|已立行立改中"
)
_DONE = re.compile(
    r"已(?:经|全部|按期|如期|按要求|立即)*(?:完成了?整改|整改(?!\d|中|部分|方案|通知)|完成(?!\d)|销号|闭环|办结)|整改(?:已|均已|全部)?(?:完成|完毕|到位|结束|合格)|^(?:完成|已改|改毕|销号)[。.]?$"
)
_LATER = re.compile(r"预计|计划|拟于|力争|前完成|底完成")


@dataclass(frozen=True, slots=True)
class Completion:
    """Whether rectification is done; `day` is the date given, `bad_day` one that does not exist."""

    done: bool
    day: date | None = None
    bad_day: str | None = None


def read_completion(text: object, window: Window = ANY) -> Completion:
    """Read 整改完成情况: done or not, and the completion date (the last one named)."""
    if isinstance(text, date):
        return Completion(True, text)
    if is_blank(text):
        return Completion(False)
    folded = fold(text)
    dates = find_dates(folded, window)
    bare_date = len(dates) == 1 and dates[0][0][1] - dates[0][0][0] >= len(folded) - 1
    done = bare_date or (bool(_DONE.search(folded)) and not _NOT_DONE.search(folded))
    if done and not _is_already(folded):
        done = False
    if not done:
        return Completion(False)
    real = [d for _, d in dates if d]
    bad = next((folded[a:b] for (a, b), d in dates if d is None), None)
    return Completion(True, real[-1] if real else None, None if real else bad)


def _is_already(folded: str) -> bool:
    return not _LATER.search(folded) or "已" in folded


def missing_parts(text: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return which parts a measure (整改措施) does not name; a part is given as 资金|经费|投入.

    A measure written with labels must have a label for each part; a measure in free prose is asked
    only for one of the words.
    """
    folded = fold(text)
    labelled = {p: _label(p).search(folded) for p in parts}
    if sum(m is not None for m in labelled.values()) * 2 > len(parts):
        return tuple(p.split("|")[0] for p, m in labelled.items() if m is None or _is_empty(folded, m.end()))
    return tuple(p.split("|")[0] for p in parts if not any(word in folded for word in p.split("|")))


def _label(part: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:^|[;。,、.)\d\n])(?:[①-⑳]|[一二三四五六七八九十]是)?(?:落实|整改|应急|安全|治理|防控|经费|[(（【\[])*(?:{part})(?:人|单位|部门|要求|来源|安排|保障|落实)?[)）】\]]?"
    )


def _is_empty(folded: str, end: int) -> bool:
    """Tell whether nothing stands between a label and the next stop."""
    rest = folded[end:].lstrip(":;为是")
    return folded[end : end + 1] == ":" and (not rest or folded[end + 1 : end + 2] in ";。")
