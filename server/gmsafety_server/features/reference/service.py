"""The catalog as clients look it up."""

import tempfile
from pathlib import Path
from typing import Any, Literal

from gmsafety import Catalog
from gmsafety.campaigns import Campaign
from gmsafety.errors import UnknownName
from gmsafety.forms.schema import json_schema
from gmsafety.forms.spec import Form
from gmsafety.forms.writing import Issue, blank

from ...captions import period_caption
from ...errors import PROBLEMS, Problem, ProblemType
from ...planning import items_of
from ..board.owing import source_of
from ..board.schemas import Flag
from .schemas import (
    CampaignOut,
    DutyOut,
    FieldOut,
    FormLine,
    FormOut,
    ItemOut,
    OccurrenceOut,
    PhaseOut,
    ProblemTypeOut,
)

Suffix = Literal["xlsx", "docx"]


def find_form(catalog: Catalog, ref: str) -> Form:
    """A form by its full or short name."""
    try:
        return catalog.form(ref)
    except UnknownName as error:
        raise Problem("not-found", "没有这张表") from error


def campaigns(catalog: Catalog) -> list[CampaignOut]:
    """Every campaign of every plugin."""
    return [_campaign(catalog, c) for c in catalog.campaigns.values()]


def _campaign(catalog: Catalog, campaign: Campaign) -> CampaignOut:
    name = campaign.document
    document = catalog.documents.get(name) or catalog.documents.get(f"{campaign.plugin}.{name}")
    return CampaignOut(
        ref=campaign.ref, title=campaign.title, document=name, document_title=document.title if document else None,
        document_number=document.number if document else None, area=campaign.area, first=campaign.first,
        last=campaign.last, parent=campaign.parent, duties=[d.id for d in campaign.duties],
        phases=[PhaseOut(id=p.id, title=p.title, first=p.first, last=p.last) for p in campaign.phases],
        errata=list(campaign.errata),
    )  # fmt: skip


def duties(catalog: Catalog, ref: str) -> list[DutyOut]:
    """The duties of a campaign, with every day that they are due."""
    try:
        campaign = catalog.campaign(ref)
    except UnknownName as error:
        raise Problem("not-found", "没有这个专项行动") from error
    return [
        DutyOut(
            id=duty.id, title=duty.title, from_roles=list(duty.from_), to_roles=list(duty.to),
            items=[
                ItemOut.model_validate(
                    {"item": i.ref, "kind": i.kind, "title": i.title, "artefacts": list(i.artefacts)}
                )
                for i in items_of(catalog, campaign, duty)
            ],
            source=source_of(catalog, campaign, duty),
            occurrences=[
                OccurrenceOut(
                    period=o.period, title=period_caption(catalog, campaign.ref, duty.id, o.period), due_at=o.due,
                    flags=[Flag(flag=f.slug, text=f.text) for f in o.flags],
                )
                for o in duty.occurrences(catalog.calendar)
            ],
        )
        for duty in campaign.duties
    ]  # fmt: skip


def forms(catalog: Catalog) -> list[FormLine]:
    """Every form of every plugin."""
    return [FormLine(**_line(f)) for f in catalog.forms.values()]


def _line(form: Form) -> dict[str, Any]:
    return {
        "ref": form.ref, "title": form.title, "version": form.version, "printed_id": form.printed_id or form.id,
        "aliases": list(form.aliases), "campaign": form.campaign, "shape": "grid" if form.is_grid else "clauses",
    }  # fmt: skip


def form_out(form: Form) -> FormOut:
    """A form with its declaration."""
    declaration = form.model_dump(mode="json", by_alias=True, exclude_none=True)
    return FormOut(
        **_line(form), fields=_fields(form), notes=list(form.notes), errata=list(form.errata), declaration=declaration
    )


def _fields(form: Form) -> list[FieldOut]:
    if form.is_grid:
        return [FieldOut(id=c.id, label=c.label, type=c.type, choices=list(c.choices)) for c in form.columns]
    return [
        FieldOut(id=path, label=form.label_of(path), type=b.kind.name, choices=[]) for path, b in form.blanks.items()
    ]


def schema(form: Form) -> dict[str, Any]:
    """The JSON Schema of a form."""
    return json_schema(form)


def blank_file(form: Form, suffix: Suffix, issue: Issue | None = None) -> tuple[str, bytes]:
    """The blank form, word for word as printed, or made for a unit and a period: name and bytes."""
    with tempfile.TemporaryDirectory() as folder:
        content = blank(form, Path(folder) / f"blank.{suffix}", issue=issue).read_bytes()
    return f"{form.title}（空白）.{suffix}", content


def problem_types() -> list[ProblemTypeOut]:
    """Every kind of problem."""
    return [problem_out(t) for t in PROBLEMS.values()]


def find_problem(slug: str) -> ProblemType:
    """A kind of problem by the end of its address."""
    if slug not in PROBLEMS:
        raise Problem("not-found")
    return PROBLEMS[slug]


def problem_out(kind: ProblemType) -> ProblemTypeOut:
    """A kind of problem as it is told."""
    return ProblemTypeOut(
        type=f"/problems/{kind.slug}", code=kind.code, status=kind.status, title=kind.title, remedy=kind.remedy
    )
