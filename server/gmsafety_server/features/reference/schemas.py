"""What clients get to look up, and what they send to be looked at."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gmsafety.provenance import Erratum

from ..board.schemas import Flag, Source
from ..submissions.schemas import FindingOut, Name

JsonObject = dict[str, Any]


class PhaseOut(BaseModel):
    """A phase of a campaign."""

    id: str
    title: str
    first: date
    last: date


class CampaignOut(BaseModel):
    """A campaign (专项行动)."""

    ref: str
    title: str
    document: str
    document_title: str | None
    document_number: str | None
    area: str
    first: date
    last: date
    parent: str | None
    phases: list[PhaseOut]
    duties: list[str]
    errata: list[Erratum] = Field(description="原文订正：印作 → 读作 → 理由")


class ItemOut(BaseModel):
    """What is filed for a duty: a form, or a deliverable with its artefacts."""

    item: str
    kind: Literal["form", "deliverable"]
    title: str
    artefacts: list[str]


class OccurrenceOut(BaseModel):
    """One time that a duty is due."""

    period: date
    title: str
    due_at: datetime
    flags: list[Flag]


class DutyOut(BaseModel):
    """A duty of a campaign: who owes what to whom, and when."""

    id: str
    title: str
    from_roles: list[str] = Field(description="报送单位的类别")
    to_roles: list[str] = Field(description="接收单位的类别")
    items: list[ItemOut]
    source: Source
    occurrences: list[OccurrenceOut]


class FormLine(BaseModel):
    """A form in a list."""

    ref: str
    title: str
    version: str
    printed_id: str
    aliases: list[str]
    campaign: str | None
    shape: Literal["grid", "clauses"] = Field(description="grid 逐行填写；clauses 固定行")


class FieldOut(BaseModel):
    """A blank or a column of a form."""

    id: str
    label: str
    type: str
    choices: list[str]


class FormOut(FormLine):
    """A form: its fields, and the declaration as the plugin gives it."""

    fields: list[FieldOut]
    notes: list[str]
    errata: list[Erratum]
    declaration: JsonObject = Field(description="插件里的定义全文：行文、规则、汇总办法、版式")


class KeyOut(BaseModel):
    """A public key that signs receipts here, or did."""

    key_id: str
    algorithm: str
    public_key: str = Field(description="Base64")
    fingerprint: str = Field(description="公钥的 SHA-256，可在电话里核对")


class NodeOut(BaseModel):
    """This installation; nothing here is secret."""

    node: str
    title: str
    version: str
    test: bool = Field(description="true 为测试节点，所出回执不作为正式报送的凭据")
    now: datetime
    keys: list[KeyOut]


class Health(BaseModel):
    """That the server answers, and its database too."""

    status: Literal["ok"] = "ok"


class ProblemTypeOut(BaseModel):
    """A kind of problem."""

    type: str
    code: str
    status: int
    title: str
    remedy: str


class VerifyOut(BaseModel):
    """What checking a receipt came to."""

    verdict: Literal["valid", "unknown-key", "bad-signature"]
    words: str = Field(description="结论，用中文说")
    test: bool = Field(description="测试回执不作为正式报送的凭据")
    code: str = Field(description="验证码")
    hash: str
    receipt: str = Field(description="回执的内容，写成文字")


class CheckIn(BaseModel):
    """A form as JSON, to be looked at and not stored."""

    model_config = ConfigDict(extra="forbid")

    item: Name | None = Field(None, description="表的编号；不写则按内容中的 form", examples=["shanxi.weekly-dispatch"])
    period: date | None = Field(None, description="期次；不写则为今天所在的一期", examples=["2024-12-27"])
    campaign: Name | None = None
    unit: Name | None = Field(None, description="填报单位；不写则为本单位")
    body: JsonObject | None = Field(None, description="表的内容")
    nil: bool = Field(False, description="零报告")


class CheckOut(BaseModel):
    """What was found. Nothing was stored; `refusal` says that it could not be filed as it is."""

    item: str | None = Field(description="认出的表；没有认出为空")
    title: str | None
    campaign: str | None = Field(description="所对应的报送任务；本单位没有这项任务时为空，此时只核对表内")
    period: date | None
    unit: str
    refusal: Literal["unreadable", "wrong-form"] | None
    errors: int
    warnings: int
    findings: list[FindingOut]
    body: JsonObject | None = Field(description="读到的内容")


RECEIPT: Mapping[str, Any] = MappingProxyType(
    {
        "receipt": {
            "protocol": "gmsafety/1",
            "id": "0197a001-6c00-7000-8000-000000000001",
            "kind": "stored",
            "test": False,
            "node": "jincheng",
            "sender": {"unit": "jincheng.zezhou-office", "name": "泽州县应急管理局"},
            "receiver": {"unit": "shanxi.jincheng-office", "name": "晋城市应急管理局"},
            "campaign": "jincheng.gongmao-2024",
            "item": "shanxi.weekly-dispatch",
            "title": "周调度统计表",
            "period": "2024-12-27",
            "revision": 1,
            "submission": "0197a001-6c00-7000-8000-000000000002",
            "message_id": "zezhou-2024-12-27-weekly-1",
            "payload_hash": "50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c",
            "received_at": "2024-12-27T03:58:03Z",
            "due_at": "2024-12-27T04:00:00Z",
            "issued_at": "2024-12-27T03:58:03Z",
            "previous": None,
            "nil": False,
            "findings": None,
            "decision": None,
            "reasons": [],
            "note": None,
        },
        "signature": {
            "algorithm": "Ed25519",
            "key_id": "jincheng-2024-1",
            "value": "lrg4S1oYDOcSpfotMh85RpIt8P1gLnlpcdapxxRvw78lwzWcs5fXMc7ymVNxsJm502LBP9RAydivQ3YjxSSKAA==",
        },
    }
)
"""A receipt as an example; its key is of nobody."""
