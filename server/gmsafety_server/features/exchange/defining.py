"""Definitions that come from above: judged, and put in force or refused; an older one put in force again by hand.

The node that serves the region says what its definitions are. A node that only passes them on, or an installed plugin,
may bring what is as strict as before, or stricter.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from gmsafety import Catalog, load_catalog
from gmsafety.content import Content
from gmsafety.definitions import content_of, faults_of, loosenings
from gmsafety.errors import CatalogError, ContentError, GmsafetyError
from gmsafety.exchange.answers import REFUSALS
from gmsafety.exchange.envelope import Draft
from gmsafety.exchange.payloads import Definitions, Notice

from ... import audit
from ...db import DEFINING, take_turn
from ...errors import Problem
from ...mail.posting import post
from ...mail.stations import find_peer, own_row
from ...node import Node
from ...regions import IN_FORCE, REFUSED, Snapshot, content_in, keep, next_number, row_in_force, rows_in_force
from ...seeding import path_of, seed
from ...tables import AnyRow, definitions
from . import repository

LOOSER, STRANGE, OTHER = "looser-definitions", "not-applicable", "other-content"
_REGION = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MOST_SAID = 50
_log = logging.getLogger("gmsafety.exchange")


@dataclass(frozen=True, slots=True)
class Judgment:
    """What becomes of a snapshot: put in force, known already, or refused under a code, with every reason."""

    slug: str = ""
    said: tuple[str, ...] = ()
    snapshot: Snapshot | None = None
    is_known: bool = False
    stamp: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Why it is refused, in words."""
        kind = REFUSALS[self.slug]
        shown = [*self.said[:_MOST_SAID], *([f"等{len(self.said)}处"] if len(self.said) > _MOST_SAID else [])]
        return f"{kind.code} {kind.words}：{'；'.join(shown)}"


class _Refused(Exception):
    def __init__(self, slug: str, *said: str) -> None:
        self.slug, self.said = slug, said


def take(node: Node, row: AnyRow, told: Definitions, mark: Callable[[Connection], None]) -> None:
    """Put a snapshot in force, or keep it as refused and tell the sender why; in one transaction with its mark."""
    with node.db.read() as tx:
        judged = judge(tx, node, row.sender, told)
    with node.db.write() as tx:
        take_turn(tx, DEFINING)
        if _stamp(tx) != judged.stamp:
            raise Problem("busy")
        if judged.slug:
            _refuse(tx, node, row, told, judged)
        else:
            mark(tx)
            if not judged.is_known and judged.snapshot is not None:
                put_in_force(tx, node, judged.snapshot, **_told(row.sender, told), why=f"节点“{row.sender}”下发的定义")
                said = {"sender": row.sender, "number": told.number, "hash": judged.snapshot.hash}
                audit.record(tx, node.clock.now(), f"@{row.sender}", "definitions.taken", told.region, path="/", **said)
    with node.db.read() as tx:
        node.renewed(tx)


def _told(sender: str, told: Definitions) -> dict[str, Any]:
    return {"sender": sender, "number": told.number, "issued_at": told.issued_at}


def _stamp(tx: Connection) -> tuple[int, ...]:
    return tuple(sorted(r.id for r in rows_in_force(tx)))


def judge(tx: Connection, node: Node, sender: str, told: Definitions) -> Judgment:
    """Look at a snapshot from another node; changes nothing."""
    stamp = _stamp(tx)
    try:
        snapshot = _judged(tx, node, sender, told)
    except _Refused as no:
        return Judgment(no.slug, no.said, _readable(told), stamp=stamp)
    return Judgment(snapshot=snapshot, is_known=snapshot is None, stamp=stamp)


def _readable(told: Definitions) -> Snapshot | None:
    """A refused snapshot as far as it can be kept: what cannot be read is in the inbox only."""
    try:
        return Snapshot(content_of(told.region, told.content), told.content, told.hash)
    except (GmsafetyError, ValueError):
        return None


def _judged(tx: Connection, node: Node, sender: str, told: Definitions) -> Snapshot | None:
    """The snapshot to be put in force; None where it is here already."""
    if not _REGION.fullmatch(told.region) or len(told.region) > 80:
        raise _Refused(STRANGE, f"“{told.region}”不是地区的名称")
    if _is_known(tx, node, told):
        return None
    try:
        content = content_of(told.region, told.content)
        catalog = load_catalog([*_others(node, told.region), content], calendar=node.catalog.calendar)
    except (CatalogError, ContentError) as error:
        raise _Refused(_slug(error.problems), *(p.text for p in error.problems)) from error
    except Exception as error:  # it comes from outside: whatever is wrong with it, it is refused
        raise _Refused(STRANGE, f"不能载入：{type(error).__name__}：{error}") from error
    standing = _standing(tx, node, sender, catalog, content)
    if not standing:
        raise _Refused(STRANGE, "定义只由上级节点下发")
    before = row_in_force(tx, told.region)
    was = content_in(before) if before is not None else _installed(node, told.region)
    looser = loosenings(was, content, node.catalog.calendar) if was is not None and standing != "issuer" else ()
    if looser:
        raise _Refused(LOOSER, *map(str, looser))
    if wrong := faults_of(content, _others(node, told.region)):
        raise _Refused(_slug(wrong), *(p.text for p in wrong))
    return Snapshot(content, told.content, told.hash)


def _slug(problems: Iterable[Any]) -> str:
    return LOOSER if any(p.slug == "laxer" for p in problems) else STRANGE


