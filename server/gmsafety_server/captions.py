"""What pages and file names call a thing that is filed: 周调度统计表, 第2周（12月27日）."""

from datetime import date

from gmsafety import Catalog
from gmsafety.duties import Duty, Recurring

from .planning import find_item


def duty_of(catalog: Catalog, campaign: str, duty: str) -> Duty | None:
    """The duty that asks for something, where its plugin is still installed."""
    owner = catalog.campaigns.get(campaign)
    return next((d for d in owner.duties if d.id == duty), None) if owner else None


def item_caption(catalog: Catalog, campaign: str, ref: str) -> str:
    """The short name of a form or deliverable, as people say it."""
    item = find_item(catalog, campaign, ref)
    if item is None:
        return ref
    form = catalog.forms.get(item.ref)
    return form.aliases[0] if form is not None and form.aliases else item.title


def period_caption(catalog: Catalog, campaign: str, duty: str, period: date) -> str:
    """The period in words: the week of a weekly duty, else the day."""
    day = f"{period.month}月{period.day}日"
    asked = duty_of(catalog, campaign, duty)
    if isinstance(asked, Recurring):
        return f"第{(period - asked.first).days // 7 + 1}周（{day}）"
    return day
