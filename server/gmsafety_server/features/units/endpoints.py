"""The interface of units for programs."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from gmsafety.codes import Level

from ...node import Node
from ...scope import Viewer
from ...web import Here, Page, paged, problems, signed_in
from . import service
from .schemas import AnyChange, Known, Outcome, UnitDetail, UnitList

router = APIRouter(prefix="/api/v1/units", tags=["单位"])
Reader = Annotated[Viewer, Depends(signed_in("unit.read"))]
Administrator = Annotated[Viewer, Depends(signed_in("unit.change"))]


class Filters:
    """What a list is narrowed to."""

    def __init__(
        self,
        under: Annotated[Known | None, Query(description="只看这个单位及其下级")] = None,
        level: Annotated[Level | None, Query()] = None,
        role: Annotated[Known | None, Query(examples=["county-office"])] = None,
        area: Annotated[Known | None, Query(description="行政区划代码", examples=["140525"])] = None,
        q: Annotated[Known | None, Query(description="名称或编号中的字")] = None,
    ) -> None:
        self.values = {"under": under, "level": level, "role": role, "area": area, "q": q}


@router.get("", response_model=UnitList, responses=problems())
def list_units(
    node: Here, viewer: Reader, paging: Page, filters: Annotated[Filters, Depends()],
    day: Annotated[date | None, Query(description="哪一天的单位；不写则为今天")] = None,
) -> dict[str, Any]:  # fmt: skip
    """看得到的单位：本单位、下级和各级上级，逐级排列。"""
    with node.db.read() as tx:
        items, total = service.listed(tx, node, viewer, day, filters.values, paging)
    return paged(items, total, paging)


@router.get("/{ref}", response_model=UnitDetail, responses=problems("not-found"))
def get_unit(ref: str, node: Here, viewer: Reader) -> dict[str, Any]:
    """一个单位：现状、沿革、变更、报送任务。"""
    with node.db.read() as tx:
        return service.detail(tx, node, viewer, ref)


def apply(node: Node, viewer: Viewer | None, told: AnyChange) -> dict[str, Any]:
    """Carry out a change, or find out what it would do."""
    with node.db.write() as tx, tx.begin_nested() as point:
        outcome = service.change(tx, node, viewer, told)
        if told.dry_run:
            point.rollback()
    return outcome


@router.post(
    "/changes", status_code=201, response_model=Outcome,
    responses={**problems("not-found", "frozen", "wrong-state"), 200: {"model": Outcome, "description": "试算"}},
)  # fmt: skip
def change_units(told: AnyChange, node: Here, viewer: Administrator, response: Response) -> dict[str, Any]:
    """设立、撤销、更名、划转、拆分、合并单位，分配或取消报送任务。

    从所写的那一天起生效，不能早于今天；截止时间已过的应报项不变，以后的随之变化。写 `dry_run` 则只试算（200）。
    """
    outcome = apply(node, viewer, told)
    response.status_code = 200 if told.dry_run else 201
    return outcome
