"""`gmsafety unit`: units of this installation, and what happens to them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .working import Refused, unit_ref, working

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..node import Node

app = typer.Typer(help="单位：列出、设立、撤销、划转、拆分、合并，分配任务。", no_args_is_help=True)
Unit = Annotated[str, typer.Argument(help="单位的编号、名称或行政区划代码", metavar="UNIT")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="从哪一天起，例如 2025-01-01；默认今天")]
Reason = Annotated[str, typer.Option(help="依据或原因")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只说明会有什么变化，不真正变更")]
Json = Annotated[bool, typer.Option("--json", help="输出JSON（数组）")]
Area = Annotated[str | None, typer.Option(help="行政区划代码；默认同上级")]
Level = Annotated[str | None, typer.Option(help="级别：province、city、county、township；默认同上级")]
Name = Annotated[str | None, typer.Option(help="新单位的名称")]


@app.command("list")
def show_all(
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="哪一天的单位；默认今天")] = None,
    under: Annotated[str | None, typer.Option(help="只列这个单位及其下级")] = None,
    as_json: Json = False,
) -> None:
    """列出单位，逐级排列。"""
    from gmsafety.cli.output import print_json, print_table

    from ..features.units import service
    from ..web import Paging

    on = day.date() if day else None
    with working() as node, node.db.read() as tx:
        asked = {"under": unit_ref(node, tx, under) if under else None}
        found: list[dict[str, Any]] = []
        for page in range(1, 100_000):
            part, total = service.listed(tx, node, None, on, asked, Paging(page=page, size=500))
            found += part
            if len(found) >= total or not part:
                break
    if as_json:
        print_json(found)
        return
    least = min((u["depth"] for u in found), default=0)
    rows = [("　" * (u["depth"] - least) + u["name"], u["ref"], u["level"].chinese, u["role"]) for u in found]
    print_table("单位", ["名称", "编号", "级别", "角色"], rows)


@app.command("show")
def show(unit: Unit, as_json: Json = False) -> None:
    """查看单位：现状、沿革、变更、报送任务。"""
    from gmsafety.cli.output import print_json, print_table

    from ..features.units import service

    with working() as node, node.db.read() as tx:
        told = service.detail(tx, node, None, unit_ref(node, tx, unit))
    if as_json:
        print_json([_plain(told)])
        return
    state = "" if told["is_open"] else "（已撤销或未设立）"
    print(f"{told['name']}{state}　{told['ref']}　{told['area_name']}　{told['level'].chinese}　{told['role']}")
    spells = [(s["since"], s["until"] or "", s["name"], s["parent_name"] or "") for s in told["spells"]]
    print_table("沿革", ["自", "至", "名称", "上级"], spells)
    changes = [(c["day"], c["title"], c["reason"], c["by"]) for c in told["changes"]]
    print_table("变更", ["日期", "变更", "依据", "经手"], changes)
    duties = [(d["title"], d["campaign"], d["since"], d["until"] or "") for d in told["duties"]]
    print_table("报送任务", ["任务", "专项行动", "自", "至"], duties)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _change(as_json: bool, build: Any) -> None:
    """Carry out what `build` makes of the names, and print what became of it."""
    from gmsafety.cli.output import print_json

    from ..features.units.endpoints import apply
    from ..features.units.schemas import CHANGE

    with working() as node:
        with node.db.read() as tx:
            told = build(node, tx)
        told["day"] = told["day"].date() if told["day"] else node.clock.today()
        outcome = apply(node, None, CHANGE.validate_python(told))
    if as_json:
        print_json([_plain(outcome)])
        return
    print("试算，没有变更：" if outcome["dry_run"] else f"已变更（第{outcome['id']}号）：")
    for one in outcome["units"]:
        print(f"  {one['title']}　{one['name']}　{one['ref']}")
    print(f"  {outcome['day']}起：应报项增加{outcome['added']}，减少{outcome['removed']}，改变{outcome['moved']}")
    if outcome["drafts"]:
        print(f"  随之删除草稿{len(outcome['drafts'])}份")
    if outcome["accounts"]:
        print(f"  撤销的单位还有{outcome['accounts']}个账号，请另行安排")


@app.command("open")
def set_up(
    ref: Annotated[str, typer.Argument(help="新单位的编号，例如 jincheng.kfq-office", metavar="REF")],
    name: Annotated[str, typer.Option(help="名称")],
    role: Annotated[str, typer.Option(help="角色，例如 county-office")],
    reason: Reason,
    parent: Annotated[str | None, typer.Option(help="上级单位；不写则为最高一级")] = None,
    area: Area = None,
    level: Level = None,
    alias: Annotated[list[str] | None, typer.Option(help="表上可能写的别名，可写多次")] = None,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """设立单位。"""
    told = {"kind": "open", "ref": ref, "name": name, "role": role, "area": area, "level": level}
    rest = {"aliases": alias or [], "day": day, "reason": reason, "dry_run": dry_run}
    _change(as_json, lambda node, tx: {**told, **rest, "parent": unit_ref(node, tx, parent) if parent else None})


@app.command("close")
def close(unit: Unit, reason: Reason, day: Day = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """撤销单位；还有下级单位的不能撤销。"""
    rest = {"kind": "close", "day": day, "reason": reason, "dry_run": dry_run}
    _change(as_json, lambda node, tx: {**rest, "unit": unit_ref(node, tx, unit)})


@app.command("rename")
def rename(
    unit: Unit,
    name: Annotated[str, typer.Argument(help="新名称", metavar="NAME")],
    reason: Reason,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """更名；旧名称仍作别名。"""
    rest = {"kind": "rename", "name": name, "day": day, "reason": reason, "dry_run": dry_run}
    _change(as_json, lambda node, tx: {**rest, "unit": unit_ref(node, tx, unit)})


@app.command("move")
def move(
    unit: Unit,
    to: Annotated[str, typer.Option(help="新的上级单位")],
    reason: Reason,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """划转单位，连同其全部下级。"""
    rest = {"kind": "move", "day": day, "reason": reason, "dry_run": dry_run}
    _change(as_json, lambda node, tx: {**rest, "unit": unit_ref(node, tx, unit), "to": unit_ref(node, tx, to)})


@app.command("split")
def split(
    unit: Unit,
    into: Annotated[list[str], typer.Option(help="新单位，写作 编号=名称，可写多次")],
    reason: Reason,
    child: Annotated[list[str] | None, typer.Option(help="下级单位的去向，写作 下级=新单位编号，可写多次")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="原单位保留")] = False,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """拆分单位；新单位的上级、级别、角色和任务同原单位。"""
    rest = {"kind": "split", "keep": keep, "day": day, "reason": reason, "dry_run": dry_run}
    successors = dict(_pair("--into", one) for one in into)
    _change(
        as_json,
        lambda node, tx: {
            **rest,
            "unit": unit_ref(node, tx, unit),
            "into": _successors(node, tx, successors, child or []),
        },
    )


def _successors(node: "Node", tx: "Connection", into: dict[str, str], child: list[str]) -> list[dict[str, Any]]:
    below: dict[str, list[str]] = {ref: [] for ref in into}
    for one in child:
        named, ref = _pair("--child", one)
        if ref not in below:
            raise Refused(f"--child {one}：没有新单位“{ref}”")
        below[ref].append(unit_ref(node, tx, named))
    return [{"ref": ref, "name": name, "children": below[ref]} for ref, name in into.items()]


def _pair(option: str, text: str) -> tuple[str, str]:
    first, sign, second = text.partition("=")
    if not sign or not first or not second:
        raise Refused(f"{option} 应写作 甲=乙，不是“{text}”")
    return first, second


@app.command("merge")
def merge(
    units: Annotated[list[str], typer.Argument(help="合并的单位", metavar="UNIT...")],
    into: Annotated[str, typer.Option(help="并入的单位；写了 --name 的，是新单位的编号")],
    reason: Reason,
    name: Name = None,
    area: Area = None,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """合并单位；下级单位随之划转。"""
    rest = {"kind": "merge", "day": day, "reason": reason, "dry_run": dry_run}

    def build(node: "Node", tx: "Connection") -> dict[str, Any]:
        fresh = {"ref": into, "name": name, "area": area}
        target = fresh if name else unit_ref(node, tx, into)
        return {**rest, "units": [unit_ref(node, tx, u) for u in units], "into": target}

    _change(as_json, build)


Campaign = Annotated[str, typer.Argument(help="专项行动，例如 jincheng.gongmao-2024", metavar="CAMPAIGN")]
Duty = Annotated[str, typer.Argument(help="任务，例如 weekly-forms", metavar="DUTY")]


@app.command("assign")
def assign(
    unit: Unit,
    campaign: Campaign,
    duty: Duty,
    reason: Reason,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """分配报送任务。"""
    _duty("assign", (unit, campaign, duty), {"day": day, "reason": reason, "dry_run": dry_run}, as_json)


@app.command("unassign")
def unassign(
    unit: Unit,
    campaign: Campaign,
    duty: Duty,
    reason: Reason,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """取消报送任务。"""
    _duty("unassign", (unit, campaign, duty), {"day": day, "reason": reason, "dry_run": dry_run}, as_json)


def _duty(kind: str, names: tuple[str, str, str], rest: dict[str, Any], as_json: bool) -> None:
    unit, campaign, duty = names
    _change(
        as_json,
        lambda node, tx: {
            **rest,
            "kind": kind,
            "unit": unit_ref(node, tx, unit),
            "campaign": node.catalog.campaign(campaign).ref,
            "duty": duty,
        },
    )
