"""The pages of units: the tree, one unit with its history, and changes, which are shown before they are made."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from gmsafety.codes import Level

from ...captions import ROLES, role_caption
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...scope import Viewer, above
from ...templating import page, say
from ...web import Here, Paging, posting, visiting
from . import service
from .endpoints import apply
from .schemas import CHANGE, KINDS
from .telling import facts_of, wrong_of

router = APIRouter(prefix="/admin/units", include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("unit.read"))]
Day = Annotated[date | None, BeforeValidator(lambda v: v or None), Query()]
Looker = Annotated[Viewer, Depends(visiting("unit.change"))]
Administrator = Annotated[Viewer, Depends(posting("unit.change"))]
_EVERY = Paging(page=1, size=500)
_NOTHING: Mapping[str, str] = MappingProxyType({})
_ALWAYS = ("day", "reason")
_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "open": (*_ALWAYS, "ref", "name", "role", "level", "area"),
        "rename": (*_ALWAYS, "name"),
        "move": (*_ALWAYS, "to"),
        "merge": (*_ALWAYS, "to"),
        "split": (*_ALWAYS, "into"),
        "assign": (*_ALWAYS, "duty"),
        "unassign": _ALWAYS,
        "close": _ALWAYS,
    }
)
"""The fields of the form of each change, beside which their faults are told."""


class ChangeForm(BaseModel):
    """The form of a change, as a browser sends it; `step` is `preview`, then `do`."""

    kind: str = Field(max_length=20)
    unit: str = Field("", max_length=120)
    day: str = Field("", max_length=20)
    reason: str = Field("", max_length=2000)
    step: str = Field("preview", max_length=10)
    ref: str = Field("", max_length=120)
    name: str = Field("", max_length=120)
    role: str = Field("", max_length=40)
    level: str = Field("", max_length=20)
    area: str = Field("", max_length=12)
    to: str = Field("", max_length=120)
    duty: str = Field("", max_length=250)
    into: str = Field("", max_length=4000)
    keep: bool = False

    def told(self) -> dict[str, Any]:
        """The change that is meant."""
        campaign, _, duty = self.duty.partition("~")
        lines = [line.split(maxsplit=1) for line in self.into.splitlines() if line.strip()]
        parts: dict[str, dict[str, Any]] = {
            "open": {"parent": self.unit, "ref": self.ref, "name": self.name, "role": self.role,
                     "level": self.level or None, "area": self.area or None},
            "close": {"unit": self.unit},
            "rename": {"unit": self.unit, "name": self.name},
            "move": {"unit": self.unit, "to": self.to},
            "merge": {"units": [self.unit], "into": self.to},
            "split": {"unit": self.unit, "keep": self.keep,
                      "into": [{"ref": w[0], "name": w[1] if len(w) > 1 else ""} for w in lines]},
            "assign": {"unit": self.unit, "campaign": campaign, "duty": duty},
            "unassign": {"unit": self.unit, "campaign": campaign, "duty": duty},
        }  # fmt: skip
        common = {"kind": self.kind, "day": self.day, "reason": self.reason, "dry_run": self.step != "do"}
        return {**parts.get(self.kind, {}), **common}


@router.get("")
def list_units(
    request: Request, node: Here, viewer: Looker, day: Day = None,
    number: Annotated[int, Query(alias="page", ge=1, le=1000)] = 1,
) -> Response:  # fmt: skip
    """The units of a day, each followed by those below it."""
    paging = Paging(page=number, size=200)
    with node.db.read() as tx:
        items, total = service.listed(tx, node, viewer, day, {}, paging)
    least = min((u["depth"] for u in items), default=0)
    pager = {
        "number": number,
        "pages": -(-total // 200) or 1,
        "total": total,
        "href": f"?day={day or ''}&page={{page}}",
    }
    return page(
        request, "units/list.html", units=items, least=least, day=day or node.clock.today(), pager=pager,
        role_caption=role_caption,
    )  # fmt: skip


@router.get("/{ref}")
def show_unit(
    ref: str, request: Request, node: Here, viewer: Reader, begin: Annotated[bool, Query(alias="open")] = False
) -> Response:
    """A unit: what it is, was, owes, and what may be done with it; `open` begins with a unit below it."""
    return _unit_page(request, node, viewer, ref, ChangeForm(kind="open" if begin else ""))


def _unit_page(
    request: Request, node: Node, viewer: Viewer, ref: str, asked: ChangeForm, wrong: Mapping[str, str] = _NOTHING
) -> Response:
    """A unit with the forms of its changes; `asked` is the one that was filled in, with what is wrong in it."""
    with node.db.read() as tx:
        told = service.detail(tx, node, viewer, ref)
        directory = node.directory(tx)
        others, _ = service.listed(tx, node, viewer, None, {}, _EVERY)
    path = directory.path(ref)
    owed = {(d["campaign"], d["duty"]) for d in told["duties"] if d["until"] is None}
    every = [(c.ref, d.id, d.title) for c in node.catalog.campaigns.values() for d in c.duties]
    return page(
        request, "units/unit.html", status=422 if wrong else 200, asked=asked, wrong=wrong,
        elsewhere=[said for field, said in wrong.items() if field not in _FIELDS.get(asked.kind, ())],
        unit=told, role=role_caption(told["role"]), names={u["ref"]: u["name"] for u in others},
        roles=_roles(node, directory), levels=[(level.value, level.chinese) for level in Level],
        alters=viewer.may("unit.change", (above(path) or [path])[-1]), opens=viewer.may("unit.change", path),
        assignable=[(f"{c}~{d}", t) for c, d, t in every if (c, d) not in owed], today=node.clock.today(),
        targets=[(u["ref"], u["name"]) for u in others if viewer.may("unit.change", directory.path(u["ref"]))],
    )  # fmt: skip


def _roles(node: Node, directory: Directory) -> list[tuple[str, str]]:
    """The roles that are known: those in words, those of units, those that owe something."""
    owing = {r for c in node.catalog.campaigns.values() for d in c.duties for r in d.from_}
    others = sorted({*owing, *(u.role for u in directory.units.values())} - {*ROLES})
    return [("", "请选择"), *((role, role_caption(role)) for role in (*ROLES, *others))]


@router.post("/changes")
def change_units(request: Request, node: Here, viewer: Administrator, form: Annotated[ChangeForm, Form()]) -> Response:
    """Show what a change would do; then make it."""
    title = KINDS.get(form.kind, form.kind)
    try:
        told = CHANGE.validate_python(form.told())
        outcome = apply(node, viewer, told)
    except (ValidationError, Problem) as error:
        if isinstance(error, Problem) and error.type.slug in ("not-found", "not-allowed"):
            raise
        return _unit_page(request, node, viewer, form.unit, form, wrong_of(error))
    if outcome["dry_run"]:
        with node.db.read() as tx:
            facts = facts_of(tx, node, told)
        return page(request, "units/change.html", form=form, title=title, outcome=outcome, facts=facts)
    response = RedirectResponse(f"/admin/units/{form.unit}", 303)
    say(response, f"{title}已办理，{outcome['day']}起生效。")
    return response
