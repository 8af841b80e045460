"""What pages show of submissions: lines, the paper with its findings at the cells, receipts, the story of a slot."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from gmsafety import Catalog
from gmsafety.exchange.receipts import Receipt, SignedReceipt, timeliness
from gmsafety.forms.spec import Form

from ...captions import duty_of, item_caption, period_caption
from ...directory import Directory
from ...node import Node
from ...planning import NO_DEADLINE, find_item
from ...sheets import Mark, Sheet, marks_of, place_json, sheet_of
from ...tables import AnyRow
from ...templating import beijing
from . import papers
from .artefacts import ALLOWED, NAMES
from .views import DRAFTING, came_first, late_minutes, who_did

_MOST_FINDINGS = 300
_ORDER = {"error": 0, "warning": 1, "info": 2}
_STORY = {
    "drafted": ("存为草稿", ""),
    "redrafted": ("更换了草稿的内容", ""),
    "submitted": ("报送", "ok"),
    "not-taken": ("没有收下", "bad"),
    "accepted": ("接受", "ok"),
    "returned": ("退回", "bad"),
    "reopened": ("撤销接受", "warn"),
    "handed-over": ("随单位交接而来：", ""),
    "withdrawing": ("申请撤回", "warn"),
    "withdrawn": ("撤回", "warn"),
    "kept": ("上级单位的节点没有撤回", ""),
    "received": ("上级节点收到", ""),
    "checked": ("上级节点核对", ""),
    "outdated": ("下级已有更正，标为过时：", "warn"),
    "up-to-date": ("与下级所报又相符，不再过时：", ""),
}
_OUTCOMES = {"accepted": "已接受", "returned": "已退回", "reopened": "已撤销接受", "withdrawn": "已撤回"}


def caption(node: Node, row: Any) -> str:
    """A form and its period: 周调度统计表 第2周（12月27日）."""
    when = period_caption(node.catalog, row.campaign, row.duty, row.period)
    return f"{item_caption(node.catalog, row.campaign, row.item)} {when}"


def line(node: Node, directory: Directory, row: AnyRow) -> dict[str, Any]:
    """A submission as a row of a table."""
    return {
        "uid": row.uid,
        "etag": row.etag,
        "href": f"/submissions/{row.uid}",
        "item": item_caption(node.catalog, row.campaign, row.item),
        "period": period_caption(node.catalog, row.campaign, row.duty, row.period),
        "unit": directory.name(row.unit),
        "revision": row.revision,
        "state": row.state,
        "nil": row.nil,
        "late": late_minutes(came_first(row) if row.received_at else None, row.due_at),
        "received": beijing(row.received_at) if row.received_at else "",
        "errors": sum(f["severity"] == "error" for f in row.findings),
        "warnings": sum(f["severity"] == "warning" for f in row.findings),
        "reason": row.reason or "",
        "outdated": row.outdated,
    }


Told = Iterable[Mapping[str, Any]]


def paper(node: Node, row: AnyRow, findings: Told, said: Told) -> dict[str, Any]:
    """The form as printed with its findings at the cells, numbered as in the list, and what the upper unit said."""
    record = papers.record_in(node, row)
    every = sorted(findings, key=lambda f: _ORDER[f["severity"]])
    told = every[:_MOST_FINDINGS]
    reasons = list(said)
    keep = {str(f["where"]) for f in told if not f.get("file")} | {r["where"] for r in reasons}
    sheet = sheet_of(record, keep=keep) if record is not None else None
    shown, notes = [], []
    for number, finding in enumerate(told, 1):
        place, href = place_json(finding, sheet)
        shown.append({**finding, "place": place, "href": href, "source": source_of(node.catalog, sheet)})
        mark = Mark(str(finding["severity"]), str(number), str(finding["message"]), f"#finding-{number}")
        notes += [] if finding.get("file") else [(str(finding["where"]), finding.get("sheet"), mark)]
    for reason in reasons:
        notes.append((reason["where"], None, Mark("returned", "退", reason["text"], "#returned")))
    marks = marks_of(sheet, notes) if sheet is not None else {}
    return {"sheet": sheet, "marks": marks, "findings": shown, "unlisted": len(every) - len(told)}


def source_of(catalog: Catalog, sheet: Sheet | None) -> str:
    """Where a form is printed: 晋应急发〔2024〕354号 附件1."""
    return form_source(catalog, sheet.form) if sheet is not None else ""


def form_source(catalog: Catalog, form: Form) -> str:
    """The document that a form is an annex of, and which annex."""
    name = form.source.document or ""
    document = catalog.documents.get(name) or catalog.documents.get(f"{form.plugin}.{name}")
    number = (document.number or document.title) if document is not None else ""
    return f"{number} {form.source.clause}".strip()


def reasons_in_words(reasons: Iterable[Mapping[str, str]], sheet: Sheet | None) -> list[dict[str, str]]:
    """Why something was returned: the place in words, the address of its cell, the text."""
    told = []
    for reason in reasons:
        where = reason["where"]
        cell = sheet.find(where) if sheet is not None and where else None
        words = sheet.words(where) if sheet is not None and cell is not None else where
        told.append({"place": words, "href": f"#{cell.anchor}" if cell else "", "text": reason["text"]})
    return told


def receipt_cards(signed: Iterable[str]) -> list[dict[str, Any]]:
    """The receipts of a submission for `ui.receipt`."""
    return [_card(SignedReceipt.from_json(text), number) for number, text in enumerate(signed, 1)]


def _card(signed: SignedReceipt, number: int) -> dict[str, Any]:
    told = signed.receipt
    nil = "（零报告）" if told.nil else ""
    return {
        "kind": told.kind,
        "number": number,
        "title": f"《{told.title}》{told.period}期第{told.revision}版{nil}",
        "sender": told.sender.name,
        "receiver": told.receiver.name,
        "received_at": beijing(told.received_at, "%Y-%m-%d %H:%M:%S"),
        "issued_at": beijing(told.issued_at, "%Y-%m-%d %H:%M:%S"),
        "late": _timeliness(told),
        "outcome": _outcome(told),
        "reasons": [r.model_dump() for r in told.reasons],
        "note": told.note or "",
        "hash": told.payload_hash,
        "key": f"{signed.signature.algorithm} {signed.signature.key_id}",
        "code": signed.code,
        "test": told.test,
    }


def _timeliness(told: Receipt) -> str:
    if told.due_at is None:
        return timeliness(told)
    due = beijing(told.due_at, "%Y-%m-%d %H:%M")
    return f"截止 {due}，{timeliness(told)}"


def _outcome(told: Receipt) -> str:
    if told.findings is not None:
        errors, warnings = told.findings.errors, told.findings.warnings
        return f"错误{errors}处，提醒{warnings}处" if errors or warnings else "没有发现问题"
    return _OUTCOMES.get(told.decision or "", "")


def story(rows: Iterable[AnyRow], directory: Directory, *, own: bool) -> list[dict[str, str]]:
    """What happened in a slot, the newest first; what a unit did with its drafts is told to itself only."""
    told = []
    for row in rows:
        words, tone = _STORY.get(row.kind, (row.kind, ""))
        if not own and row.kind in DRAFTING:
            continue
        said = [row.text or "", *(_reason(r) for r in (row.data or {}).get("reasons", ()))]
        told.append(
            {
                "who": f"{directory.name(row.unit)} {who_did(row)}".strip(),
                "text": f"{words}第{row.revision}版",
                "at": beijing(row.at, "%Y-%m-%d %H:%M:%S"),
                "note": "；".join(t.rstrip("。；") for t in said if t),
                "tone": tone,
            }
        )
    return told[::-1]


def _reason(reason: Mapping[str, str]) -> str:
    return f"{reason['where']}：{reason['text']}" if reason["where"] else str(reason["text"])


def asked(node: Node, slot: AnyRow) -> dict[str, Any]:
    """What a duty asks for, and the words of the notice that ask it."""
    catalog, duty = node.catalog, duty_of(node.catalog, slot.campaign, slot.duty)
    campaign = catalog.campaigns.get(slot.campaign)
    if duty is None or campaign is None:
        return {"campaign": slot.campaign, "quote": "", "reading": "", "document": "", "form": None}
    name = duty.source.document or campaign.document
    document = catalog.documents.get(name) or catalog.documents.get(f"{campaign.plugin}.{name}")
    title = f"《{document.title}》{document.number or ''}" if document is not None else ""
    item = find_item(catalog, slot.campaign, slot.item)
    return {
        "campaign": campaign.title,
        "quote": duty.source.quote or "",
        "reading": duty.source.reading or "",
        "document": f"{title} {duty.source.clause}".strip(),
        "form": catalog.forms.get(item.form) if item is not None else None,
    }


def fields_of(artefacts: Iterable[str], kind: str) -> list[dict[str, Any]]:
    """The fields for files: what each is, whether it must be there, which files it takes."""
    required = ("form",) if kind == "form" else tuple(artefacts)
    optional = ("extra",) if kind == "form" or "scan" in required else ("scan", "extra")
    return [
        {"name": f"file.{a}", "label": NAMES.get(a, a), "required": a in required, "accept": ",".join(ALLOWED[a])}
        for a in (*required, *optional)
    ]


def open_until(due_at: datetime, today: date) -> str:
    """A deadline as short as the day allows: 今日 12:00, 12月27日 12:00; nothing where no notice sets one."""
    if due_at >= NO_DEADLINE:
        return ""
    day = date.fromisoformat(beijing(due_at, "%Y-%m-%d"))
    return (
        f"今日 {beijing(due_at, '%H:%M')}" if day == today else f"{day.month}月{day.day}日 {beijing(due_at, '%H:%M')}"
    )
