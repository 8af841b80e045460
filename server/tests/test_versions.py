"""A new version of a form comes in the middle of a campaign: drafts, files and roll-ups of the old one go on."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from gmsafety import Catalog, load_catalog
from gmsafety.content import read_content
from gmsafety.duties import BEIJING
from gmsafety.forms import fill
from gmsafety.forms.record import Record
from gmsafety_server.app import create_app
from gmsafety_server.node import Node, open_node
from gmsafety_server.settings import Settings
from world import Person, StandingClock

REGION = Path(__file__).parents[2] / "tests" / "versions"
ITEM, BEFORE, AFTER = "versions.weekly", "2025-01-10", "2025-01-17"


def region(folder: Path, *forms: str) -> Catalog:
    """The catalog of the region with some versions of its weekly table."""
    package = folder / f"gmsafety_versions_{uuid4().hex}"
    (package / "forms").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name in ("region", "ledger-2024", "ledger-2025", *forms):
        target = package if name == "region" else package / "forms"
        (target / f"{name}.yaml").write_text((REGION / f"{name}.yaml").read_text("utf-8"), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        return load_catalog([read_content(package.name, plugin="versions", title="几个版本")])


@pytest.fixture
def old(tmp_path: Path) -> Catalog:
    """The plugin as it was first installed."""
    return region(tmp_path, "weekly-2024")


@pytest.fixture
def new(tmp_path: Path) -> Catalog:
    """The plugin after the upgrade: the second version opens on 2025-01-11."""
    return region(tmp_path, "weekly-2024", "weekly-2025")


@pytest.fixture
def database(empty_database: str, old: Catalog, prepared: Callable[[str], None], clock: StandingClock) -> str:
    prepared(empty_database)
    clock.set(datetime(2025, 1, 10, 9, 0, tzinfo=BEIJING))
    return empty_database


@pytest.fixture
def catalog(old: Catalog) -> Catalog:
    return old


@pytest.fixture
def upgraded(node: Node, database: str, new: Catalog, clock: StandingClock) -> Iterator[Callable[[Person], Person]]:
    """Start the node again with the new plugin; gives the same person there."""
    opened: list[Any] = []

    def upgrade(person: Person) -> Person:
        if not opened:
            opened.append(open_node(Settings(database=database, node="jincheng"), catalog=new, clock=clock))
            opened.append(TestClient(create_app(opened[0]), raise_server_exceptions=False).__enter__())
        return Person(opened[1], person.user_id, person.login, person.token, person.unit)

    yield upgrade
    for one in reversed(opened):
        one.__exit__(None, None, None) if isinstance(one, TestClient) else one.db.close()


def table(catalog: Catalog, version: str, day: str, unit: str = "高平市安委办", **values: int) -> Record:
    form = catalog.form(f"{ITEM}@{version}")
    given = {f"self.{k.replace('__', '.')}": v for k, v in values.items()}
    header = {"unit": unit, "date": date.fromisoformat(day)}
    return Record(form, header, {p: given.get(p) for p in form.blanks})


def filed(person: Person, record: Record, period: str, folder: Path, **more: Any) -> Any:
    return person.file(fill(record, folder / f"{uuid4().hex}.xlsx"), ITEM, period, **more)


def test_a_file_in_the_old_version_is_kept_in_the_new(
    person: Callable[..., Person],
    upgraded: Callable[[Person], Person],
    old: Catalog,
    clock: StandingClock,
    tmp_path: Path,
) -> None:
    clerk = person("versions.gaoping", "clerk")
    before = filed(clerk, table(old, "2024-1", BEFORE, firms=12, found=9, fixed=7), BEFORE, tmp_path)
    assert before.status_code == 201, before.text
    clerk = upgraded(clerk)
    clock.set(datetime(2025, 1, 17, 9, 0, tzinfo=BEIJING))

    fallen = filed(clerk, table(old, "2024-1", AFTER, firms=12, found=8, fixed=7), AFTER, tmp_path, reason="上期有误")
    told = fallen.json()

    assert fallen.status_code == 201, fallen.text
    assert (told["body"]["version"], told["body"]["values"]["self"]["general"]) == ("2025-1", {"found": 8, "fixed": 7})
    assert {"GM-S224", "GM-P501"} == {f["code"] for f in told["findings"]}
    was = clerk.get(f"/submissions/{before.json()['uid']}").json()
    assert (was["body"]["version"], was["body"]["values"]["self"]["found"]) == ("2024-1", 9)


def test_a_draft_of_the_old_version_is_filed_in_the_new(
    person: Callable[..., Person], upgraded: Callable[[Person], Person], old: Catalog, clock: StandingClock
) -> None:
    clerk = person("versions.gaoping", "clerk")
    values = {"self": {"firms": 12, "found": 9, "fixed": 7, "fine": None}, "publicity": {"text": None}}
    header = {"unit": "高平市安委办", "date": AFTER}
    body = {"form": ITEM, "version": "2024-1", "header": header, "values": values}
    told = {"message_id": "m-draft-0001", "item": ITEM, "period": AFTER, "action": "draft", "body": body}
    clock.set(datetime(2025, 1, 13, 9, 0, tzinfo=BEIJING))
    draft = clerk.post("/submissions", json=told)
    assert draft.status_code == 201, draft.text
    clerk = upgraded(clerk)
    uid, etag = draft.json()["uid"], draft.json()["etag"]

    done = clerk.send("POST", f"/submissions/{uid}/submit", seen=etag, json={})
    now = clerk.get(f"/submissions/{uid}").json()

    assert done.status_code == 200, done.text
    assert now["state"] == "submitted"
    assert (now["body"]["version"], now["body"]["values"]["self"]["general"]) == ("2025-1", {"found": 9, "fixed": 7})


def test_json_in_either_version_is_taken(
    person: Callable[..., Person], upgraded: Callable[[Person], Person], clock: StandingClock
) -> None:
    clerk = upgraded(person("versions.gaoping", "clerk"))
    clock.set(datetime(2025, 1, 17, 9, 0, tzinfo=BEIJING))
    values = {"self": {"firms": 12, "found": 9, "fixed": 7, "fine": 30000}, "publicity": {"text": None}}
    body = {"form": ITEM, "version": "2024-1", "header": {"unit": "高平市安委办", "date": AFTER}, "values": values}
    told = {"message_id": "m-json-00001", "item": ITEM, "period": AFTER, "body": body, "reason": "旧表"}

    done = clerk.post("/submissions", json=told)

    assert done.status_code == 201, done.text
    assert done.json()["body"]["values"]["self"]["general"]["found"] == 9
    assert {"GM-S224", "GM-S226"} == {f["code"] for f in done.json()["findings"]}
    assert (
        clerk.post(
            "/submissions", json=told | {"message_id": "m-json-00002", "body": body | {"version": "1"}}
        ).status_code
        == 422
    )


def test_a_roll_up_of_the_new_period(
    person: Callable[..., Person], upgraded: Callable[[Person], Person], old: Catalog, new: Catalog, clock: StandingClock,
    tmp_path: Path,
) -> None:  # fmt: skip
    clerks = {unit: upgraded(person(f"versions.{unit}", "clerk")) for unit in ("gaoping", "lingchuan")}
    city = upgraded(person("versions.city", "clerk", "reviewer"))
    clock.set(datetime(2025, 1, 17, 9, 0, tzinfo=BEIJING))
    told = table(old, "2024-1", AFTER, firms=12, found=9, fixed=7)
    first = filed(clerks["gaoping"], told, AFTER, tmp_path, reason="旧表").json()
    told = table(new, "2025-1", AFTER, "陵川县安委办", firms=3, general__found=4, major__found=1)
    second = filed(clerks["lingchuan"], told, AFTER, tmp_path).json()
    for one in (first, second):
        city.send("POST", f"/submissions/{one['uid']}/accept", seen=one["etag"], json={})

    made = city.post("/rollups", json={"item": ITEM, "period": AFTER})

    assert made.status_code == 201, made.text
    assert made.json()["body"]["values"]["self"]["general"]["found"] == 13
