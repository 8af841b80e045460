"""`gmsafety duties`: what is due when, as a list, on paper, or as a calendar file."""

import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError
from .lists import Sources, ToPaper, counted, give_out
from .output import Json
from .shelf import open_catalog

if TYPE_CHECKING:
    from ..catalog import Catalog
    from ..duties import Occurrence
    from ..forms.writing import Listing


class WrongUse(GmsafetyError):
    """Options that do not go together."""

    is_usage = True


def duties(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    campaign: Annotated[str | None, typer.Option(help="专项行动编号；不写则全部")] = None,
    unit: Annotated[str | None, typer.Option(help="单位的编号、名称或行政区划代码")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="从哪一天起")] = None,
    until: Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="到哪一天止（含）")] = None,
    ics: Annotated[bool, typer.Option("--ics", help="输出日历文件（iCalendar）")] = False,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """列出要报什么、何时截止。"""
    if ics and (json or to):
        raise WrongUse(f"--ics 和 {'--json' if json else '--to'} 不能同时用，请只写一个。")
    if since and until and since > until:
        raise WrongUse(f"起始日{since:%Y-%m-%d}晚于截止日{until:%Y-%m-%d}。")
    catalog = open_catalog()
    between = (since.date() if since else date.min, until.date() if until else date.max)
    found = catalog.duties(campaign=campaign, unit=unit, between=between)
    if ics:
        sys.stdout.buffer.write(_ics(found, catalog.unit(unit).ref if unit else None))
    else:
        listing = _listing(found, catalog, unit=unit, between=between)
        give_out(listing, [_as_json(o, catalog) for o in found], json=json, to=to)


def _listing(
    found: list["Occurrence"], catalog: "Catalog", *, unit: str | None, between: tuple[date, date]
) -> "Listing":
    from ..forms.writing import Listing

    sources = Sources(catalog)
    rows = tuple(
        (
            o.period, f"{o.due:%m-%d %H:%M}", _titles(o.duty.from_, catalog), _titles(o.duty.to, catalog),
            _what(o, catalog), sources.cite(o.duty.source, catalog.campaign(o.campaign)), _flags(o),
        )
        for o in found
    )  # fmt: skip
    days = "至".join("" if day in (date.min, date.max) else day.isoformat() for day in between)
    header = (
        ("单位", catalog.unit(unit).name if unit else "全部"),
        ("期间", days.strip("至") or "全部"),
        counted(rows),
    )
    headings = ("期次", "截止（北京时间）", "谁报", "报给谁", "报什么", "依据", "注意")
    return Listing("报送任务清单", headings, rows, header, sources.notes)


def _titles(roles: tuple[str, ...], catalog: "Catalog") -> str:
    return "、".join(catalog.role_title(r) for r in roles)


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
