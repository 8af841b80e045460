"""How every route is asked, and what it is asked for: the data of `test_permissions`.

A new route needs a line in `ROUTES`: `on(...)` where it is about an object that belongs to a unit, with the maker of
that object and the least that has to be sent; `plain(...)` where it is about nothing but the one who asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update

from gmsafety_server import auth
from gmsafety_server.features.rollups.owning import from_body
from gmsafety_server.features.units import service as units_service
from gmsafety_server.features.units.schemas import CHANGE
from gmsafety_server.node import Node
from gmsafety_server.scope import SCOPES, Relation
from gmsafety_server.tables import attachments, blobs, feeds, refusals, rollups, slots, submissions, users
from world import CITY, OTHER_CITY, PROVINCE, ZEZHOU, Person, scenario_file

TOWN = "jincheng.bagong"
UNITS = {
    Relation.SELF: CITY,
    Relation.CHILD: ZEZHOU,
    Relation.BELOW: TOWN,
    Relation.ABOVE: PROVINCE,
    Relation.OTHER: OTHER_CITY,
}
CAMPAIGN, WEEKLY = "jincheng.gongmao-2024", "shanxi.weekly-dispatch"
RESUMPTION, SMELTER = "jincheng.zezhou-resumption-2025", {"tags": {"metal_smelting": True, "blast_furnace": False}}
DIGEST = "0" * 64
_WORKBOOK = scenario_file("2024-12-27", "zezhou", "weekly")

Made = dict[str, Any]
Maker = Callable[["World", str], Made]


class World:
    """Units in every relation to the city, and makers of what may belong to them; everything is made afresh."""

    def __init__(self, node: Node, person: Callable[..., Person]) -> None:
        self.node, self.person = node, person
        self._clerks: dict[str, Person] = {}
        self._number = 0
        today = node.clock.today()
        told = {"ref": TOWN, "name": "巴公镇", "parent": ZEZHOU, "level": "township", "role": "town", "reason": "试"}
        with node.db.write() as tx:
            units_service.change(tx, node, None, CHANGE.validate_python({**told, "kind": "open", "day": today}))
            tx.execute(insert(blobs).values(hash=DIGEST, size=1, content=b"x"))

    def next(self) -> int:
        self._number += 1
        return self._number

    def clerk(self, unit: str) -> Person:
        """Somebody of a unit, by whom its objects are made."""
        if unit not in self._clerks:
            self._clerks[unit] = self.person(unit, "clerk")
        return self._clerks[unit]

    def path(self, unit: str) -> str:
        with self.node.db.read() as tx:
            return self.node.directory(tx).paths[unit]

    def insert(self, table: Any, **values: Any) -> int:
        with self.node.db.write() as tx:
            return int(tx.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def slot(world: World, unit: str) -> Made:
    """A form that a unit owes, open now, of a period that no other has."""
    now, number = world.node.clock.now(), world.next()
    period = date(2030, 1, 4) + timedelta(days=7 * number)
    upper = (world.path(unit).strip("/").split("/")[:-1] or [None])[-1]
    values = {
        "campaign": CAMPAIGN, "duty": "weekly-forms", "item": WEEKLY, "kind": "form", "period": period,
        "opens": now.date() - timedelta(days=3), "due_at": now + timedelta(days=3), "unit": unit, "area": "140500",
        "upper": upper, "path": world.path(unit), "state": "open", "nil": False, "revision": 0,
    }  # fmt: skip
    return {"number": world.insert(slots, **values), "period": period, "unit": unit}


def _nil(world: World, unit: str, *, action: str) -> Made:
    owed = slot(world, unit)
    told = {"message_id": f"m-{uuid4().hex}", "item": WEEKLY, "period": str(owed["period"]), "campaign": CAMPAIGN}
    answer = world.clerk(unit).post("/submissions", json={**told, "nil": True, "reason": "试", "action": action})
    assert 201 == answer.status_code, answer.text
    return {**owed, **told, "uid": answer.json()["uid"], "digest": DIGEST, "number": 1, "slot": owed["number"]}


def submission(world: World, unit: str) -> Made:
    """A nil report that was filed, with a file."""
    made = _nil(world, unit, action="submit")
    with world.node.db.write() as tx:
        number = tx.execute(select(submissions.c.id).where(submissions.c.uid == made["uid"])).scalar_one()
        file = {"artefact": "extra", "name": "x.pdf", "media_type": "application/pdf", "size": 1, "hash": DIGEST}
        tx.execute(insert(attachments).values(submission_id=number, position=0, **file))
    return made


def filed_as_file(world: World, unit: str) -> Made:
    """The same, with a form that came as a file."""
    made = submission(world, unit)
    with world.node.db.write() as tx:
        number = tx.execute(select(submissions.c.id).where(submissions.c.uid == made["uid"])).scalar_one()
        file = {"artefact": "form", "name": "x.xlsx", "media_type": "application/octet-stream", "size": 1}
        tx.execute(insert(attachments).values(submission_id=number, position=1, hash=DIGEST, **file))
    return made


def draft(world: World, unit: str) -> Made:
    """A draft; only its own unit knows of it."""
    return _nil(world, unit, action="draft")


def refusal(world: World, unit: str) -> Made:
    """A file that was not taken."""
    number, uid = world.next(), str(uuid4())
    finding = {"code": "GM-F101", "kind": "unreadable", "severity": "error", "where": "file", "sheet": None}
    words = {"place": "整个文件", "message": "文件不能读取。", "remedy": "请重新上传。"}
    values = {
        "uid": uid, "unit": unit, "path": world.path(unit), "campaign": CAMPAIGN, "item": WEEKLY,
        "period": date(2030, 1, 4) + timedelta(days=7 * number), "problem": "unreadable", "name": "x.xlsx", "size": 1,
        "hash": DIGEST, "findings": [{**finding, **words}], "by_user": world.clerk(unit).user_id, "at": world.node.clock.now(),
    }  # fmt: skip
    world.insert(refusals, **values)
    return {"uid": uid}


def rollup(world: World, unit: str) -> Made:
    """A roll-up of nothing, with a file as its own part."""
    now, number, uid = world.node.clock.now(), world.next(), str(uuid4())
    values = {
        "uid": uid, "unit": unit, "path": world.path(unit), "campaign": CAMPAIGN, "item": WEEKLY,
        "period": date(2030, 1, 4) + timedelta(days=7 * number), "basis": "accepted", "state": "draft",
        "own": None, "adjustments": [], "etag": 1, "created_by": world.clerk(unit).user_id,
        "created_at": now, "changed_at": now,
    }  # fmt: skip
    world.insert(rollups, **values)
    return {"uid": uid, "path": "self.general.found", "index": 0}


def rollup_with_file(world: World, unit: str) -> Made:
    """A roll-up to which a file was given."""
    made = rollup(world, unit)
    read = from_body(world.node.catalog.form(WEEKLY), {"nil": True})
    own = {**read, "file": {"name": "x.xlsx", "media_type": "application/zip", "size": 1, "hash": DIGEST}}
    with world.node.db.write() as tx:
        tx.execute(update(rollups).where(rollups.c.uid == made["uid"]).values(own=own, own_file="x.xlsx"))
    return made


def unit(world: World, ref: str) -> Made:
    """The unit itself."""
    return {"ref": ref, "unit": ref, "fresh": f"jincheng.x{world.next()}"}


def user(world: World, ref: str) -> Made:
    """An account of a unit."""
    login, now = f"a{uuid4().hex[:10]}", world.node.clock.now()
    values = {"login": login, "name": "某某", "unit": ref, "roles": ["clerk"], "password": "-", "must_change": False}
    world.insert(users, **values, failures=0, created_at=now, changed_at=now)
    return {"login": login, "unit": ref, "fresh": f"b{uuid4().hex[:10]}"}


def feed(world: World, ref: str) -> Made:
    """A calendar feed of a unit."""
    values = {"hash": uuid4().hex, "unit": ref, "hint": "x", "created_by": world.clerk(ref).user_id}
    return {"number": world.insert(feeds, **values, created_at=world.node.clock.now())}


def token(world: World, ref: str) -> Made:
    """A token of somebody else."""
    now, who = world.node.clock.now(), world.clerk(ref).user_id
    with world.node.db.write() as tx:
        number, _ = auth.new_token(tx, who, "x", scopes=list(SCOPES), now=now, expires_at=now + timedelta(days=1))
    return {"number": number}


@dataclass(frozen=True)
class Entry:
    """How a route is asked: `make` makes the object of a unit whose path parameters and fields it takes.

    `private` is what nobody but the one who owns it sees; `nobodys` belongs to somebody else in every relation;
    `also` is a second action that a token must open.
    """

    make: Maker | None = None
    private: bool = False
    nobodys: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] | None = None
    json: Any = None
    data: Mapping[str, Any] | None = None
    file: str = ""
    seen: bool = False
    also: str = ""

    def asked(self, made: Made) -> dict[str, Any]:
        """The arguments of the request."""
        given: dict[str, Any] = {}
        for name in ("params", "json", "data"):
            if (told := getattr(self, name)) is not None:
                given[name] = filled(told, made)
        if self.file:
            given["files"] = {self.file: (_WORKBOOK.name, _WORKBOOK.read_bytes())}
        return given


def filled(told: Any, made: Made) -> Any:
    """What is sent, with `<name>` taken from the object."""
    if isinstance(told, Mapping):
        return {k: filled(v, made) for k, v in told.items()}
    if isinstance(told, list):
        return [filled(v, made) for v in told]
    if isinstance(told, str) and told.startswith("<") and told.endswith(">"):
        return str(made[told[1:-1]])
    return told


def on(make: Maker, **how: Any) -> Entry:
    return Entry(make, **how)


def plain(**how: Any) -> Entry:
    return Entry(None, **how)


NODES = {
    f"{route[0]} /exchange/v1/{route[1]}"
    for route in (
        ("POST", "messages"), ("GET", "messages"), ("PUT", "messages/{message_id}/answer"), ("HEAD", "files/{name}"),
        ("PUT", "files/{name}"), ("GET", "files/{name}"), ("GET", "ping"),
    )
}  # fmt: skip
"""Routes for other nodes, which sign what they send and have no log-in; `test_exchange_refused` asks them."""

PUBLIC = {
    "GET /api/v1/openapi.json", "POST /api/v1/tokens", "GET /api/v1/node", "GET /login", "POST /login",
    "GET /health", "HEAD /health", "GET /feeds/{secret}.ics", "HEAD /feeds/{secret}.ics", "GET /problems",
    "GET /problems/{slug}", "MOUNT /static", "GET /metrics", *NODES,
}  # fmt: skip
"""Routes that ask for no log-in; a feed's address is its credential."""

