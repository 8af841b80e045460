"""Archives and files of the audit log: whether each holds, whether one goes on where the other ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from .archive import ArchiveManifest
from .auditlog import Looked, Span, read_head, span, walk_through
from .entries import Judged
from .errors import Malformed
from .keyring import KeyRing
from .receipts import Verdict
from .signing import PublicKey
from .unarchiving import ArchiveBroken, ArchiveFile, opened_archive
from .verified import Place, Verified, clock, signatures_in

LOG_BEGINS = b'{"log":{"format":"gmsafety-audit"'


def place_of(path: Path) -> Place | None:
    """Where a file says that it stands, without checking it; None for one that says nothing."""
    try:
        with path.open("rb") as file:
            if file.read(len(LOG_BEGINS)) == LOG_BEGINS:
                file.seek(0)
                told = read_head(file).log
                return Place(told.node, span=told.span)
        with opened_archive(path) as archive:
            return _place(archive.signed.manifest)
    except (Malformed, ArchiveBroken):
        return None


def _place(manifest: ArchiveManifest) -> Place:
    return Place(manifest.node, manifest.number, manifest.hash, manifest.previous, manifest.audit)


def of_log(path: Path, ring: KeyRing, asked: Iterable[int] = ()) -> Verified:
    """Verify a file of the audit log."""
    with path.open("rb") as file:
        try:
            head = read_head(file)
        except Malformed as error:
            return Verified(path.name, "log", faults=(str(error),))
        told = head.log
        keys = ring.of(told.node, told.made_at)
        signed, why = signatures_in(told.node, told.made_at, head.signatures, head.verify(keys), ring)
        looked = walk_through(file, told.span, ring.ever(told.node), asked=asked)
    facts = (
        ("节点", told.node),
        ("写出时间", clock(told.made_at)),
        ("范围", _range(told.span, looked)),
        ("链头", f"{told.span.last}:{told.span.hash}"),
        ("证明", "成立时：这一段从写出到现在一条未改、未少、未加、未换次序，都经本节点封印"),
        ("不证明", _unproved(told.span)),
    )
    place = Place(told.node, span=told.span, seen=tuple(looked.seen.items()))
    return Verified(path.name, "log", facts, signed, (*why, *looked.faults), place=place)


def _range(told: Span, looked: Looked) -> str:
    return f"第{told.first}至{told.last}条，读到{looked.rows}条"


def _unproved(told: Span) -> str:
    before = f"第{told.first}条以前的，要与写出它们的文件一起核验；" if told.first > 1 else ""
    return f"{before}第{told.last}条以后的；记录之外另做的事"


def of_archive(path: Path, ring: KeyRing, asked: Iterable[int] = ()) -> Verified:
    """Verify an archive, with every entry in it."""
    try:
        with opened_archive(path) as archive:
            return _of_opened(path.name, archive, ring, asked)
    except ArchiveBroken as broken:
        return Verified(path.name, "archive", faults=(str(broken),))


def _of_opened(name: str, archive: ArchiveFile, ring: KeyRing, asked: Iterable[int]) -> Verified:
    manifest, signatures = archive.signed.manifest, archive.signed.signatures
    verdict = archive.signed.verify(ring.of(manifest.node, manifest.made_at))
    signed, why = signatures_in(manifest.node, manifest.made_at, signatures, verdict, ring)
    vouched = verdict is Verdict.VALID
    faults, judged = archive.faults(_keys_for(manifest, ring, vouched=vouched))
    own = [*ring.ever(manifest.node), *(_vouched(manifest, manifest.node) if vouched else ())]
    looked = archive.log(own, asked)
    place = replace(_place(manifest), seen=tuple(looked.seen.items()) if looked else ())
    wrong = tuple(f"审计记录：{fault}" for fault in (looked.faults if looked else ()))
    return Verified(
        name, "archive", tuple(_facts(manifest, judged, looked)), signed, (*why, *faults, *wrong),
        hash=manifest.hash, place=place,
    )  # fmt: skip


def _keys_for(
    manifest: ArchiveManifest, ring: KeyRing, *, vouched: bool
) -> Callable[[str, datetime], Iterable[PublicKey]]:
    """Keys given by hand come first; then those that the archiving node had pinned, for which it vouches."""

    def keys(node: str, moment: datetime) -> Iterable[PublicKey]:
        return (*ring.of(node, moment), *(_vouched(manifest, node) if vouched else ()))

    return keys


def _vouched(manifest: ArchiveManifest, node: str) -> list[PublicKey]:
    return [key.key for known in manifest.known if known.node == node for key in known.keys]


def _facts(manifest: ArchiveManifest, judged: Judged, looked: Looked | None) -> Iterator[tuple[str, str]]:
    counts = manifest.counts
    yield "节点", manifest.node
    yield "归档", f"{manifest.title}（{manifest.campaign}），本节点第{manifest.number}份"
    yield "归档时间", clock(manifest.made_at)
    yield (
        "内容",
        f"报送{counts.submissions}版，文件{counts.files}个，标注件{counts.annotated}个，"
        f"回执{counts.receipts}份，消息{counts.messages}条",
    )
    yield "归档校验值", manifest.hash
    yield "上一份归档", manifest.previous or "没有，这是第一份"
    if manifest.audit is not None and looked is not None:
        yield "审计记录", _range(manifest.audit, looked)
    yield "证明", "成立时：归档以后一字未改，没有增减和换次序；回执、消息与报送相符，签名有效"
    unproved = ["归档以前有无漏存；各节点所记时间是否准确"]
    if judged.unchecked:
        named = "、".join(f"{node} {count}件" for node, count in sorted(judged.unchecked.items()))
        unproved.append(f"没有公钥、签名没有核对的：{named}")
    yield "不证明", "；".join(unproved)


def linked(found: Sequence[Verified]) -> list[Verified]:
    """Compare archives, and files of the audit log, of the same node with each other; what does not fit is named."""
    faults: dict[int, list[str]] = {}
    facts: dict[int, list[tuple[str, str]]] = {}
    for nodes in _by_node(found):
        for label, told in (("衔接", _archives(found, nodes)), ("审计记录衔接", _logs(found, nodes))):
            for at, text, is_wrong in told:
                faults.setdefault(at, []).append(text) if is_wrong else facts.setdefault(at, []).append((label, text))
    return [
        replace(v, faults=(*v.faults, *faults.get(at, ())), facts=(*v.facts, *facts.get(at, ())))
        for at, v in enumerate(found)
    ]


def _by_node(found: Sequence[Verified]) -> list[list[int]]:
    nodes: dict[str, list[int]] = {}
    for at, each in enumerate(found):
        if each.place is not None:
            nodes.setdefault(each.place.node, []).append(at)
    return list(nodes.values())


def _archives(found: Sequence[Verified], mine: list[int]) -> Iterator[tuple[int, str, bool]]:
    numbered = sorted((p.number, at) for at in mine if (p := found[at].place) is not None and p.number)
    for (low, first), (high, second) in pairwise(numbered):
        before, after = found[first].place, found[second].place
        if before is None or after is None:
            continue
        if low == high:
            if before.hash != after.hash:
                yield second, f"与 {found[first].file} 都是第{low}份归档，内容却不同：归档链分了岔", True
        elif high > low + 1:
            yield second, f"第{span(low + 1, high - 1)}份归档没有给出，与 {found[first].file} 的衔接没有核对", False
        elif after.previous != before.hash:
            yield second, f"不接 {found[first].file}：写明的上一份是{after.previous or '没有'}，它是{before.hash}", True
        else:
            yield second, f"接 {found[first].file}", False


def _logs(found: Sequence[Verified], mine: list[int]) -> Iterator[tuple[int, str, bool]]:
    """Files whose ranges follow each other, or overlap, are of one chain: at a row of both is the same hash."""
    spans = sorted((p.span.first, p.span.last, at) for at in mine if (p := found[at].place) is not None and p.span)
    for (_, end, first), (begin, _, second) in pairwise(spans):
        before, after = found[first].place, found[second].place
        if before is None or after is None or after.span is None:
            continue
        other = found[first].file
        if begin > end + 1:
            yield second, f"第{span(end + 1, begin - 1)}条没有给出，与 {other} 的衔接没有核对", False
            continue
        at = min(end, after.span.last)
        theirs, ours = (dict(p.seen).get(at) for p in (before, after))
        if theirs is None or ours is None:
            continue
        if theirs != ours:
            yield second, f"审计记录第{at}条与 {other} 的不同：不是同一条链，有一份被改动过", True
        else:
            yield second, f"接 {other}（第{at}条相同）", False
