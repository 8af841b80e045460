"""Other nodes and their keys: pinned, rotated, revoked; trusted first by an anchor file handed over by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field

from ..provenance import Value
from .canonical import canonical, digest, plain
from .signing import PublicKey
from .wire import Line, Moment, take


class PeerKey(Value):
    """A key of a node, and until when it signs; a revoked one signs nothing any more, whatever a message says.

    `valid_from` tells people when it came into use. It may sign what was sealed before: a message that waits while its
    key is revoked is signed anew, and clocks are put back.
    """

    key_id: Line
    algorithm: Line
    public_key: Line
    valid_from: Moment
    valid_until: Moment | None = None
    revoked: bool = False

    @property
    def key(self) -> PublicKey:
        """The key itself."""
        return _public_key(self.key_id, self.algorithm, self.public_key)

    def signs_at(self, moment: dt.datetime) -> bool:
        """Tell whether it may sign what was sealed at a moment."""
        return not self.revoked and (self.valid_until is None or moment < self.valid_until)

    @classmethod
    def of(cls, key: PublicKey, valid_from: dt.datetime) -> PeerKey:
        """Pin a key from a moment on."""
        return cls(**key.to_json(), valid_from=valid_from)


@lru_cache(maxsize=8192)
def _public_key(key_id: str, algorithm: str, public_key: str) -> PublicKey:
    return PublicKey.from_json({"key_id": key_id, "algorithm": algorithm, "public_key": public_key})


class Peer(Value):
    """Another node: its name, what it is called, where it is reached, its keys, the units it may speak for.

    `address` is None for one that only calls, or is only reached by stick. `units` are full references; what is below
    them belongs to it, too.
    """

    name: Line
    title: Line
    address: str | None = None
    keys: Annotated[tuple[PeerKey, ...], Field(max_length=32)] = ()
    units: tuple[Line, ...] = ()
    is_open: bool = True

    def keys_at(self, moment: dt.datetime) -> tuple[PublicKey, ...]:
        """The keys that may sign what was sealed at a moment."""
        return tuple(k.key for k in self.keys if k.signs_at(moment))

    @property
    def pinned(self) -> tuple[PublicKey, ...]:
        """The keys that are not revoked, to check what it answers."""
        return tuple(k.key for k in self.keys if not k.revoked)

    def with_keys(self, keys: Iterable[PeerKey]) -> Peer:
        """Pin more keys, handed over by hand or in a message by a pinned one; a known key stays as it is."""
        known = {k.key_id for k in self.keys}
        return self.model_copy(update={"keys": (*self.keys, *(k for k in keys if k.key_id not in known))})

    def without_key(self, key_id: str) -> Peer:
        """Revoke a key: it stays known, and signs nothing any more."""
        keys = tuple(k.model_copy(update={"revoked": True}) if k.key_id == key_id else k for k in self.keys)
        return self.model_copy(update={"keys": keys})


class Anchor(Value):
    """What a node's administrator hands to another by hand: who it is and with which keys it signs."""

    protocol: Literal["gmsafety/1"] = "gmsafety/1"
    peer: Peer
    made_at: Moment

    @property
    def fingerprint(self) -> str:
        """The hash to be compared by telephone, in groups of four."""
        hashed = digest(canonical(self.model_dump()))
        return " ".join(hashed[i : i + 4] for i in range(0, 32, 4))

    def to_json(self) -> dict[str, Any]:
        """The anchor file."""
        shape: dict[str, Any] = plain(self.model_dump())
        return shape

    @classmethod
    def from_json(cls, content: Any) -> Anchor:
        """Take an anchor file; Malformed lists everything that does not fit."""
        anchor = take(cls, content, noun="节点锚文件")
        for key in anchor.peer.keys:
            _ = key.key  # a key that is none is Malformed, too
        return anchor
