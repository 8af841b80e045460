"""How large, how deep and how costly a snapshot may be: it comes from outside, and its expressions are run here."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any

from pydantic import BaseModel

from ..campaigns import Campaign
from ..content import Content
from ..exchange.canonical import canonical
from ..exchange.errors import NotCanonical
from ..forms.spec import Form

MOST_BYTES = 4 * 2**20
_MOST_VALUES = 200_000
_DEEPEST = 30
_LONGEST_TEXT = 20_000
_LONGEST_EXPRESSION = 2_000
_MOST_WORK = 20_000
_MOST_LOOPS = 2
_MOST_OF = {"units": 20_000, "campaigns": 100, "forms": 200, "checklists": 200, "columns": 300, "rows": 5_000}
_YEARS = (2000, 2100)
_LONGEST_SPAN = 10 * 366

Said = tuple[str, str]
"""What is wrong, and what to do."""

_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(")
_WORD = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_PART = re.compile(r"[\w（）、]+(?:\|[\w（）、]+)*")
_BRACES = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*(?::[df])?")


def too_much(snapshot: Mapping[str, Any]) -> Iterator[Said]:
    """What is too large or too deep to be looked at any closer."""
    try:
        size = len(canonical(snapshot))
    except NotCanonical as error:
        yield f"不能写成规范的JSON：{error}", "请改正这一处"
        return
    if size > MOST_BYTES:
        yield f"快照有{size}字节，超过{MOST_BYTES}", "请拆成几个地区"
    for count, (depth, value) in enumerate(_walk(snapshot), 1):
        if depth > _DEEPEST or count > _MOST_VALUES:
            yield f"层次超过{_DEEPEST}或内容超过{_MOST_VALUES}项", "请简化"
            return
        if isinstance(value, str) and len(value) > _LONGEST_TEXT:
            yield f"有一处文字超过{_LONGEST_TEXT}字：{value[:20]}…", "请缩短"
            return


def _walk(value: Any, depth: int = 0) -> Iterator[tuple[int, Any]]:
    waiting = [(depth, value)]
    while waiting:
        at, found = waiting.pop()
        yield at, found
        inner: Iterable[Any] = (
            found.values() if isinstance(found, Mapping) else found if isinstance(found, list) else ()
        )
        waiting += [(at + 1, v) for v in inner]


def out_of_bounds(content: Content) -> Iterator[Said]:
    """What a snapshot that could be read declares beyond what any region needs."""
    for noun in ("units", "campaigns", "forms", "checklists"):
        if len(getattr(content, noun)) > _MOST_OF[noun]:
            yield f"{noun}超过{_MOST_OF[noun]}个", "请拆成几个地区"
    for unit in content.units:
        for alias in unit.aliases:
            if "{" in alias.replace("{area}", "") or "}" in alias.replace("{area}", ""):
                yield f"单位“{unit.id}”的别名“{alias}”：花括号里只能是area", "请改正别名"
    for kind in content.kinds:
        for name in _BRACES.findall(kind.message + kind.remedy):
            if not _NAME.fullmatch(name):
                yield f"发现“{kind.slug}”的句子里有“{{{name}}}”", "花括号里请只写栏目的名称"
    for form in content.forms:
        yield from _form(form)
    for checklist in content.checklists:
        yield from _form(checklist.form)
    for campaign in content.campaigns:
        yield from _campaign(campaign)
    for value in chain(content.documents, content.units, content.forms):
        yield from _dates(value)


def _form(form: Form) -> Iterator[Said]:
    for noun in ("columns", "rows"):
        if len(getattr(form, noun)) > _MOST_OF[noun]:
            yield f"表“{form.id}”的{noun}超过{_MOST_OF[noun]}个", "请拆成几张表"
    sizes = [*form.layout.widths, *(c.width for c in form.columns)]
    if not all(0 < w <= 255 for w in sizes) or not 4 <= form.layout.font_size <= 72:
        yield f"表“{form.id}”的列宽或字号不合理", "列宽应为0至255，字号应为4至72"
    if not 0 <= form.layout.empty_rows <= 1000:
        yield f"表“{form.id}”的空行数{form.layout.empty_rows}不合理", "应为0至1000"
    settings = [f.setting for f in (*form.header, *form.columns, *form.signatures)]
    for part in {p for s in (*settings, *(b.setting for b in form.blanks.values())) for p in s.parts}:
        if not _PART.fullmatch(part):
            yield f"表“{form.id}”的parts“{part}”含有特别的符号", "请只写词，几种说法用|隔开"
    for rule in form.rules:
        for said in too_costly([*rule.let.items(), ("", rule.check)]):
            yield f"表“{form.id}”的规则“{rule.id}”{said}", "请简化规则"


def _campaign(campaign: Campaign) -> Iterator[Said]:
    yield from _dates(campaign)
    checks = [w.check for w in campaign.watches] + [c.check for g in campaign.gates for c in g.conditions]
    for check in checks:
        for said in too_costly([("", check)]):
            yield f"专项行动“{campaign.id}”的条件“{check[:40]}”{said}", "请简化条件"
    spans = [(campaign.first, campaign.last)]
    spans += [(d.first, d.last) for d in campaign.duties if hasattr(d, "first") and hasattr(d, "last")]
    if any((last - first).days > _LONGEST_SPAN for first, last in spans):
        yield f"专项行动“{campaign.id}”或其中的职责长于十年", "请核对起止日期"


def _dates(value: BaseModel) -> Iterator[Said]:
    strange = [d for d in _days(value) if not _YEARS[0] <= d.year <= _YEARS[1]]
    if strange:
        yield f"“{getattr(value, 'id', '')}”的日期{strange[0]}不合理", f"年份应为{_YEARS[0]}至{_YEARS[1]}"


def _days(value: Any) -> Iterator[date]:
    if isinstance(value, date):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _days(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from _days(part)


def too_costly(expressions: list[tuple[str, str]]) -> Iterator[str]:
    """Say where named expressions, each of which may use those before it, could take too long or grow too large.

    What a name stands for counts wherever it is used, so that doubling again and again is seen. `map` would let a
    list grow into a list of lists, and is not taken.
    """
    weights: dict[str, int] = {}
    for name, source in expressions:
        if len(source) > _LONGEST_EXPRESSION:
            yield f"长于{_LONGEST_EXPRESSION}字"
            return
        bare = _QUOTED.sub("''", source)
        if re.search(r"\.\s*map\s*\(", bare):
            yield "用了map"
        if _loops(bare) > _MOST_LOOPS:
            yield f"循环套了{_MOST_LOOPS}层以上"
        weights[name] = len(source) + sum(weights.get(word, 0) for word in _WORD.findall(bare))
        if weights[name] > _MOST_WORK:
            yield "反复引用，展开后过大"
            return


def _loops(source: str) -> int:
    """How many loops stand within each other at most."""
    opened: list[bool] = []
    deepest, starts = 0, {m.end() - 1 for m in _LOOP.finditer(source)}
    for at, sign in enumerate(source):
        if sign == "(":
            opened.append(at in starts)
            deepest = max(deepest, sum(opened))
        elif sign == ")" and opened:
            opened.pop()
    return deepest
