"""Each room of the client, once from beginning to end: what is asked for is what the server gives."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from gmsafety.client import Adjustment, Client, Enclosure, NewUnit, ProblemError, Successor
from gmsafety.duties import BEIJING
from gmsafety.forms import read
from gmsafety.forms.printed import from_printed, to_printed
from world import CITY, GAOPING, OTHER_CITY, PASSWORD, PROVINCE, SCENARIO, ZEZHOU, scenario_file

WEEK = "2024-12-27"
TABLE, LEDGER = "weekly-dispatch", "major-hazard-ledger"
CAMPAIGN = "jincheng.gongmao-2024"
NANCUN = "jincheng.nancun-office"


def on(day: str) -> Any:
    return {"day": day, "reason": "依据某某发〔2024〕1号"}


TODAY = on(WEEK)


def test_account(address: str, person: Callable[..., Any]) -> None:
    person(ZEZHOU, "clerk", login="zezhou")
    with Client.log_in(address, "zezhou", PASSWORD, scopes=["read", "account"], days=1, name="试用") as client:
        me, (first, *_) = client.account.me(), client.account.tokens()
        client.account.change_password(PASSWORD, "another good password")
        second = client.account.make_token("zezhou", "another good password")
        client.account.revoke(second)
        states = {t.id: t.revoked_at is not None for t in client.account.tokens()}
        client.account.revoke(first)
        with pytest.raises(ProblemError) as over:
            client.account.me()
    with pytest.raises(ProblemError) as wrong:
        Client.log_in(address, "zezhou", PASSWORD)

    assert ("zezhou", ("clerk",), {"read", "account"}) == (me.login, me.roles, set(me.scopes))
    assert ("试用", False, True) == (first.name, states[first.id], states[second.id])
    assert second.token.get_secret_value() not in repr(second)
    assert ("GM-H411", "GM-H412") == (over.value.code, wrong.value.code)


def test_users(client: Callable[..., Client]) -> None:
    users = client(CITY, "administrator").users
    made = users.add("new-clerk", name="某某", unit=ZEZHOU, roles=["clerk"])
    changed = users.change("new-clerk", roles=["clerk", "reviewer"], disabled=True)

    assert made.must_change
    assert made.password is not None
    assert (("clerk", "reviewer"), True) == (changed.roles, changed.disabled_at is not None)
    assert changed == users.get("new-clerk")
    assert ["new-clerk"] == [u.login for u in users.find(unit=ZEZHOU, disabled=True)]


def test_units(client: Callable[..., Client]) -> None:
    units = client(CITY, "administrator").units
    town = NewUnit(
        ref=NANCUN, name="南村镇应急管理站", parent=ZEZHOU, area="140525100", level="township", role="town-office"
    )
    halves = [Successor(ref=f"jincheng.{n}", name=n) for n in ("north", "south")]
    tried = units.open(town, **TODAY, dry_run=True)
    opened = units.open(town, **TODAY)
    moved = units.move(NANCUN, GAOPING, **TODAY)
    renamed = units.rename(NANCUN, "南村镇应急站", **TODAY)
    owing = units.assign(NANCUN, CAMPAIGN, "summary", **TODAY)
    free = units.unassign(NANCUN, CAMPAIGN, "summary", **TODAY)
    split = units.split(NANCUN, halves, **on("2024-12-28"))
    merged = units.merge([s.ref for s in halves], GAOPING, **on("2024-12-29"))
    closed = units.close("jincheng.jincheng-gxj", **on("2024-12-29"))

    assert (None, True, "opened") == (tried.id, tried.dry_run, tried.units[0].effect)
    assert [(NANCUN, "opened")] == [(u.ref, u.effect) for u in opened.units]
    assert ["move", "rename", "split", "merge", "close"] == [o.kind for o in (moved, renamed, split, merged, closed)]
    assert (1, 1) == (owing.added, free.removed)
    assert {"open", "move", "rename", "assign", "unassign", "split"} == {c.kind for c in units.get(NANCUN).changes}
    assert GAOPING in {u.ref for u in units.find(under=CITY, level="county")}


def test_reference(client: Callable[..., Client], tmp_path: Path) -> None:
    clerk = client(ZEZHOU, "clerk")
    reference, file = clerk.reference, scenario_file(WEEK, "gaoping", "weekly")
    campaign = next(c for c in reference.campaigns() if c.ref == CAMPAIGN)
    checked = reference.check_file(file, unit=ZEZHOU)
    nil = reference.check(None, item=TABLE, period=WEEK)
    filed = clerk.submissions.file_nil(TABLE, WEEK)
    opinion = reference.verify(filed.receipts[0])
    reference.download_blank(TABLE, "docx", tmp_path / "blank.docx")
    issued = reference.download_blank(TABLE, "xlsx", period=WEEK)

    assert ("weekly-forms", "summary", "warning-education", "compile-for-province") == campaign.duties
    assert set(campaign.duties) == {d.id for d in reference.duties(campaign)}
    assert {f"shanxi.{TABLE}", f"shanxi.{LEDGER}"} <= {f.ref for f in reference.forms()}
    assert "self.major.found" in {f.id for f in reference.form(TABLE).fields}
    assert "properties" in reference.schema(TABLE)
    assert (f"shanxi.{TABLE}", "account-differs") == (checked.item, checked.findings[0].kind)
    assert (date(2024, 12, 27), 0) == (nil.period, nil.errors)
    assert ("valid", filed.receipts[0].code) == (opinion.verdict, opinion.code)
    assert (tmp_path / "blank.docx").stat().st_size > 10_000
    assert b"gmsafety-period" in zipfile.ZipFile(io.BytesIO(issued)).read("docProps/custom.xml")


def test_node(address: str) -> None:
    with Client(address) as stranger:
        about = stranger.node.about()
        codes = {p.code for p in stranger.node.problems()}

        assert stranger.node.is_well()
        assert [k.public for k in about.keys] == list(stranger.node.keys())
        assert "GM-H460" in codes
        assert "GM-H460" == stranger.node.problem("stale").code


def test_board_and_feeds(client: Callable[..., Client]) -> None:
    clerk, reviewer = client(ZEZHOU, "clerk"), client(CITY, "reviewer")
    filed = clerk.submissions.file_nil(LEDGER, WEEK)
    due = {(d.item.partition(".")[2], d.state) for d in clerk.board.due(first=WEEK, last=WEEK).items}
    board = reviewer.board.show(item=LEDGER, first=WEEK, last=WEEK, q="泽州")
    units = reviewer.board.units(item=LEDGER, first=WEEK, last=WEEK, state="nil", area="140500", sort="nil")
    summary = reviewer.board.summary(item=LEDGER, first=WEEK, last=WEEK)
    feed = clerk.feeds.make()
    calendar = clerk.feeds.calendar(feed)
    clerk.feeds.revoke(feed)
    with pytest.raises(ProblemError):
        clerk.feeds.calendar(feed)

    assert {(LEDGER, "nil"), (TABLE, "due")} == due
    assert [(ZEZHOU, filed.uid)] == [(r.unit, r.cells[0].submission) for r in board.rows if r.cells[0]]
    assert board.rows[0].cells[0] == board.cell(ZEZHOU, WEEK)
    assert (1, [(ZEZHOU, 1, 1.0)]) == (units.total, [(u.unit, u.totals.nil, u.totals.completeness) for u in units.rows])
    assert 1 == {g.unit: g.totals.nil for g in summary.groups}[ZEZHOU]
    assert calendar.startswith(b"BEGIN:VCALENDAR")
    assert [feed.id] == [f.id for f in clerk.feeds.all() if f.revoked_at]


def test_submissions_as_files(client: Callable[..., Client], tmp_path: Path) -> None:
    clerk = client(ZEZHOU, "clerk").submissions
    filed = clerk.file(scenario_file(WEEK, "zezhou", "ledger"), LEDGER, WEEK)
    again = clerk.correct_form(filed, clerk.get(filed).body)
    with pytest.raises(ProblemError) as refused:
        clerk.file(Enclosure("坏.xlsx", b"not a workbook"), TABLE, WEEK)
    kept = next(clerk.refusals(item=f"shanxi.{TABLE}"))
    words = clerk.receipt_words(again, 1)

    assert ("superseded", 2, True) == (clerk.get(filed.uid).state, again.revision, again.current)
    assert () == clerk.diff(again, filed).changes
    assert again.receipts[0] == clerk.receipt(again, 1)
    assert "已收到 泽州县应急管理局" in words
    assert clerk.download_form(again, "docx", tmp_path / "form.docx") == (tmp_path / "form.docx").read_bytes()
    assert ("unreadable", refused.value.more["kept"]) == (refused.value.slug, kept.uid)
    assert kept == clerk.refusal(kept)
    assert b"not a workbook" == clerk.download_refused(kept)


def test_the_same_form_as_json(client: Callable[..., Client], catalog: Any) -> None:
    clerk, path = client(GAOPING, "clerk").submissions, scenario_file(WEEK, "gaoping", "weekly")
    record = read(path, catalog).record
    filed = clerk.file(path, TABLE, WEEK)
    as_record = clerk.correct_form(filed, record)
    as_paper = clerk.correct_form(as_record, to_printed(record))

    assert any(isinstance(n, float) for n in to_printed(record)["clauses"]["5"]["numbers"])
    assert (filed.body, filed.body, 3) == (as_record.body, as_paper.body, as_paper.revision)


def test_deliverable(client: Callable[..., Client], clock: Any, tmp_path: Path) -> None:
    clock.set(clock.now().replace(year=2025, month=3, day=20))
    clerk = client(ZEZHOU, "clerk").submissions
    clerk_files = [
        Enclosure.read(scenario_file(WEEK, "yangcheng", "weekly"), "editable"),
        Enclosure("总结.pdf", b"%PDF-1.7 ...", "scan"),
    ]
    filed = clerk.file(clerk_files, f"{CAMPAIGN}/summary/summary", "2025-03-25")

    assert ["editable", "scan"] == [f.artefact for f in filed.files]
    assert b"%PDF-1.7 ..." == clerk.download(filed, filed.files[1], tmp_path / "总结.pdf")


def test_occasions(client: Callable[..., Client], clock: Any) -> None:
    clock.set(datetime(2025, 3, 12, 10, 0, tzinfo=BEIJING))
    inspecting = client(OTHER_CITY, "clerk")
    hand_over = next(o for o in inspecting.occasions.all() if o.duty == "hand-over")
    begun = inspecting.occasions.begin(hand_over.item, "2025-03-11")
    content = {
        "header": {"enterprise": "某某铸造有限公司", "date": "2025-03-11"},
        "rows": [{"number": 1, "detail": "积尘"}],
    }
    filed = inspecting.submissions.file_form(
        content, begun.item, begun.period, campaign=begun.campaign, reason="现场签字件另存"
    )

    assert [CITY] == [a.unit for a in hand_over.to]
    assert begun.draft is None
    assert (begun.item, begun.period, 1) == (filed.item, filed.period, filed.revision)


def test_rollups(client: Callable[..., Client], catalog: Any) -> None:
    county, reviewer, city = client(ZEZHOU, "clerk"), client(CITY, "reviewer"), client(CITY, "clerk")
    filed = county.submissions.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK)
    rollups, own = city.rollups, SCENARIO / f"city_own_{WEEK}.json"
    empty = rollups.make(TABLE, WEEK)
    full = rollups.remake(empty, "submitted")
    with_own = rollups.set_own_file(full, own)
    kept = rollups.download_own(with_own)
    same = rollups.set_own(rollups.drop_own(with_own), read_own(own, catalog), file=own.name)
    adjusted = rollups.adjust(same, [Adjustment("self.major.found", "两县重复填报", delta=-1)])
    reviewer.submissions.accept(filed)
    fresh = rollups.refresh(rollups.get(adjusted))
    sent = rollups.file(fresh, reason="五县未报")
    again = rollups.file(fresh, reason="五县未报")
    totals = reviewer.rollups.totals(TABLE, WEEK, level="county", by="city")

    assert (0, 1) == (len(empty.sources), len(full.sources))
    assert own.read_bytes() == kept
    assert with_own.printed == same.printed
    assert (full["self.major.found"].value - 1, ["两县重复填报"]) == (
        adjusted["self.major.found"].value,
        [a.reason for a in adjusted.adjustments],
    )
    assert ("filed", sent) == (sent.state, again)
    assert {"lower", "adjustment"} == {p.kind for p in rollups.open(sent, "self.major.found").parts}
    assert [sent.uid] == [r.uid for r in rollups.find(item=f"shanxi.{TABLE}", state="filed")]
    assert full["self.major.found"].value == totals.total.sums["self.major.found"]
    assert 1 == sum(1 for _ in client(PROVINCE, "reviewer").submissions.find(unit=CITY, period=WEEK))


def read_own(path: Path, catalog: Any) -> Any:
    return from_printed(json.loads(path.read_text("utf-8")), catalog.form(TABLE))


def test_rules(client: Callable[..., Client]) -> None:
    rules, resumption = client(ZEZHOU, "clerk").rules, "jincheng.zezhou-resumption-2025"
    smelter = {"metal_smelting": True, "blast_furnace": False}
    routed = next(r for r in rules.route(resumption, smelter) if r.purpose == "guidance")
    (verdict,) = rules.gate(resumption, {"open_majors": 1}, smelter, {"no-majors": "已组织专家论证"})

    assert {"jincheng.checklist"} <= {c.ref for c in rules.checklists()}
    assert 36 == rules.checklist("jincheng.checklist").items
    assert {"resumption"} == {g["id"] for g in rules.of(resumption).gates}
    assert (("county-office",), True) == (routed.to, routed.experts)
    assert ("deny", {"no-majors": "已组织专家论证"}) == (verdict.verdict, verdict.waivers)
