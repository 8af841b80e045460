"""`gmsafety order10`: the situations that are a major hazard, to pick and to look up."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import GmsafetyError, UnknownName
from .lists import ToPaper, counted, give_out
from .output import Json

if TYPE_CHECKING:
    from ..codes.order10 import Situation

_NOTES = (
    "短题为自拟，以令文为准。",
    "第十四条：判定标准所列的监测监控、报警、防护等装置失效或者无效的，视为没有。不单独引用，请引所缺装置的条款。",
    "注明“须同时”的，各项都不符合才是重大事故隐患；只有一项的，按一般隐患整改。",
)


class NoSuchSituation(GmsafetyError):
    """A citation of a situation that the order does not have."""

    is_usage = True


def order10(
    words: Annotated[list[str] | None, typer.Argument(help="条款（四（六））或几个词；不写则全部")] = None,
    industry: Annotated[str | None, typer.Option(help="行业或领域：冶金、有限空间……")] = None,
    to: ToPaper = None,
    json: Json = False,
) -> None:
    """查《工贸企业重大事故隐患判定标准》（应急管理部令第10号）的64种情形。"""
    from ..codes.order10 import citations, fields, search, situations
    from ..forms.writing import Listing

    if industry is not None and industry not in fields():
        raise UnknownName("行业或领域", industry, fields())
    asked = " ".join(words or ())
    if wrong := [name for name in citations(asked) if name not in situations()]:
        raise NoSuchSituation(f"应急管理部令第10号没有{'、'.join(wrong)}。")
    found = search(asked, industry)
    rows = tuple((s.citation, s.field, s.title, _together(s)) for s in found)
    header = (("范围", " ".join(w for w in (industry, asked) if w) or "全部"), counted(rows, "种"))
    headings = ("条款", "行业或领域", "情形（短题，自拟）", "须同时")
    listing = Listing("工贸企业重大事故隐患判定标准（应急管理部令第10号）一览表", headings, rows, header, _NOTES)
    give_out(listing, [_as_json(s) for s in found], json=json, to=to)


def _together(situation: "Situation") -> str:
    return "；".join(f"未{part}" for part in situation.parts)


def _as_json(situation: "Situation") -> dict[str, Any]:
    return {
        "citation": situation.citation, "article": situation.article, "item": situation.item,
        "field": situation.field, "title": situation.title, "own_wording": True, "parts": list(situation.parts),
    }  # fmt: skip
