"""Broken promises between a program and a server.

GmsafetyError
├── ProblemError   the server refused (RFC 9457): code, remedy, findings
├── Unreachable    no answer came, also not after trying again
└── StrangeAnswer  an answer came that is not of this interface
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import GmsafetyError
from .values import Finding

_OTHER_REQUEST = frozenset((400, 404, 405, 409, 412, 413, 415, 422, 428))
"""The statuses after which another request would do; with all others the server or the account is in the way."""


class ProblemError(GmsafetyError):
    """The server refused a request and stored nothing of it; `code` never changes, `remedy` says what to do.

    `findings` are what is wrong with a form, `fields` what is wrong with the request, `more` all else it said.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.code = str(body.get("code") or "")
        self.slug = str(body.get("type") or "").rpartition("/")[2]
        self.status = int(body.get("status") or 0)
        self.title = str(body.get("title") or "")
        self.detail = str(body.get("detail") or self.title)
        self.remedy = str(body.get("remedy") or "")
        self.findings = tuple(Finding.model_validate(f) for f in body.get("findings") or ())
        self.fields = tuple((str(e.get("field", "")), str(e.get("message", ""))) for e in body.get("errors") or ())
        known = {"code", "type", "status", "title", "detail", "remedy", "findings", "errors", "instance"}
        self.more = {name: value for name, value in body.items() if name not in known}
        self.is_usage = self.status in _OTHER_REQUEST
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        head = self.detail if self.detail == self.title or not self.title else f"{self.title}：{self.detail}"
        yield f"{head}（{self.remedy}）　{self.code}" if self.remedy else f"{head}　{self.code}"
        yield from (f"  {field}：{message}" for field, message in self.fields)
        yield from (f"  {finding}" for finding in self.findings if finding.severity != "info")


class Unreachable(GmsafetyError):
    """No answer came; whether the request arrived is unknown unless it is sent again."""

    def __init__(self, address: str, why: str, *, attempts: int) -> None:
        self.address, self.attempts = address, attempts
        tried = f"（试了{attempts}次）" if attempts > 1 else ""
        super().__init__(f"连不上服务器 {address}{tried}：{why}。请检查网络和地址；报送可以放心重发，不会重复。")


class StrangeAnswer(GmsafetyError):
    """What answered is no gmsafety server, or one of another version."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"{address} 的回答不是本接口的内容：{why}。请核对地址和服务器的版本。")
