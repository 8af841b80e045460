"""All that a region declares as one object of canonical JSON, with the keys of its YAML; and back again.

Data travels, never code: a value of a class of the plugin's own has no snapshot.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel

from ..codes import Area, AreaTable, Level
from ..content import Content, Gathered
from ..errors import ContentError, Problem
from ..exchange.canonical import canonical, digest
from ..exchange.errors import NotCanonical
from ..findings import Kind
from ..yamlfile import YamlFile
from .bounds import too_much

_NOUNS = ("documents", "units", "campaigns", "findings", "actors", "layouts")
_KEYS = frozenset(("title", "areas", "forms", "checklists", *_NOUNS))
_PLACE = "快照"
_WORD = re.compile(r"[A-Za-z_]\w*")


def snapshot_of(content: Content) -> dict[str, Any]:
    """Write what a region declares as data; ContentError names what cannot travel."""
    if problems := [_cannot(content.plugin, name, text) for name, text in _of_its_own(content)]:
        raise ContentError(problems)
    told = written(content)
    try:
        again = content_of(content.plugin, told)
    except NotCanonical as error:
        raise ContentError([_cannot(content.plugin, "", str(error))]) from error
    if lost := [n for n in _PARTS if getattr(again, n) != getattr(content, n)]:
        raise ContentError([_cannot(content.plugin, n, "写成快照再读回来不一样") for n in lost])
    return told


def written(content: Content) -> dict[str, Any]:
    """What a region declares as data, whether or not it can be read back."""
    told: dict[str, Any] = {"title": content.title}
    told |= {n: [_plain(v) for v in getattr(content, n)] for n in _NOUNS if n != "findings"}
    told |= {n: [_plain(v) for v in getattr(content, n)] for n in ("forms", "checklists")}
    told["findings"] = [_kind(k) for k in content.kinds]
    told["areas"] = [{**asdict(a), "level": a.level.value} for a in content.areas]
    return {name: value for name, value in told.items() if value}


_PARTS = (
    "plugin", "title", "documents", "areas", "units", "campaigns", "forms", "checklists", "actors", "layouts", "kinds",
)  # fmt: skip


def hash_of(snapshot: Mapping[str, Any]) -> str:
    """What names a snapshot: the hash of its canonical JSON."""
    return digest(canonical(snapshot))


def content_of(region: str, snapshot: Mapping[str, Any]) -> Content:
    """Read a snapshot as the content of a region; ContentError lists everything that is not as it should be."""
    if problems := [Problem(region, _PLACE, 1, *said) for said in too_much(snapshot)]:
        raise ContentError(problems)
    gathered = Gathered(region)
    gathered.problems += [
        Problem(region, _PLACE, 1, f"“{name}”：没有这个键", "请删去") for name in sorted(set(snapshot) - _KEYS)
    ]
    title = snapshot.get("title")
    if not isinstance(title, str) or not title.strip():
        gathered.problems.append(Problem(region, _PLACE, 1, "title：应为文字", "请写上地区的名称"))
    with gathered.problems_kept():
        gathered.areas += _areas(region, snapshot.get("areas", []))
    for file in _files(region, snapshot, gathered):
        with gathered.problems_kept():
            gathered.add(file)
    return gathered.content(str(title))


def _files(region: str, snapshot: Mapping[str, Any], gathered: Gathered) -> Iterator[YamlFile]:
    """The parts of a snapshot as the files that they might have come from."""
    for noun, mark in (("forms", "form"), ("checklists", "checklist")):
        for number, told in enumerate(_list(region, snapshot, noun, gathered), 1):
            if isinstance(told, dict) and mark in told:
                yield YamlFile(f"{_PLACE} {noun}[{number}]", _with_names_in_order(told), {})
            else:
                text = f"{noun}的第{number}项没有写{mark}"
                gathered.problems.append(Problem(region, _PLACE, 1, text, f"请写上{mark}"))
    rest = {n: _list(region, snapshot, n, gathered) for n in _NOUNS if n in snapshot}
    yield YamlFile(_PLACE, rest, {})


def _with_names_in_order(told: dict[str, Any]) -> dict[str, Any]:
    """The form, in whose rules a name comes after those that it is made of: objects of JSON have no order."""
    rules = told.get("rules")
    if not isinstance(rules, list):
        return told
    ordered = [{**r, "let": _in_order(r["let"])} if isinstance(r, dict) and _is_let(r) else r for r in rules]
    return {**told, "rules": ordered}


def _is_let(rule: Mapping[str, Any]) -> bool:
    let = rule.get("let")
    return isinstance(let, dict) and all(isinstance(source, str) for source in let.values())


def _in_order(let: Mapping[str, str]) -> dict[str, str]:
    waiting, ordered = dict(let), dict[str, str]()
    while waiting:
        free = [n for n, source in waiting.items() if not (set(_WORD.findall(source)) & set(waiting)) - {n}]
        for name in free or list(waiting):
            ordered[name] = waiting.pop(name)
    return ordered


def _list(region: str, snapshot: Mapping[str, Any], noun: str, gathered: Gathered) -> list[Any]:
    told = snapshot.get(noun, [])
    if isinstance(told, list):
        return told
    gathered.problems.append(Problem(region, _PLACE, 1, f"{noun}：应为列表", "请改正这一处"))
    return []


def _areas(region: str, told: Any) -> list[Area]:
    try:
        areas = [Area(a["code"], a["name"], a["parent"], Level(a["level"])) for a in told]
        if not all(isinstance(v, str) for a in areas for v in (a.code, a.name, a.parent or "")):
            raise TypeError("应为文字")
        if strange := [k for a in told for k in a if k not in ("code", "name", "parent", "level")]:
            raise KeyError(strange[0])
        AreaTable.national().with_areas(areas)
    except (TypeError, KeyError, ValueError) as error:
        problem = Problem(region, _PLACE, 1, f"areas：行政区划不对：{error}", "请核对代码、名称、上级和级别")
        raise ContentError([problem]) from error
    return areas


def _kind(kind: Kind) -> dict[str, Any]:
    told = {name: getattr(kind, name) for name in ("slug", "code", "title", "message", "remedy")}
    return {**told, "severity": kind.severity.value}


def _plain(value: Any) -> Any:
    """A declared value as its author would have written it: only what was written, under the keys of the YAML."""
    told = value.model_dump(by_alias=True, exclude_unset=True, exclude={"plugin"})
    return _json(told)


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_json(v) for v in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    return str(value) if isinstance(value, Decimal) else value


def _of_its_own(content: Content) -> Iterator[tuple[str, str]]:
    """Everything whose class is not one of the core's: what it does in Python would be lost."""
    if type(content) is not Content:
        yield "content", f"{type(content).__name__}是插件自己的类"
    for noun in _PARTS[2:]:
        for value in getattr(content, noun):
            for strange in _classes(value):
                yield noun, f"“{getattr(value, 'id', getattr(value, 'slug', ''))}”中的{strange.__name__}是插件自己的类"


def _classes(value: Any) -> Iterator[type]:
    if isinstance(value, BaseModel | Kind | Area):
        if not type(value).__module__.startswith("gmsafety."):
            yield type(value)
        fields = type(value).model_fields if isinstance(value, BaseModel) else ()
        for name in fields:
            yield from _classes(getattr(value, name))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _classes(part)
    elif isinstance(value, Mapping):
        yield from _classes(list(value.values()))


def _cannot(region: str, name: str, text: str) -> Problem:
    return Problem(region, name or _PLACE, 1, f"不能随快照下发：{text}", "请改为只用数据声明，或在下级安装插件")
