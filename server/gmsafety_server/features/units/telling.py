"""A change in words, before it is made: what was, what will be; and what is wrong with it, at which field."""

from datetime import date

from pydantic import ValidationError
from sqlalchemy import Connection

from gmsafety import Catalog

from ...captions import role_caption
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...planning import find_duty
from .schemas import AnyChange, Assigning, Closing, Merging, Moving, Opening, Renaming, Splitting

Facts = list[tuple[str, str]]
RULES = {
    "day": "请填写日期",
    "reason": "请写明依据或原因，不超过2000字",
    "ref": "只用小写字母、数字、横线，中间可以有一个点，以字母或数字开头，例如 jincheng.kfq-office",
    "name": "请填写名称：不超过120字，不用花括号",
    "role": "请选择角色",
    "level": "请选择级别",
    "area": "行政区划代码是6、9或12位数字，例如 140500",
    "to": "请选择单位",
    "into": "每行一个单位：编号、空格、名称；编号只用小写字母、数字、横线，中间可以有一个点",
    "duty": "请选择任务",
}
"""What a field of the page is to hold."""


def wrong_of(error: ValidationError | Problem) -> dict[str, str]:
    """What is wrong, by field; under "" what belongs to none."""
    if isinstance(error, ValidationError):
        fields = [_field([str(part) for part in e["loc"]]) for e in error.errors()]
        return {f: RULES[f] for f in fields if f in RULES} or {"": "请核对所填的内容"}
    if error.type.slug == "frozen":
        return {"day": error.detail}
    return {e["field"]: e["message"] for e in error.more.get("errors", ())} or {"": error.detail}


def _field(where: list[str]) -> str:
    """The field of the page that a place in a change comes from."""
    if "into" in where:
        return "to" if where[0] == "merge" else "into"
    return {"campaign": "duty"}.get(where[-1], where[-1]) if where else ""


def facts_of(tx: Connection, node: Node, told: AnyChange) -> Facts:
    """What a change changes, as it will stand: old → new, then the day and the reason."""
    directory = node.directories.on(tx, told.day)
    return [*_particulars(directory, node.catalog, told), ("日期", _from(told.day)), ("依据或原因", told.reason)]


def _from(day: date) -> str:
    return f"{day.isoformat()} 起"


def _particulars(directory: Directory, catalog: Catalog, told: AnyChange) -> Facts:
    if isinstance(told, Opening):
        return _opened(directory, told)
    if isinstance(told, Merging):
        into = told.into if isinstance(told.into, str) else told.into.name
        return [("撤销", _named(directory, *told.units)), ("并入", _named(directory, into))]
    unit = ("单位", directory.name(told.unit))
    if isinstance(told, Renaming):
        known = directory.units.get(told.unit)
        before = known.aliases if known else ()
        old = known.name if known else told.unit
        aliases = dict.fromkeys(_written(directory, alias, told.unit) for alias in (*before, old))
        return [("名称", f"{old} → {told.name}"), ("别名", "、".join(aliases))]
    if isinstance(told, Moving):
        known = directory.units.get(told.unit)
        return [unit, ("上级单位", f"{directory.name(known.parent if known else None)} → {directory.name(told.to)}")]
    if isinstance(told, Splitting):
        parts = "、".join(f"{s.name}（{s.ref}）" for s in told.into)
        return [unit, ("拆分为", parts), ("原单位", "保留" if told.keep else "撤销")]
    return [unit] if isinstance(told, Closing) else [unit, _task(catalog, told)]


def _opened(directory: Directory, told: Opening) -> Facts:
    upper = directory.units.get(told.parent or "")
    level = told.level or (upper.level if upper else None)
    code = told.area or (upper.area if upper else "")
    area = directory.catalog.areas.get(code)
    return [
        ("上级单位", directory.name(told.parent)), ("编号", told.ref), ("名称", told.name),
        ("别名", "、".join(told.aliases) or "没有"), ("角色", role_caption(told.role or "")),
        ("级别", level.chinese if level else ""), ("行政区划", f"{area.name if area else ''} {code}".strip()),
    ]  # fmt: skip


def _task(catalog: Catalog, told: Assigning) -> tuple[str, str]:
    found = find_duty(catalog, told.campaign, told.duty)
    title = f"{found[0].title} · {found[1].title}" if found else told.duty
    return ("增加任务" if told.kind == "assign" else "取消任务", title)


def _named(directory: Directory, *refs: str) -> str:
    return "、".join(directory.name(ref) for ref in refs)


def _written(directory: Directory, alias: str, ref: str) -> str:
    unit = directory.units.get(ref)
    area = directory.catalog.areas.get(unit.area) if unit else None
    return alias.replace("{area}", area.name) if area else alias
