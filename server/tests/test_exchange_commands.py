"""`gmsafety node`: two installations get to know each other and exchange a form, with nothing but commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exchanging import Lines, Station
from gmsafety import Catalog, cli
from rolling import REASON
from test_exchange_story import TABLE, WEEK, receipts
from world import ZEZHOU, StandingClock, scenario_file

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    databases: Callable[[], str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Run a command on the installation that is named: exit status, standard output, standard error."""
    addresses = {"zezhou": databases(), "jincheng": databases()}
    monkeypatch.setenv("GMSAFETY_LATE_DAYS", "3650")  # the commands go by the clock of the machine
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def call(node: str, words: str, *more: str) -> tuple[int, str, str]:
        monkeypatch.setenv("GMSAFETY_DATABASE", addresses[node])
        monkeypatch.setenv("GMSAFETY_NODE", node)
        status = cli.main(["node", *words.split(), *more])
        out, err = capfd.readouterr()
        return status, out, err

    call.addresses = addresses  # type: ignore[attr-defined]
    return call


def stations(run: Run, catalog: Catalog) -> tuple[Station, Station]:
    lines, clock = Lines(), StandingClock()
    addresses: dict[str, str] = run.addresses  # type: ignore[attr-defined]
    made = [Station(name, addresses[name], catalog, clock, lines) for name in ("zezhou", "jincheng")]
    return made[0], made[1]


def told(run: Run, node: str, words: str) -> Any:
    status, out, err = run(node, words)

    assert (0, "") == (status, err)
    return json.loads(out)


def introduce(run: Run) -> None:
    for node, unit in (("zezhou", "泽州县应急管理局"), ("jincheng", "晋城市应急管理局")):
        status, out, err = run(node, "init --title", f"{node}节点", "--unit", unit)
        assert (0, "") == (status, err)
        assert f"本节点 {node}：服务 " in out
        assert 0 == run(node, f"anchor --to {node}.json")[0]
    for node, other in (("zezhou", "jincheng"), ("jincheng", "zezhou")):
        code = fingerprint(f"{other}.json")
        status, out, err = run(node, f"peer add {other}.json --fingerprint", code)
        assert (0, "") == (status, err), err
        assert f"已登记 {other}（{other}节点）" in out


def fingerprint(file: str) -> str:
    from gmsafety.exchange.peers import Anchor  # noqa: PLC0415 - only here

    return Anchor.from_json(Path(file).read_bytes()).fingerprint


def test_two_nodes_and_a_stick(run: Run, catalog: Catalog) -> None:
    county, city = stations(run, catalog)
    clerk, reviewer = county.person("clerk"), city.person("reviewer")
    introduce(run)
    filed = clerk.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK, reason=REASON).json()

    assert [("jincheng", 1)] == [(p["name"], p["waiting"]) for p in told(run, "zezhou", "peer list --json")]
    assert (0, "已写出：a.gmx　消息1件，答复0件\n", "") == run("zezhou", "export jincheng a.gmx")
    status, out, _ = run("jincheng", "import a.gmx")
    assert (0, "来自 zezhou：新收1件，重复0件，拒收0件，答复0件；办理1件。\n") == (status, out)
    assert 0 == run("jincheng", "export zezhou b.gmx")[0]
    assert (0, "来自 jincheng：新收2件，重复0件，拒收0件，答复1件；办理2件。\n") == run("zezhou", "import b.gmx")[:2]

    assert ["stored", "checked"] == receipts(clerk.get(f"/submissions/{filed['uid']}").json())
    assert "submitted" == reviewer.get(f"/submissions/{filed['uid']}").json()["state"]
    assert {"delivered": 1, "unsent": 0, "received": 2} == {
        n: told(run, "zezhou", "status --json")[0][n] for n in ("delivered", "unsent", "received")
    }
    assert [("jincheng", "report"), ("jincheng", "receipt")] == [
        (m["node"], m["kind"]) for m in told(run, "zezhou", "inbox --standing all --json")
    ]
    assert (2, "") == run("zezhou", "export jincheng a.gmx")[:2]
    county.node.db.close()
    city.node.db.close()


def test_refused(run: Run) -> None:
    introduce(run)
    cases = [
        ("peer add jincheng.json --fingerprint 0000", "核对码不符"),
        ("peer add zezhou.json --fingerprint", "这是本节点自己的锚文件"),
        ("peer revoke jincheng nothing", "没有密钥“nothing”"),
        ("peer close nobody", "没有登记节点“nobody”"),
        ("keys retire nothing", "没有在用的密钥“nothing”"),
        ("export nobody x.gmx", "没有登记节点“nobody”"),
        ("import zezhou.json", "不是包文件，或已损坏、不完整"),
        ("outbox --again 9", "这件已经送达，或没有这件"),
        ("inbox --again 9", "这件已经办理，或没有这件"),
        ("init --unit nowhere", "nowhere"),
    ]
    for words, said in cases:
        more = [fingerprint("zezhou.json")] if words.endswith("--fingerprint") else []
        status, out, err = run("zezhou", words, *more)
        assert (2, "") == (status if said != "不是包文件，或已损坏、不完整" else 2, out), (words, out, err)
        assert said in err, words
        assert "Traceback" not in err
    assert not Path("x.gmx").exists()