_ENVELOPE = {"message_id": "<message_id>", "item": WEEKLY, "period": "<period>", "campaign": CAMPAIGN, "nil": True}
_SENT = {k: v for k, v in _ENVELOPE.items() if k != "nil"}
_SLOT = {"message_id": "m-12345678", "item": WEEKLY, "period": "<period>", "campaign": CAMPAIGN, "unit": "<unit>"}
_SEEN = {"seen": "99"}
_ETAG = {"etag": "99"}
_BOARD = {"unit": "<ref>", "campaign": CAMPAIGN, "item": WEEKLY}
_PERIOD = {"item": WEEKLY, "period": "2024-12-27"}
_REASON = {"reasons": [{"where": "C7", "text": "试"}]}
_OPEN = {
    "kind": "open", "ref": "<fresh>", "name": "某某", "parent": "<ref>", "role": "town", "level": "township",
    "day": "2099-01-01", "reason": "试", "dry_run": True,
}  # fmt: skip
_OPEN_PAGE = {
    "kind": "open", "unit": "<ref>", "ref": "<fresh>", "name": "某某", "role": "town", "level": "township",
    "day": "2099-01-01", "reason": "试",
}  # fmt: skip
_USER = {"login": "<fresh>", "name": "某某", "unit": "<unit>", "roles": ["clerk"]}
_PASSWORD = {"old": "not the old one", "new": "another password"}

