"""What the entries of an archive say, and whether they fit each other: submissions, receipts, files, messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from .answers import SignedStored, read_answer
from .archive import Counts
from .canonical import canonical, digest
from .envelope import Message, opened
from .errors import Malformed, NotCanonical
from .receipts import SignedReceipt, Verdict
from .signing import PublicKey

KeysOf = Callable[[str, datetime], Iterable[PublicKey]]
_SAME = ("campaign", "item", "revision", "message_id", "payload_hash", "nil", "test")


class Folder:
    """The submission whose entries are being read; `whole` while none of them was found changed."""

    def __init__(self, name: str = "", told: dict[str, Any] | None = None) -> None:
        self.name, self.told = name, told or {}
        self.receipts, self.whole = 0, True
        self.previous: dict[tuple[str, str], str] = {}
        self.hashes: dict[str, str] = {}

    def words_for(self, entry: str) -> str:
        """Which submission an entry belongs to, in words."""
        if not self.told or not entry.startswith(f"{self.name}/"):
            return ""
        told = [self.told.get(n) for n in ("unit_name", "item", "period")]
        return f"（{' '.join(str(t) for t in told if t)} 第{self.told.get('revision')}版）"

    def end(self) -> Iterator[str]:
        """What is missing of the submission that ends here."""
        if not self.told or not self.whole:
            return
        here = f"{self.name}{self.words_for(self.name + '/')}"
        files = [f for f in self.told.get("files", ()) if isinstance(f, dict)]
        differ = [f for f in files if self.hashes.get(str(f.get("entry"))) != f.get("hash")]
        yield from (f"{here}：所报的文件“{f.get('name')}”缺失或不符" for f in differ)
        if files and not differ and self.told.get("payload_hash") != _parcel_hash(files):
            yield f"{here}：文件与内容校验值不符"
        if self.receipts != self.told.get("receipts"):
            yield f"{here}：写明有回执{self.told.get('receipts')}份，现有{self.receipts}份"


def _kind(name: str) -> str:
    """What an entry of a submission is; nothing for other entries."""
    folder, _, last = name.rpartition("/")
    return last.partition(".")[0].partition("-")[0] if folder.startswith("submissions/") else ""


def _parcel_hash(files: list[dict[str, Any]]) -> str:
    if len(files) == 1:
        return str(files[0].get("hash"))
    return digest(canonical([[f.get("artefact"), f.get("hash")] for f in files]))


class Judged:
    """What was found in the entries, and how much there was of each."""

    def __init__(self, keys: KeysOf) -> None:
        self._keys = keys
        self.counts = dict.fromkeys(Counts.model_fields, 0)
        self.unchecked: dict[str, int] = {}
        self._folder = Folder()
        self._message: Message | None = None

    def differing(self, told: Counts) -> list[str]:
        """Where there is another number than the manifest says."""
        words = {"submissions": "报送", "receipts": "回执", "files": "文件", "annotated": "标注件", "messages": "消息"}
        said = told.model_dump()
        return [f"{words[n]}：清单写明{said[n]}，现有{c}" for n, c in self.counts.items() if said[n] != c]

    def changed(self, name: str) -> str:
        """An entry is not what the index says; what hangs together with it is not told once more."""
        said = f"{name}{self._folder.words_for(name)}：内容与索引不符，被改动过"
        if _kind(name) == "submission":
            self._folder = Folder(name.removesuffix("/submission.json"))
        self._folder.whole = False
        self._count(name)
        return said

    def entry(self, name: str, hashed: str, content: bytes) -> Iterator[str]:
        """Judge an entry that is what the index says."""
        kind = _kind(name)
        self._count(name)
        if kind == "submission":
            yield from self._folder.end()
            yield from self._submission(name, content)
        elif kind == "receipt":
            yield from (f"{name}{self._folder.words_for(name)}：{wrong}" for wrong in self._receipt(content))
        elif name.startswith("messages/"):
            yield from (f"{name}：{wrong}" for wrong in self._mail(name, content))
        else:
            self._folder.hashes[name] = hashed

    def end(self) -> Iterator[str]:
        """What is missing at the end."""
        yield from self._folder.end()

    def _count(self, name: str) -> None:
        kind = _kind(name)
        counted = {"submission": "submissions", "receipt": "receipts", "file": "files", "annotated": "annotated"}
        if kind in counted:
            self.counts[counted[kind]] += 1
        elif name.startswith("messages/") and not name.endswith(".answer.json"):
            self.counts["messages"] += 1

    def _submission(self, name: str, content: bytes) -> Iterator[str]:
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("files"), list):
            yield f"{name}：不能读取"
            told = {}
        self._folder = Folder(name.removesuffix("/submission.json"), told)

    def _receipt(self, content: bytes) -> Iterator[str]:
        folder = self._folder
        folder.receipts += 1
        try:
            signed = SignedReceipt.from_json(content)
        except Malformed as error:
            folder.whole = False
            yield str(error)
            return
        told, said = signed.receipt, folder.told
        yield from self._verdict(told.node, signed.verify(self._keys(told.node, told.issued_at)))
        giver = (told.node, told.receiver.unit)
        if folder.whole and told.previous != folder.previous.get(giver):
            yield "之前缺少一份回执，或次序不对"
        folder.previous[giver] = signed.hash
        differ = [n for n in _SAME if said and getattr(told, n) != said.get(n)]
        if said and (differ or str(told.period) != said.get("period") or told.submission != said.get("uid")):
            yield f"与报送不符：{'、'.join(differ) or '期次或编号'}"

    def _mail(self, name: str, content: bytes) -> Iterator[str]:
        try:
            if name.endswith(".answer.json"):
                yield from self._answer(content)
                return
            self._message = message = opened(content)
        except (Malformed, NotCanonical) as error:
            yield str(error)
            return
        sender, at = message.envelope.sender, message.envelope.sealed_at
        yield from self._verdict(sender, message.verify(self._keys(sender, at)))
        if not message.payload_fits:
            yield "内容与信封所写的校验值不符"

    def _answer(self, content: bytes) -> Iterator[str]:
        answer = read_answer(content)
        if isinstance(answer, SignedStored):
            told, node, at = answer.stored, answer.stored.node, answer.stored.stored_at
            if self._message is not None and told.message_hash != self._message.hash:
                yield "不是前一条消息的答复"
        else:
            node, at = answer.refusal.node, answer.refusal.refused_at
        yield from self._verdict(node, answer.verify(self._keys(node, at)))

    def _verdict(self, node: str, verdict: Verdict) -> Iterator[str]:
        if verdict is Verdict.BAD_SIGNATURE:
            yield "签名不符，可能被改动过"
        elif verdict is Verdict.UNKNOWN_KEY:
            self.unchecked[node] = self.unchecked.get(node, 0) + 1