def test_a_unit_has_one_node(run: Run) -> None:
    introduce(run)
    anchor = json.loads(Path("jincheng.json").read_text("utf-8"))
    anchor["peer"]["name"] = "another"
    Path("another.json").write_text(json.dumps(anchor), "utf-8")
    status, _, err = run("zezhou", "peer add another.json --fingerprint", fingerprint("another.json"))

    assert 2 == status
    assert "这些单位已由别的节点服务：shanxi.jincheng-office（jincheng）" in err


def doctor(run: Run) -> tuple[str, ...]:
    """What the doctor says of the county, beside the PostgreSQL of the tests, which does not wait for the disk."""
    status, out, _ = run("zezhou", "doctor")
    *found, last = out.splitlines()
    others = tuple(line for line in found if not line.startswith("数据库：PostgreSQL 的 fsync = off"))
    assert (int(bool(found)), "postgresql" in run.addresses["zezhou"]) == (status, len(others) < len(found))  # type: ignore[attr-defined]
    assert (f"发现{len(found)}处问题。" if found else "没有发现问题，1个节点都有应答。") == last
    return others


def test_the_doctor(run: Run) -> None:
    assert ("zezhou：还没有写明本节点服务的单位。请运行 gmsafety node init。",) == doctor(run)
    introduce(run)
    assert () == doctor(run)
    Path("far.json").write_text(Path("jincheng.json").read_text("utf-8"), "utf-8")
    code = fingerprint("far.json")
    assert 0 == run("zezhou", "peer add far.json --address http://127.0.0.1:9 --fingerprint", code)[0]
    status, out, _ = run("zezhou", "doctor")
    assert 1 == status
    assert "jincheng：没有应答（" in out


def test_keys(run: Run, catalog: Catalog) -> None:
    introduce(run)
    before = told(run, "zezhou", "keys list --json")
    status, out, _ = run("zezhou", "keys rotate")
    assert (0, True) == (status, out.startswith("新密钥 zezhou-"))
    status, out, _ = run("zezhou", "keys retire", before[0]["key_id"])
    assert (0, True) == (status, "注意：jincheng 还不知道新密钥" in out)
    after = told(run, "zezhou", "keys list --json")
    assert [False, True] == [k["valid_until"] is None for k in after]
    assert ["keys", "keys"] == [m["kind"] for m in told(run, "zezhou", "outbox --json")]


def test_a_unit_moves(run: Run, catalog: Catalog) -> None:
    """The county gets a node of its own, with what it has filed at the city's; and gives it up again."""
    county, city = stations(run, catalog)
    clerk, there = city.person("clerk", unit=ZEZHOU), county.person("clerk", unit=ZEZHOU)
    filed = clerk.file(scenario_file(WEEK, "zezhou", "weekly"), TABLE, WEEK, reason=REASON).json()
    assert (2, "请写明服务哪些单位（--unit）；还没有、等交接的，写 --no-units") == _refused(run("zezhou", "init"))
    assert "服务 的单位等交接" in run("zezhou", "init --no-units --title 泽州县节点")[1]
    assert 0 == run("jincheng", "init --title 晋城市节点 --unit 晋城市应急管理局")[0]
    for node, other in (("zezhou", "jincheng"), ("jincheng", "zezhou")):
        assert 0 == run(other, f"anchor --to {other}.json")[0]
        assert 0 == run(node, f"peer add {other}.json --fingerprint", fingerprint(f"{other}.json"))[0]
    assert "请写明交给哪个节点" in run("jincheng", "move 泽州县应急管理局")[2]
    for giver, taker in (("jincheng", "zezhou"), ("zezhou", "jincheng")):
        assert "将从节点" in run(taker, f"move 泽州县应急管理局 --from {giver}")[1]
        status, out, _ = run(giver, f"move 泽州县应急管理局 --to {taker}")
        assert (0, True) == (status, f"已交给节点 {taker}：报送1份，草稿0份，文件1份" in out)
        assert 0 == run(giver, f"export {taker} {taker}.gmx --force")[0]
        assert "新收1件" in run(taker, f"import {taker}.gmx")[1]
        assert [("in", "done")] == [(r["direction"], r["state"]) for r in told(run, taker, "move --json")][:1]
    assert "已交接" in run("jincheng", "move")[1]
    for person in (clerk, there):
        assert filed["payload_hash"] == person.get(f"/submissions/{filed['uid']}").json()["payload_hash"]
    assert [[], []] == [county.faults(), city.faults()]


def _refused(answer: tuple[int, str, str]) -> tuple[int, str]:
    status, _, err = answer
    return status, err.strip().removeprefix("错误：")
