"""The public keys of other nodes, as files: anchors that were handed over, keys that a node published."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import GmsafetyError
from .peers import Anchor, PeerKey
from .receipts import Signature
from .signing import PublicKey

_LARGEST = 2**20


class KeysUnreadable(GmsafetyError):
    """A file or folder was given for public keys and holds none."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by node. A key that came without a node may be of any: whoever handed it over vouches for that."""

    pinned: tuple[tuple[str, PeerKey], ...] = ()
    loose: tuple[PublicKey, ...] = ()

    def of(self, node: str, moment: dt.datetime) -> tuple[PublicKey, ...]:
        """The keys of a node that may sign at a moment."""
        return (*(k.key for name, k in self.pinned if name == node and k.signs_at(moment)), *self.loose)

    def ever(self, node: str) -> tuple[PublicKey, ...]:
        """The keys that a node ever had: for what is signed once more by a key in force."""
        return (*(k.key for name, k in self.pinned if name == node), *self.loose)

    def __bool__(self) -> bool:
        return bool(self.pinned or self.loose)

    def why_not(self, node: str, moment: dt.datetime, signature: Signature) -> str:
        """Say in Chinese why there is no key for a signature."""
        named = [(name, k) for name, k in self.pinned if k.key_id == signature.key_id]
        of_node = [k for name, k in named if name == node]
        if any(not k.key.is_known for k in (*of_node, *(PeerKey.of(k, moment) for k in self.loose))):
            return f"本机不能核对算法 {signature.algorithm}"
        if any(k.revoked for k in of_node):
            return f"密钥 {signature.key_id} 已被节点 {node} 作废"
        if of_node:
            return f"密钥 {signature.key_id} 在签名时不在有效期内"
        if named:
            return f"密钥 {signature.key_id} 不是节点 {node} 的，是节点 {named[0][0]} 的"
        return f"没有节点 {node} 的密钥 {signature.key_id}；请用 --keys 给出它的锚文件或公钥"

    @classmethod
    def read(cls, *paths: Path) -> KeyRing:
        """Read files, and every .json file of folders; KeysUnreadable names the first that holds no key."""
        pinned: list[tuple[str, PeerKey]] = []
        loose: list[PublicKey] = []
        for path in paths:
            files = sorted(path.glob("*.json")) if path.is_dir() else [path]
            if not files:
                raise KeysUnreadable(f"文件夹“{path}”里没有公钥（.json）")
            for file in files:
                for found in _keys_in(file):
                    pinned.append(found) if isinstance(found, tuple) else loose.append(found)
        return cls(tuple(pinned), tuple(loose))


def _keys_in(file: Path) -> Iterator[tuple[str, PeerKey] | PublicKey]:
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("过大")
        told = json.loads(file.read_text("utf-8-sig"))
        if isinstance(told, dict) and "peer" in told:
            peer = Anchor.from_json(told).peer
            yield from ((peer.name, key) for key in peer.keys)
            return
        yield from (PublicKey.from_json(_bare(key)) for key in _listed(told))
    except (ValueError, RecursionError) as error:
        raise KeysUnreadable(f"“{file}”不是锚文件，也不是公钥：{error}") from error


def _listed(told: Any) -> list[Any]:
    """One key, a list of keys, or what a server says of itself, with its keys."""
    if isinstance(told, dict) and "keys" in told:
        told = told["keys"]
    keys = told if isinstance(told, list) else [told]
    if not keys:
        raise ValueError("没有公钥")
    return keys


def _bare(key: Any) -> Any:
    """A key without the fingerprint that a server prints beside it; a fingerprint of another key is refused."""
    if not isinstance(key, dict) or "fingerprint" not in key:
        return key
    bare = {name: value for name, value in key.items() if name != "fingerprint"}
    if PublicKey.from_json(bare).fingerprint != key["fingerprint"]:
        raise ValueError("指纹与公钥不符")
    return bare
