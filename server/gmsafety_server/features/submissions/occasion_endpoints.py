"""The interface to what is filed upon an event: what may be filed, and how it begins."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ...scope import Viewer
from ...web import Here, problems, signed_in
from . import beginning, repository
from .schemas import Name

router = APIRouter(prefix="/api/v1/occasions", tags=["报送"])
Reader = Annotated[Viewer, Depends(signed_in("submission.read"))]
Filer = Annotated[Viewer, Depends(signed_in("submission.file"))]


class AddresseeOut(BaseModel):
    """To whom it goes."""

    unit: str
    unit_name: str
    decides: bool = Field(description="由它接受或退回；其余的只收件")


class OccasionOut(BaseModel):
    """Something that the unit may file when something happens."""

    item: str = Field(examples=["shanxi.gongmao-2024/hand-over/shanxi.inspection-findings"])
    title: str
    campaign: str
    duty: str
    duty_title: str
    on: str = Field(description="随什么报")
    to: list[AddresseeOut]


class BeginIn(BaseModel):
    """It is begun."""

    model_config = ConfigDict(extra="forbid")

    item: Name = Field(examples=["shanxi.gongmao-2024/hand-over/shanxi.inspection-findings"])
    day: date | None = Field(None, description="哪一天的；不写则为今天", examples=["2025-03-12"])
    prefilled: bool = Field(False, description="由收到的清单填好各行，存为草稿")


class BegunOut(BaseModel):
    """What it is called from now on, when it is filed."""

    slot: int
    item: str
    campaign: str
    period: date
    draft: str | None = Field(description="填好的草稿")


@router.get("", response_model=list[OccasionOut], responses=problems())
def list_occasions(node: Here, viewer: Reader) -> list[dict[str, Any]]:
    """本单位随事报送的项目：报给谁，谁审核。"""
    with node.db.read() as tx:
        every = beginning.matters(tx, node, viewer)
    return [
        {
            "item": one.name, "title": one.item.title, "campaign": one.campaign.ref, "duty": one.duty.id,
            "duty_title": one.duty.title, "on": getattr(one.duty, "on", None) or "",
            "to": [
                {"unit": a.unit.ref, "unit_name": a.unit.name, "decides": a.decides} for a in one.addressees
            ],
        }
        for matter in every
        for one in matter.may_file
    ]  # fmt: skip


@router.post("", status_code=201, response_model=BegunOut, responses=problems("not-owed", "too-early"))
def begin(told: BeginIn, node: Here, viewer: Filer) -> dict[str, Any]:
    """开始一份随事报送：得到它的编号，照此报送。"""
    number, draft = beginning.start(node, viewer, told.item, told.day, prefilled=told.prefilled)
    with node.db.read() as tx:
        slot = repository.slot(tx, number)
    assert slot is not None
    return {"slot": number, "item": slot.item, "campaign": slot.campaign, "period": slot.period, "draft": draft}
