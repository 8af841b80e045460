"""`gmsafety duties`: what is due when, as a list or as a calendar file."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError
from .output import Json, print_json, print_table
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..duties import Occurrence


class WrongUse(GmsafetyError):
    """Options that do not go together."""

    is_usage = True


def duties(
    campaign: Annotated[str | None, typer.Option(help="专项行动编号；不写则全部")] = None,
    unit: Annotated[str | None, typer.Option(help="单位的编号、名称或行政区划代码")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="从哪一天起")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="到哪一天止（含）")] = None,
    ics: Annotated[bool, typer.Option("--ics", help="输出日历文件（iCalendar）")] = False,
    json: Json = False,
) -> None:
    """列出要报什么、何时截止。"""
    from datetime import date

    if ics and json:
        raise WrongUse("--ics 和 --json 不能同时用，请只写一个。")
    if since and until and since > until:
        raise WrongUse(f"起始日{since:%Y-%m-%d}晚于截止日{until:%Y-%m-%d}。")
    catalog = open_catalog()
    between = (since.date() if since else date.min, until.date() if until else date.max)
    found = catalog.duties(campaign=campaign, unit=unit, between=between)
    if ics:
        sys.stdout.buffer.write(_ics(found, catalog.unit(unit).ref if unit else None))
    elif json:
        print_json([_as_json(o, catalog) for o in found])
    else:
        rows = [
            (o.period, f"{o.due:%m-%d %H:%M}", "、".join(o.duty.from_), _what(o, catalog), _flags(o)) for o in found
        ]
        print_table("要报送的", ["期次", "截止（北京时间）", "谁报", "报什么", "注意"], rows)


def _flags(occurrence: "Occurrence") -> str:
    return "；".join(f.text for f in occurrence.flags)


def _what(occurrence: "Occurrence", catalog: "Catalog") -> str:
    forms = [catalog.form(f).title for f in occurrence.duty.file]
    return "\n".join([*forms, *(d.title for d in occurrence.duty.hand_in)]) or occurrence.duty.do or ""


def _as_json(occurrence: "Occurrence", catalog: "Catalog") -> dict[str, Any]:
    duty = occurrence.duty
    campaign = catalog.campaign(occurrence.campaign)
    return {
        "campaign": campaign.ref,
        "duty": duty.id,
        "title": duty.title,
        "period": occurrence.period.isoformat(),
        "due": occurrence.due.isoformat(),
        "from": list(duty.from_),
        "to": list(duty.to),
        "files": list(duty.file),
        "hand_in": [d.id for d in duty.hand_in],
        "flags": [{"flag": f.slug, "text": f.text} for f in occurrence.flags],
        "source": duty.source.model_copy(update={"document": duty.source.document or campaign.document}),
    }


def _ics(found: list["Occurrence"], unit: str | None) -> bytes:
    from ..ics import IcsEvent, to_ics

    events = [
        IcsEvent(
            uid=f"{o.campaign}.{o.duty.id}-{o.period.isoformat()}-{unit or 'all'}@gmsafety",
            summary=f"报送：{o.duty.title}",
            due=o.due,
            description="\n".join([o.duty.source.quote or "", *(f.text for f in o.flags)]).strip(),
            alarm_minutes=120,
        )
        for o in found
    ]
    return to_ics(events, calendar_name=f"报送期限 {unit or ''}".strip(), now=datetime.now(UTC))