API = {
    "POST /api/v1/submissions": on(slot, json={**_SLOT, "nil": True, "reason": "试"}),
    "POST /api/v1/submissions/files": on(slot, data={**_SLOT, "reason": "试"}, file="file"),
    "GET /api/v1/submissions": plain(),
    "GET /api/v1/submissions/{uid}": on(submission),
    "GET /api/v1/submissions/{uid}/history": on(submission),
    "GET /api/v1/submissions/{uid}/files/{digest}": on(submission),
    "GET /api/v1/submissions/{uid}/record.{suffix}": on(submission, fixed={"suffix": "json"}),
    "GET /api/v1/submissions/{uid}/annotated": on(filed_as_file),
    "GET /api/v1/submissions/{uid}/receipts/{number}": on(submission),
    "GET /api/v1/submissions/{uid}/receipts/{number}.txt": on(submission),
    "GET /api/v1/submissions/{uid}/diff": on(submission, params={"against": "<uid>"}),
    "PUT /api/v1/submissions/{uid}/form": on(draft, private=True, json=_ENVELOPE, seen=True),
    "PUT /api/v1/submissions/{uid}/files": on(draft, private=True, data=_SENT, file="file", seen=True),
    "POST /api/v1/submissions/{uid}/submit": on(submission, json={}, seen=True),
    "POST /api/v1/submissions/{uid}/withdraw": on(submission, json={"reason": "试"}, seen=True),
    "DELETE /api/v1/submissions/{uid}": on(draft, private=True, seen=True),
    "POST /api/v1/submissions/{uid}/accept": on(submission, json={}, seen=True),
    "POST /api/v1/submissions/{uid}/return": on(submission, json=_REASON, seen=True),
    "POST /api/v1/submissions/{uid}/reopen": on(submission, json={"note": "试"}, seen=True),
    "GET /api/v1/occasions": plain(),
    "POST /api/v1/occasions": plain(
        json={"item": "shanxi.gongmao-2024/cross-feedback/shanxi.cross-inspection-summary"}
    ),
    "GET /api/v1/refusals": plain(),
    "GET /api/v1/refusals/{uid}": on(refusal),
    "GET /api/v1/refusals/{uid}/file": on(refusal),
    "POST /api/v1/check": on(slot, json={"item": WEEKLY, "unit": "<unit>", "nil": True}),
    "POST /api/v1/check/files": on(slot, data={"item": WEEKLY, "unit": "<unit>"}, file="file"),
    "POST /api/v1/rollups": plain(json=_PERIOD),
    "GET /api/v1/rollups": plain(),
    "GET /api/v1/rollups/{uid}": on(rollup),
    "GET /api/v1/rollups/{uid}/cells/{path}": on(rollup),
    "POST /api/v1/rollups/{uid}/refresh": on(rollup, seen=True),
    "PUT /api/v1/rollups/{uid}/own": on(rollup, json={"body": {}}, seen=True),
    "PUT /api/v1/rollups/{uid}/own/file": on(rollup, file="file", seen=True),
    "GET /api/v1/rollups/{uid}/own/file": on(rollup_with_file),
    "DELETE /api/v1/rollups/{uid}/own": on(rollup, seen=True),
    "PUT /api/v1/rollups/{uid}/adjustments": on(rollup, json={"adjustments": []}, seen=True),
    "POST /api/v1/rollups/{uid}/file": on(rollup, json={"message_id": "m-12345678"}, seen=True, also="submission.file"),
    "GET /api/v1/rollups/{uid}/download.{suffix}": on(rollup, fixed={"suffix": "json"}),
    "GET /api/v1/totals": plain(params={**_PERIOD, "level": "county", "by": "city"}),
    "GET /api/v1/units": plain(),
    "GET /api/v1/units/{ref}": on(unit),
    "POST /api/v1/units/changes": on(unit, json=_OPEN),
    "GET /api/v1/tokens": plain(),
    "DELETE /api/v1/tokens/{number}": on(token, nobodys=True),
    "GET /api/v1/me": plain(),
    "GET /api/v1/exchange/health": plain(),
    "POST /api/v1/me/password": plain(json=_PASSWORD),
    "GET /api/v1/users": plain(),
    "POST /api/v1/users": on(user, json=_USER),
    "GET /api/v1/users/{login}": on(user),
    "PATCH /api/v1/users/{login}": on(user, json={"name": "另某某"}),
    "GET /api/v1/due": on(unit, params={"unit": "<ref>"}),
    "GET /api/v1/board": on(unit, params=_BOARD),
    "GET /api/v1/board/units": on(unit, params=_BOARD),
    "GET /api/v1/board/summary": on(unit, params=_BOARD),
    "POST /api/v1/feeds": plain(),
    "GET /api/v1/feeds": plain(),
    "DELETE /api/v1/feeds/{number}": on(feed, private=True),
    "GET /api/v1/campaigns": plain(),
    "GET /api/v1/campaigns/{ref}/duties": plain(fixed={"ref": CAMPAIGN}),
    "GET /api/v1/forms": plain(),
    "GET /api/v1/forms/{ref}": plain(fixed={"ref": WEEKLY}),
    "GET /api/v1/forms/{ref}/schema": plain(fixed={"ref": WEEKLY}),
    "GET /api/v1/forms/{ref}/blank.{suffix}": plain(fixed={"ref": WEEKLY, "suffix": "xlsx"}),
    "GET /api/v1/campaigns/{ref}/rules": plain(fixed={"ref": CAMPAIGN}),
    "POST /api/v1/campaigns/{ref}/route": plain(fixed={"ref": RESUMPTION}, json=SMELTER),
    "POST /api/v1/campaigns/{ref}/gate": plain(fixed={"ref": RESUMPTION}, json=SMELTER),
    "GET /api/v1/checklists": plain(),
    "GET /api/v1/checklists/{ref}": plain(fixed={"ref": "jincheng.checklist"}),
    "POST /api/v1/receipts/verify": plain(json={}),
}

