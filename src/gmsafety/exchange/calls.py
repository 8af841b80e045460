"""Calls that carry no message: asking for new ones, putting a file. A signed call shows who asks, not a session."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable
from typing import Literal

from ..provenance import Value
from .canonical import canonical, digest
from .errors import Malformed
from .receipts import Signature, Verdict
from .signatures import signature_over, verdict_on
from .signing import PublicKey, SigningKey
from .wire import Line, Moment, Sha256, take

HEADER = "Gmsafety-Call"
FRESH = dt.timedelta(minutes=15)
"""How far the time of a call may be from ours, before or after."""
_LONGEST = 4096
NO_BODY = digest(b"")


class Call(Value):
    """What is signed. `target` is path and query as sent; `body_hash` that of the bytes sent along, if only of none."""

    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    id: Line
    caller: Line
    receiver: Line
    method: Literal["GET", "HEAD", "PUT"]
    target: Line
    called_at: Moment
    body_hash: Sha256 = NO_BODY


class SignedCall(Value):
    """A call with the signature of the node that makes it; made by `sign_call` or `read_call`."""

    call: Call
    signature: Signature

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signature with the keys of the caller."""
        return verdict_on(self.call, self.signature, keys)

    def is_fresh(self, now: dt.datetime) -> bool:
        """Tell whether it was made just now: an old one is somebody's copy."""
        return abs(now - self.call.called_at) <= FRESH

    def is_for(self, node: str, method: str, target: str, body_hash: str = NO_BODY) -> bool:
        """Tell whether it is the request that came: to this node, for this, with these bytes."""
        call = self.call
        return (node, method, target, body_hash) == (call.receiver, call.method, call.target, call.body_hash)

    def to_header(self) -> str:
        """The value of the header `Gmsafety-Call`."""
        return base64.urlsafe_b64encode(canonical(self.model_dump())).decode("ascii")


def sign_call(call: Call, key: SigningKey) -> SignedCall:
    """Sign with the key of the node that calls."""
    return SignedCall(call=call, signature=signature_over(call, key))


def read_call(header: str) -> SignedCall:
    """Read the header of a request; Malformed where it is none. Does not verify."""
    try:
        content = base64.b64decode(header, altchars=b"-_", validate=True) if len(header) <= _LONGEST else b""
    except ValueError:
        content = b""
    if not content:
        raise Malformed("请求", ["不是规范的Base64"])
    return take(SignedCall, content, noun="请求")
