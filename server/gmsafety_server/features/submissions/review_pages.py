"""The pages of the upper unit: what waits, and what is decided."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from ...errors import Problem
from ...node import Node
from ...scope import Viewer
from ...templating import page
from ...web import Here, posting, visiting
from . import handling, repository, service, showing
from .deciding import Decision
from .onward import Seen, Text, go, sorry
from .schemas import Day, ReasonIn, Word
from .screens import waiting_rows

router = APIRouter(include_in_schema=False)
Looker = Annotated[Viewer, Depends(visiting("submission.decide"))]
Decider = Annotated[Viewer, Depends(posting("submission.decide"))]
Words = Annotated[list[str] | None, Form(max_length=200)]


@router.get("/review")
def waiting_page(
    request: Request, node: Here, viewer: Looker, item: Word = None, period: Day = None, unit: Word = None
) -> Response:
    """What waits for a decision, what came late first."""
    with node.db.read() as tx:
        every = waiting_rows(tx, viewer, {})
        directory = node.directory(tx)
        lines = [{**showing.line(node, directory, r), "ref": r.item, "day": r.period, "by": r.unit} for r in every]
    wanted = {"ref": item, "day": period, "by": unit}
    shown = [line for line in lines if all(v is None or line[k] == v for k, v in wanted.items())]
    options = {
        "items": sorted({(line["ref"], line["item"]) for line in lines}),
        "periods": sorted({line["day"] for line in lines}),
        "units": sorted({(line["by"], line["unit"]) for line in lines}),
    }
    return page(
        request, "submissions/review.html", lines=shown, total=len(lines), options=options,
        filters={"item": item, "period": period, "unit": unit}, back=request.url.query,
    )  # fmt: skip


@router.post("/review/accept")
def accept_many(node: Here, viewer: Decider, chosen: Words = None, back: Text = "") -> Response:
    """Accept those that were ticked, as they were seen; one in which something is found is looked at by itself."""
    done, not_done, here = 0, [], f"/review?{back}" if back else "/review"
    for one in chosen or []:
        uid, _, seen = one.partition(":")
        try:
            with node.db.read() as tx:
                row = service.find(tx, viewer, "submission.decide", uid)
                if service.to_be_answered(row.findings):
                    raise Problem("wrong-state", "有问题，请单独审核")
            version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) <= 9 else 0
            handling.decide(node, viewer, uid, seen=version, decision=Decision("accepted"))
            done += 1
        except Problem as problem:
            not_done.append(problem.detail)
    if not chosen:
        return go(here, "没有选择。", kind="error")
    if not_done:
        return go(
            "/review",
            f"接受了{done}份；{len(not_done)}份没有办成：{'；'.join(dict.fromkeys(not_done))}。",
            kind="warning",
        )
    return go(here, f"接受了{done}份。")


@router.post("/submissions/{uid}/accept")
def accept(uid: str, node: Here, viewer: Decider, seen: Seen, note: Text = "", then: Text = "") -> Response:
    """Accept."""
    return _decided(node, viewer, uid, seen, Decision("accepted", note=note.strip() or None), then)


class ReturnForm(BaseModel):
    """The form with which something is returned: findings that were ticked, own words by place, a note."""

    seen: int = Field(ge=1, le=2**53)
    finding: list[int] = Field(default_factory=list, max_length=2000)
    where: list[str] = Field(default_factory=list, max_length=50)
    text: list[str] = Field(default_factory=list, max_length=50)
    note: str = ""
    then: str = ""

    def reasons(self, findings: list[dict[str, Any]]) -> list[dict[str, str]]:
        """The reasons, in the order of the paper; `findings` as they were numbered on the page."""
        picked = [findings[n - 1] for n in self.finding if 0 < n <= len(findings)]
        told = [{"where": f["place"] if f.get("file") else f["where"], "text": f["message"]} for f in picked]
        own = zip(self.where, self.text, strict=False)
        return told + [{"where": w.strip(), "text": t.strip()} for w, t in own if t.strip()]


@router.post("/submissions/{uid}/return")
def give_back(uid: str, node: Here, viewer: Decider, told: Annotated[ReturnForm, Form()]) -> Response:
    """Return."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.decide", uid)
    findings = showing.paper(node, row, row.findings, ())["findings"]
    try:
        reasons = TypeAdapter(list[ReasonIn]).validate_python(told.reasons(findings))
    except ValidationError:
        return go(f"/submissions/{uid}", "退回的原因太长，或含有不能显示的字符。", kind="error")
    if not reasons and not told.note.strip():
        return go(f"/submissions/{uid}", "退回要写明原因。", kind="error")
    decision = Decision("returned", tuple(r.model_dump() for r in reasons), told.note.strip() or None)
    return _decided(node, viewer, uid, told.seen, decision, told.then)


@router.post("/submissions/{uid}/reopen")
def reopen(uid: str, node: Here, viewer: Decider, seen: Seen, note: Text = "") -> Response:
    """Withdraw an acceptance."""
    if not note.strip():
        return go(f"/submissions/{uid}", "撤销接受要写明原因。", kind="error")
    return _decided(node, viewer, uid, seen, Decision("reopened", note=note.strip()), "")


_DONE: dict[str, str] = {"accepted": "已接受", "returned": "已退回", "reopened": "已撤销接受"}


def _decided(node: Node, viewer: Viewer, uid: str, seen: int, decision: Decision, then: str) -> Response:
    """Decide; then go on with the next one that waits, or stay."""
    here = f"/submissions/{uid}"
    with node.db.read() as tx:
        order = [w.uid for w in waiting_rows(tx, viewer, {})]
    try:
        handling.decide(node, viewer, uid, seen=seen, decision=decision)
    except Problem as problem:
        return _overtaken(node, viewer, uid) or sorry(here, problem)
    told = f"{_DONE[decision.kind]}《{_title(node, viewer, uid)}》。"
    if then != "next":
        return go(here, told)
    at = order.index(uid) if uid in order else 0
    rest: list[Any] = [w for w in (*order[at:], *order[:at]) if w != uid]
    return go(f"/submissions/{rest[0]}", told) if rest else go("/review", f"{told}没有要审的了。")


def _overtaken(node: Node, viewer: Viewer, uid: str) -> Response | None:
    """Where another revision has come in since: say so, and name it."""
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.decide", uid)
        current = repository.by_id(tx, row.current_id)
    if current is None or current.revision <= row.revision:
        return None
    said = f"没有办理：填报单位已报第{current.revision}版，请看新的一版。"
    return go(f"/submissions/{uid}", said, kind="warning", to=f"/submissions/{current.uid}")


def _title(node: Node, viewer: Viewer, uid: str) -> str:
    with node.db.read() as tx:
        row = service.find(tx, viewer, "submission.decide", uid)
        return f"{node.directory(tx).name(row.unit)} {showing.caption(node, row)}"