def _is_known(tx: Connection, node: Node, told: Definitions) -> bool:
    """Tell whether a snapshot is here; refused where a newer one of the region came, or another of its number."""
    came = (definitions.c.region == told.region, definitions.c.sender != node.settings.node)
    taken = (*came, definitions.c.state != REFUSED)
    last = tx.execute(select(func.max(definitions.c.number)).where(*taken)).scalar()
    if last is None or told.number > last:
        return False
    same = tx.execute(select(definitions.c.hash).where(*taken, definitions.c.number == told.number)).scalar()
    if same == told.hash:
        return True
    if same is not None:
        raise _Refused(OTHER, f"{told.region}第{told.number}号已收到另一份内容")
    raise _Refused(STRANGE, f"第{told.number}号不比已有的第{last}号新")


def _others(node: Node, region: str) -> list[Content]:
    return [c for c in node.catalog.contents if c.plugin != region]


def _installed(node: Node, region: str) -> Content | None:
    return next((c for c in node.catalog.contents if c.plugin == region), None)


def _standing(tx: Connection, node: Node, sender: str, catalog: Catalog, content: Content) -> str:
    """Who a sender is to a region: its `issuer`, another node `above`, or nobody ("").

    As long as nobody knows where the own units stand, what a node says that was entered by hand is a beginning.
    """
    own, peer, directory = own_row(tx), find_peer(tx, sender), node.directory(tx)
    if own is None or peer is None:
        return ""

    def path(ref: str) -> str:
        return directory.paths.get(ref) or path_of(catalog, ref)

    def speaks_over(ref: str) -> bool:
        return any(f"/{unit}/" in path(ref) for unit in peer.units)

    known = [u for u in own.units if u in directory.paths or u in catalog.units]
    is_above = any(speaks_over(u) and u not in peer.units for u in known)
    if known and not is_above:
        return ""
    if not known and not any(u in directory.paths or u in catalog.units for u in peer.units):
        return ""
    heads = {u.parent or u.ref for u in content.units if (u.parent or "").partition(".")[0] != content.plugin}
    return "issuer" if any(speaks_over(h) for h in heads) else "above"


def put_in_force(tx: Connection, node: Node, snapshot: Snapshot, *, why: str, **more: Any) -> int:
    """Put a snapshot in force: from now on it is what the region declares, here and for those below."""
    now = node.clock.now()
    number = keep(tx, snapshot, state=IN_FORCE, now=now, **more)
    seed(tx, node.regions.catalog_in(tx), now, reason=why)
    return number


def _refuse(tx: Connection, node: Node, row: AnyRow, told: Definitions, judged: Judgment) -> None:
    now = node.clock.now()
    if not repository.taken(tx, row.id, now, judged.slug, judged.text):
        return
    if judged.snapshot is not None:
        keep(tx, judged.snapshot, state=REFUSED, now=now, detail=list(judged.said), **_told(row.sender, told))
    _log.warning("没有采用 %s 下发的 %s 第%d号：%s", row.sender, told.region, told.number, judged.text)
    said = {"sender": row.sender, "number": told.number, "why": judged.text}
    audit.record(tx, now, f"@{row.sender}", "definitions.refused", told.region, path="/", **said)
    own = own_row(tx)
    notice = Notice(
        title=f"没有采用下发的定义（{told.region}第{told.number}号）", issuer=own.title if own else node.settings.title,
        issued=node.clock.today(), text=judged.text,
    )  # fmt: skip
    post(tx, node, Draft("notice", row.sender, notice.model_dump(), answers=row.message_id, test=node.test))


def use_again(tx: Connection, node: Node, number: int, *, reason: str, looser: bool, actor: str) -> AnyRow:
    """Put a snapshot in force that is not, by hand: an older one, or one that was refused; `looser` where it is."""
    take_turn(tx, DEFINING)
    row = tx.execute(select(definitions).where(definitions.c.id == number)).first()
    if row is None:
        raise Problem("wrong-state", "没有这份定义")
    if row.state == IN_FORCE:
        raise Problem("wrong-state", "这份定义正在使用")
    if not reason.strip():
        raise Problem("not-valid", "请写明原因")
    content = content_in(row)
    if wrong := faults_of(content, _others(node, row.region)):
        raise Problem("not-valid", "与在用的其他定义不合", errors=[_field(p.text) for p in wrong])
    told = looser_than_now(tx, node, content)
    if told and not looser:
        said = f"比在用的宽，有{len(told)}处：{'；'.join(told[:5])}"
        raise Problem("not-valid", f"{said}。确要采用的，请写明“放宽”", errors=[_field(t) for t in told])
    now, fresh = node.clock.now(), next_number(tx, row.region, node.clock.today())
    put_in_force(
        tx, node, Snapshot.of(content), sender=node.settings.node, number=fresh, detail=told, reason=reason.strip(),
        actor=actor, why=f"改用{row.region}第{row.number}号定义：{reason.strip()}",
    )  # fmt: skip
    said_of = {"number": row.number, "hash": row.hash, "reason": reason.strip(), "looser": told[:_MOST_SAID]}
    audit.record(tx, now, actor, "definitions.used", row.region, path="/", **said_of)
    found: AnyRow = row
    return found


def _field(text: str) -> dict[str, str]:
    return {"field": "definitions", "message": text}


def looser_than_now(tx: Connection, node: Node, content: Content) -> list[str]:
    """In what a snapshot is looser than what is in force."""
    before = row_in_force(tx, content.plugin)
    was = content_in(before) if before is not None else _installed(node, content.plugin)
    return [str(said) for said in loosenings(was, content, node.catalog.calendar)] if was is not None else []