PAGES = {
    "GET /": plain(),
    "GET /due": on(unit, params={"unit": "<ref>"}),
    "GET /board": on(unit, params=_BOARD),
    "GET /board/units": on(unit, params=_BOARD),
    "GET /board/units.{suffix}": on(unit, params=_BOARD, fixed={"suffix": "csv"}),
    "GET /board/summary": on(unit, params=_BOARD),
    "GET /board.{suffix}": on(unit, params=_BOARD, fixed={"suffix": "csv"}),
    "GET /feeds": plain(),
    "POST /feeds": plain(data={}),
    "POST /feeds/{number}/revoke": on(feed, private=True, data={}),
    "GET /submissions": plain(),
    "GET /submissions/{uid}": on(submission),
    "GET /submissions/{uid}/diff": on(submission, params={"against": "<uid>"}),
    "GET /submissions/{uid}/receipt": on(submission),
    "GET /submissions/{uid}/files/{digest}": on(submission),
    "GET /submissions/{uid}/record.{suffix}": on(submission, fixed={"suffix": "json"}),
    "GET /submissions/{uid}/annotated": on(filed_as_file),
    "GET /submissions/{uid}/receipts/{number}.json": on(submission),
    "POST /submissions/{uid}/files": on(draft, private=True, data=_SEEN, file="file.form"),
    "POST /submissions/{uid}/submit": on(submission, data=_SEEN),
    "POST /submissions/{uid}/withdraw": on(submission, data={**_SEEN, "reason": "试"}),
    "POST /submissions/{uid}/discard": on(draft, private=True, data=_SEEN),
    "POST /submissions/{uid}/accept": on(submission, data=_SEEN),
    "POST /submissions/{uid}/return": on(submission, data={**_SEEN, "note": "试"}),
    "POST /submissions/{uid}/reopen": on(submission, data={**_SEEN, "note": "试"}),
    "GET /occasions": plain(),
    "POST /occasions": plain(data={"item": "shanxi.gongmao-2024/cross-feedback/shanxi.cross-inspection-summary"}),
    "GET /review": plain(),
    "POST /review/accept": plain(data={}),
    "GET /refusals": plain(),
    "GET /refusals/{uid}/file": on(refusal),
    "GET /file": on(slot, params={"item": WEEKLY, "period": "<period>", "unit": "<unit>"}),
    "GET /slots/{number}": on(slot),
    "GET /slots/{number}/blank.{suffix}": on(slot, fixed={"suffix": "xlsx"}),
    "POST /slots/{number}/upload": on(slot, data={"message_id": "m-12345678"}, file="file.form"),
    "POST /slots/{number}/nil": on(slot, data={"message_id": "m-12345678"}),
    "GET /rollups": plain(),
    "POST /rollups": plain(data={**_PERIOD, "campaign": CAMPAIGN}),
    "GET /rollups/{uid}": on(rollup),
    "GET /rollups/{uid}/cells/{path}": on(rollup),
    "GET /rollups/{uid}/download.{suffix}": on(rollup, fixed={"suffix": "json"}),
    "GET /rollups/{uid}/own/file": on(rollup_with_file),
    "POST /rollups/{uid}/refresh": on(rollup, data=_ETAG),
    "GET /rollups/{uid}/own": on(rollup),
    "POST /rollups/{uid}/own": on(rollup, data=_ETAG),
    "POST /rollups/{uid}/own/file": on(rollup, data=_ETAG, file="file"),
    "POST /rollups/{uid}/own/drop": on(rollup, data=_ETAG),
    "GET /rollups/{uid}/adjustments": on(rollup),
    "POST /rollups/{uid}/adjustments": on(rollup, data=_ETAG),
    "POST /rollups/{uid}/adjustments/{index}/drop": on(rollup, data=_ETAG),
    "GET /rollups/{uid}/file": on(rollup),
    "POST /rollups/{uid}/file": on(rollup, data=_ETAG),
    "POST /logout": plain(data={}),
    "GET /account": plain(),
    "POST /account/tokens": plain(data={"name": "x", "days": "1", "scopes": "read"}),
    "POST /account/tokens/{number}/revoke": on(token, nobodys=True, data={}),
    "GET /account/password": plain(),
    "POST /account/password": plain(data={**_PASSWORD, "again": "different"}),
    "GET /admin": plain(),
    "GET /admin/users": plain(),
    "GET /admin/new-user": plain(),
    "POST /admin/new-user": on(user, data=_USER),
    "GET /admin/users/{login}": on(user),
    "POST /admin/users/{login}": on(user, data={"do": "unlock"}),
    "GET /admin/units": plain(),
    "GET /admin/exchange": plain(),
    "GET /admin/exchange/archives": plain(),
    "POST /admin/exchange/archives": plain(data={"campaign": CAMPAIGN}),
    "GET /admin/exchange/definitions": plain(),
    "GET /admin/exchange/definitions/{number}": plain(fixed={"number": 1}),
    "POST /admin/exchange/definitions/{region}/push": plain(fixed={"region": "nowhere"}, data={}),
    "POST /admin/exchange/definitions/{number}/use": plain(fixed={"number": 1}, data={"reason": "x"}),
    "POST /admin/exchange/reconcile": plain(data={}),
    "GET /admin/exchange/tasks": plain(),
    "POST /admin/exchange/tasks/{number}/{to}": plain(fixed={"number": 1, "to": "open"}, data={}),
    "GET /admin/exchange/{box}": plain(fixed={"box": "inbox"}),
    "POST /admin/exchange/{box}/{number}/again": plain(fixed={"box": "outbox", "number": 1}, data={}),
    "GET /admin/units/{ref}": on(unit),
    "POST /admin/units/changes": on(unit, data=_OPEN_PAGE),
}

ROUTES: dict[str, Entry] = {**API, **PAGES}
