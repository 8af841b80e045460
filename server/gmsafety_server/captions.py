"""What pages and file names call a thing that is filed: 周调度统计表, 第2周（12月27日）."""

from datetime import date

from gmsafety import Catalog
from gmsafety.duties import Duty, Recurring

from .planning import find_item

ROLES = {
    "province-office": "省级办公室",
    "city-office": "市级办公室",
    "county-office": "县区办公室",
    "town-office": "乡镇办公室",
    "member-department": "成员单位",
}
"""The roles of units in words; a plugin may name others."""


def role_caption(role: str) -> str:
    """The role of a unit, as people say it."""
    return ROLES.get(role, role)


def duty_of(catalog: Catalog, campaign: str, duty: str) -> Duty | None:
    """The duty that asks for something, where its plugin is still installed."""
    owner = catalog.campaigns.get(campaign)
    return next((d for d in owner.duties if d.id == duty), None) if owner else None


def level_caption(catalog: Catalog, campaign: str) -> str:
    """To which level a campaign has things filed, in two characters: 报省, 报市; nothing where it is not known."""
    owner = catalog.campaigns.get(campaign)
    area = catalog.areas.get(owner.area) if owner else None
    return f"报{area.level.chinese[0]}" if area else ""


def item_caption(catalog: Catalog, campaign: str, ref: str) -> str:
    """The short name of a form or deliverable, as people say it."""
    item = find_item(catalog, campaign, ref)
    if item is None:
        return ref
    form = catalog.forms.get(item.form)
    name = form.aliases[0] if form is not None and form.aliases else item.title
    return f"{name}（第{item.number}份）" if item.number else name


def period_caption(catalog: Catalog, campaign: str, duty: str, period: date) -> str:
    """The period in words: the week of a weekly duty, else the day."""
    day = f"{period.month}月{period.day}日"
    asked = duty_of(catalog, campaign, duty)
    if isinstance(asked, Recurring):
        return f"第{(period - asked.first).days // 7 + 1}周（{day}）"
    return day
