"""Phrases of a hazard ledger: whether rectification is done and since when, and the parts of a measure."""

import re
from dataclasses import dataclass
from datetime import date

from .dates import ANY, Found, Window, find_dates, loosen
from .text import fold, is_blank

_NOT_DONE = re.compile(
    r"未整改|未完成(?!复查|验收|销号)|未落实整改|尚未(?:整改|完成(?!复查|验收|销号))|整改中|正在|正整改|进行中|推进中|落实中|"
    r"(?<!全)部分(?:已|完成)?整改|其余|(?:已|完成|整改)[约]?(?!100%)\d+(?:\.\d+)?%|未销号|未改"
)
_DONE = re.compile(
    r"完成|已整改(?!\d|中|方案|通知)|整改(?:完毕|到位|结束|合格|好|闭环)|销号|闭环|办结|已(?:经|落实|全部|当场|按期|如期|提前|按要求|立即)*"
    r"(?:整改|改正|改完|改|落实整改|验收|复查合格|拆除|消除)|(?:当场|现场|立即|即时)(?:完成)?(?:整改|改正)|立行立改|(?:验收|复查)(?:合格|通过)|"
    r"通过(?:了)?(?:验收|复查)|100%|全部整改|^是$|^√$|^完成"
)
_LATER = re.compile(r"预计|计划|拟于|力争|(?<!提)前完成|底前|底完成|将于|确保|责令|限期?于?")
_PLANNED = re.compile(r"(?:计划|期限|时限|原定|限期|要求|开始|启动|应于|责令|预计|拟于|发现|检查)[^,;。(]{0,6}$")
_DONE_BEFORE = re.compile(r"(?:完成|整改|销号|完毕|到位|闭环)(?:时间|日期|于)?[:为是于(,]*$")
_DONE_AFTER = re.compile(r"^[)]?(?:已|前?已|全部|均)*(?:完成|整改完|改完|整改到位|整改结束|当场整改|销号)")
_NOT_THIS = re.compile(r"^(?:前|之前|以前)?(?:开始|启动|立案|下达|检查|发现|复查|验收|通过)|^前")


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
    bare_date = len(dates) == 1 and dates[0].end - dates[0].start >= len(folded.strip("。.()")) - 1
    if not bare_date and not _is_done(folded):
        return Completion(False)
    chosen = max(dates, key=lambda f: _fitness(folded, f), default=None)
    if chosen is None:
        return Completion(True)
    return Completion(True, chosen.day, None if chosen.day else folded[chosen.start : chosen.end])


def _is_done(folded: str) -> bool:
    if _NOT_DONE.search(folded) or not _DONE.search(folded):
        return False
    return not _LATER.search(folded) or "已" in folded or bool(re.search(r"(?:整改|完成)完毕|整改完成", folded))


def _fitness(folded: str, found: Found) -> int:
    """How well a date fits as the day of completion, judged by the words on its two sides."""
    before, after = folded[: found.start], folded[found.end :]
    fitness = 0
    fitness += 4 if _DONE_BEFORE.search(before) else 0
    fitness += 4 if _DONE_AFTER.search(after) else 0
    fitness -= 8 if _PLANNED.search(before) else 0
    return fitness - (2 if _NOT_THIS.search(after) else 0)


def missing_parts(text: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return which parts a measure (整改措施) does not give; a part is declared as 资金|经费|投入.

    A part is given where its word stands at the beginning of a passage and something follows it. A measure in which
    no part is labelled so is asked only for the words themselves.
    """
    lines = fold(text.replace("\n", ";"))
    labels = sorted((m.start(1), m.end(), p) for p in parts for m in _label(p).finditer(lines))
    labels = [label for i, label in enumerate(labels) if i == 0 or label[0] >= labels[i - 1][1]]
    given = {p for i, (_, end, p) in enumerate(labels) if _says_something(lines[end : _next(labels, i, lines)])}
    if len({p for _, _, p in labels}) * 2 <= len(parts):
        given |= {p for p in parts if any(word in lines for word in p.split("|"))}
    return tuple(p.split("|")[0] for p in parts if p not in given)


def _next(labels: list[tuple[int, int, str]], index: int, text: str) -> int:
    return labels[index + 1][0] if index + 1 < len(labels) else len(text)


def _says_something(content: str) -> bool:
    bare = re.sub(
        r"[\s,.;:。、()（）\[\]【】*×]|^为|^是|\d+$|^[一二三四五六七八九十]+$|[一二三四五六七八九十]+(?:是)?$",
        "",
        content,
    )
    return bool(bare) and not is_blank(bare)


def _label(part: str) -> re.Pattern[str]:
    """A part's word at the beginning of a passage, with the words that often go with it."""
    before = (
        r"(?:落实|整改|应急|安全|治理|防控|所需|需要|需|投入|完成|明确|制定|已制定|安排|主要|预计|整改的|具体|隐患)*"
    )
    after = r"(?:人员|人|单位|部门|要求|来源|安排|保障|落实|方面|情况)?"
    start = r"(?:^|[;。,、.)\]】\n\d]|[①-⑳]|[一二三四五六七八九十]是|[一二三四五六七八九十]、)"
    return re.compile(rf"{start}([(\[【]?{before}(?:{part}){after})[)\]】]?[:为是]?")
