"""What verifying a file came to: what it is, facts about it, who signed, what does not hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .auditlog import Span
from .keyring import KeyRing
from .receipts import BEIJING, Signature, Verdict

KINDS = {
    "package": "包文件",
    "receipt": "回执",
    "printed": "打印的回执",
    "stored": "已存答复",
    "refusal": "拒收答复",
    "message": "消息",
    "archive": "归档",
    "log": "审计记录",
    "backup": "备份",
    "database": "数据库",
    "unknown": "认不出的文件",
}


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed, with which key, and what checking it came to."""

    node: str
    key_id: str
    algorithm: str
    verdict: Verdict

    @property
    def words(self) -> str:
        """What checking came to, for people."""
        return {"valid": "有效", "unknown-key": "无法核对", "bad-signature": "不符"}[self.verdict.value]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file stands among others of its node: an archive in their order, its range of the audit log."""

    node: str
    number: int = 0
    hash: str = ""
    previous: str | None = None
    span: Span | None = None
    seen: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """What a file is (a key of `KINDS`), facts about it as label and text, who signed, and what does not hold."""

    file: str
    kind: str
    facts: tuple[tuple[str, str], ...] = ()
    signed: tuple[Signed, ...] = ()
    faults: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    hash: str = ""
    printed: tuple[tuple[str, str], ...] = ()
    place: Place | None = None

    @property
    def holds(self) -> bool:
        """True where nothing is wrong."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """The result for programs."""
        return {
            "file": self.file,
            "kind": self.kind,
            "holds": self.holds,
            "facts": dict(self.facts),
            "signed": [
                {"node": s.node, "key_id": s.key_id, "algorithm": s.algorithm, "verdict": s.verdict.value}
                for s in self.signed
            ],
            "faults": list(self.faults),
            "hash": self.hash or None,
        }


def signatures_in(
    node: str, at: dt.datetime, signatures: Iterable[Signature], verdict: Verdict, ring: KeyRing
) -> tuple[tuple[Signed, ...], tuple[str, ...]]:
    """Who signed, and what is wrong with it in words."""
    given = tuple(signatures)
    signed = tuple(Signed(node, s.key_id, s.algorithm, verdict) for s in given)
    if verdict is Verdict.VALID:
        return signed, ()
    if verdict is Verdict.BAD_SIGNATURE:
        return signed, ("签名不符，可能被改动过",)
    return signed, (f"签名无法核对：{ring.why_not(node, at, given[0])}",)


def clock(moment: dt.datetime) -> str:
    """A moment as people here read it."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
