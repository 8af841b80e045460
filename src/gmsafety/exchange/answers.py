"""What a node answers on the spot: that it has stored a message, or why it has not; both signed."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from ..provenance import Value
from .canonical import canonical_typed, digest
from .receipts import Signature, Verdict
from .signatures import signature_over, verdict_on
from .signing import PublicKey, SigningKey
from .wire import Count, Line, Moment, Sha256, take


class Stored(Value):
    """A message is stored: committed, and never to be sent again.

    `held` is a message that came before one it follows; it is stored all the same, and taken up after that one.
    """

    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    node: Line
    sender: Line
    message: Line
    message_hash: Sha256
    stored_at: Moment
    held: bool = False


class SignedStored(Value):
    """The answer to a message that was stored; the same bytes whenever the message comes again."""

    stored: Stored
    signature: Signature

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signature with the keys of the node that answered."""
        return verdict_on(self.stored, self.signature, keys)

    def to_bytes(self) -> bytes:
        """The answer as it travels."""
        return canonical_typed(self.model_dump())


class RefusalKind(NamedTuple):
    """Why a message is not stored. `is_final`: sending the same bytes again is of no use."""

    slug: str
    code: str
    status: int
    is_final: bool
    words: str
    remedy: str


_ROWS = (
    ("malformed", "GM-E801", 400, True, "不是一条消息", "请核对发送方的软件版本"),
    ("version", "GM-E802", 400, True, "协议版本不同", "请升级较旧的一方"),
    ("not-for-us", "GM-E803", 421, True, "不是发给本节点的", "请核对收件节点"),
    ("unknown-sender", "GM-E804", 403, True, "不接收", "请与对方管理员核对节点登记"),
    ("bad-signature", "GM-E805", 403, True, "不接收", "请与对方管理员核对密钥"),
    ("payload-differs", "GM-E806", 400, True, "内容与信封不符", "请重新发送原消息"),
    ("other-content", "GM-E807", 409, True, "同一编号的消息内容不同", "请换一个编号；已存的以回执为准"),
    ("broken-chain", "GM-E808", 409, True, "与本节点所存的前一条消息不衔接", "请与对方对账，必要时开始新的通道"),
    ("clock", "GM-E809", 409, False, "发出时间在将来", "请校准两边的时钟"),
    ("too-large", "GM-E810", 413, True, "消息过大", "请减少附件"),
    ("attachments-missing", "GM-E811", 409, False, "附件没有收齐", "请先传送附件"),
    ("attachment-differs", "GM-E812", 400, True, "附件与信封所写的不符", "请重新传送附件"),
    ("busy", "GM-E813", 429, False, "正忙", "请稍后再发"),
    ("looser-definitions", "GM-E814", 422, True, "下发的规定比上级的宽", "请核对下发的规定"),
    ("not-applicable", "GM-E815", 422, True, "不能接收这份内容", "请核对单位、表和期次"),
)
REFUSALS = MappingProxyType({row[0]: RefusalKind(*row) for row in _ROWS})
"""Every reason for which a message is not stored. What a stranger is told gives nothing away."""


class Refusal(Value):
    """A message was not stored, and nothing was changed. `received` is the hash of the bytes that came."""

    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    node: Line
    received: Sha256
    code: Line
    slug: Line
    status: Count
    said: str
    refused_at: Moment
    stored_hash: Sha256 | None = None
    missing: tuple[Sha256, ...] = ()


class SignedRefusal(Value):
    """The answer to a message that was not stored."""

    refusal: Refusal
    signature: Signature

    def verify(self, keys: Iterable[PublicKey]) -> Verdict:
        """Check the signature with the keys of the node that answered."""
        return verdict_on(self.refusal, self.signature, keys)

    def to_bytes(self) -> bytes:
        """The answer as it travels."""
        return canonical_typed(self.model_dump())

    @property
    def kind(self) -> RefusalKind | None:
        """The kind of refusal; None for one that this version does not know."""
        return REFUSALS.get(self.refusal.slug)


def sign_stored(stored: Stored, key: SigningKey) -> SignedStored:
    """Sign with the key of the node that stored the message."""
    return SignedStored(stored=stored, signature=signature_over(stored, key))


def sign_refusal(refusal: Refusal, key: SigningKey) -> SignedRefusal:
    """Sign with the key of the node that refuses."""
    return SignedRefusal(refusal=refusal, signature=signature_over(refusal, key))


def read_answer(content: bytes) -> SignedStored | SignedRefusal:
    """Read what a node answered; Malformed where it is neither. Does not verify."""
    model: Any = SignedRefusal if content.startswith(b'{"refusal"') else SignedStored
    answer: SignedStored | SignedRefusal = take(model, content, noun="答复")
    return answer


def hash_of(content: bytes) -> str:
    """The hash by which a refusal names what came."""
    return digest(content)
