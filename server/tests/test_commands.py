"""`gmsafety user` and `gmsafety unit`: what they do, print and refuse."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from gmsafety import Catalog, cli
from gmsafety_server.app import create_app
from gmsafety_server.node import Node, open_node
from gmsafety_server.settings import Settings
from gmsafety_server.tables import audit, users

Run = Callable[..., tuple[int, str, str]]
PASSWORD = "correct horse battery"


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command on a fresh installation: exit status, standard output, standard error."""
    monkeypatch.setenv("GMSAFETY_DATABASE", database)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def call(words: str, *more: str, told: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", StringIO(told))
        status = cli.main([*words.split(), *more])
        out, err = capfd.readouterr()
        return status, out, err

    return call


def add(run: Run, login: str, unit: str = "泽州县", *more: str) -> tuple[int, str, str]:
    told = ["--name", "某某", "--unit", unit, "--password-stdin", *more]
    return run("user add", login, *(more if "--role" in more else ["--role", "clerk"]), *told, told=f"{PASSWORD}\n")


def listed(run: Run, words: str) -> Any:
    status, out, err = run(words)

    assert (0, "") == (status, err)
    return json.loads(out)


def test_accounts_from_the_first_to_the_token(run: Run, database: str, catalog: Catalog) -> None:
    assert (0, "已新建账号：zezhou-1\n", "") == add(run, "zezhou-1", "140525", "--final")
    status, out, _ = run("user token zezhou-1 --name 试 --scope read --days 3")
    node = open_node(Settings(database=database), catalog=catalog)
    with TestClient(create_app(node)) as http:
        me = http.get("/api/v1/me", headers={"Authorization": f"Bearer {out.strip()}"}).json()
    node.db.close()

    assert 0 == status
    assert ("zezhou-1", "泽州县应急管理局", ["clerk"], False) == (
        me["login"],
        me["unit_name"],
        me["roles"],
        me["must_change"],
    )
    assert [("zezhou-1", "在用")] == [(u["login"], "在用") for u in listed(run, "user list --json")]


def test_a_password_is_generated_and_shown_once(run: Run) -> None:
    _, out, _ = run("user add zezhou-1 --name 某某 --unit 泽州县 --role clerk --generate")
    user = listed(run, "user list --json")[0]
    _, again, _ = run("user passwd zezhou-1 --generate")

    assert "初始密码" in out
    assert "新密码" in again
    assert user["must_change"]
    assert "password" not in user


def test_disabled_and_enabled(run: Run) -> None:
    add(run, "zezhou-1")
    said = [run("user disable zezhou-1")[1], listed(run, "user list --json")[0]["disabled_at"] is not None]
    said += [run("user enable zezhou-1")[1], listed(run, "user list --json")[0]["disabled_at"] is not None]

    assert ["已停用：zezhou-1\n", True, "已启用：zezhou-1\n", False] == said


REFUSED = [
    ("user add zezhou-2 --name 某某 --unit 某某局 --role clerk --generate", "没有名为“某某局”的单位"),
    ("user add zezhou-2 --name 某某 --unit 泽州县 --role king --generate", "roles"),
    ("user add Zezhou --name 某某 --unit 泽州县 --role clerk --generate", "login"),
    ("user add zezhou-1 --name 某某 --unit 泽州县 --role clerk --generate", "已有账号“zezhou-1”"),
    ("user add zezhou-2 --name 某某 --unit 泽州县 --role clerk --generate --password-stdin", "不能同时用"),
    ("user add zezhou-2 --name 某某 --unit 泽州县 --role clerk --password-stdin", "密码至少10位"),
    ("user passwd nobody --generate", "没有找到"),
    ("user disable nobody", "没有找到"),
    ("user token nobody", "没有可用的账号“nobody”"),
    ("user token zezhou-1 --days 366", "days"),
    ("user token zezhou-1 --scope all", "scopes"),
    ("unit show 某某局", "没有名为“某某局”的单位"),
    ("unit close 晋城市 --reason 试", "还有9个下级单位"),
    ("unit close 泽州县 --reason 试 --day 2020-01-01", "2020-01-01已过去"),
    ("unit close 泽州县", "缺少"),
    ("unit split 泽州县 --into x --reason 试", "应写作 甲=乙"),
    ("unit split 泽州县 --into a.b=甲 --child 高平市=a.c --reason 试", "没有新单位“a.c”"),
    ("unit assign 泽州县 shanxi.gongmao-2024 daily --reason 试", "没有任务"),
    (
        "unit open jincheng.x --name 某某 --role town --parent 泽州县 --level city --reason 试",
        "市级单位不能在县级单位之下",
    ),
]


def test_what_is_refused_is_said_in_a_sentence(run: Run) -> None:
    add(run, "zezhou-1")
    for words, said in REFUSED:
        status, out, err = run(words, told="short\n")

        assert (2, "") == (status, out), words
        assert said in err, words
        assert "Traceback" not in err


CHANGES = [
    (
        "unit open jincheng.bagong --name 巴公镇 --role town --level township --parent 泽州县 --alias 巴公",
        "设立　巴公镇　jincheng.bagong",
    ),
    ("unit rename jincheng.bagong 巴公街道", "更名　巴公镇"),
    ("unit move 泽州县 --to 长治市", "划转　巴公街道　jincheng.bagong"),
    ("unit split 高平市 --into jincheng.a-office=甲局 --into jincheng.b-office=乙局", "撤销　高平市应急管理局"),
    ("unit split 城区 --into jincheng.c-office=丙局 --keep", "保留　城区应急管理局"),
    (
        "unit merge jincheng.a-office jincheng.b-office --into jincheng.d-office --name 丁局",
        "设立　丁局　jincheng.d-office",
    ),
    ("unit merge jincheng.d-office --into 阳城县", "保留　阳城县应急管理局"),
    ("unit assign 晋城市 jincheng.gongmao-2024 summary", "增加任务　晋城市应急管理局"),
    ("unit unassign 陵川县 gongmao-2024 weekly-forms", "有几个"),
    ("unit unassign 陵川县 jincheng.gongmao-2024 weekly-forms", "取消任务　陵川县应急管理局"),
    ("unit close 沁水县", "撤销　沁水县应急管理局"),
]


def test_units_are_changed(run: Run) -> None:
    """One after the other, all from tomorrow or later; what a dry run says is what is done."""
    for number, (words, said) in enumerate(CHANGES):
        day = f"2099-01-{number + 1:02}"
        dry = run(words, "--reason", "依据某某文件", "--day", day, "--dry-run")
        done = run(words, "--reason", "依据某某文件", "--day", day)
        wrong = said == "有几个"

        assert (2 if wrong else 0) == dry[0] == done[0], dry + done
        assert said in done[2 if wrong else 1]
        assert dry[1].splitlines()[1:] == done[1].splitlines()[1:]


def test_units_are_listed_and_shown(run: Run) -> None:
    run("unit rename 泽州县 泽州区应急管理局 --reason 依据某某文件")
    below = listed(run, "unit list --under 晋城市 --json")
    shown = listed(run, "unit show 泽州区应急管理局 --json")[0]
    past = listed(run, "unit list --under 泽州县 --day 2020-01-01 --json")
    _, tree, _ = run("unit list --under 晋城市")
    _, card, _ = run("unit show jincheng.zezhou-office")

    assert 10 == len(below)
    assert ["泽州县应急管理局"] == [u["name"] for u in past]
    assert ["泽州区应急管理局", "泽州县应急管理局"] == [s["name"] for s in shown["spells"]]
    assert [("更名", "命令行")] == [(c["title"], c["by"]) for c in shown["changes"][1:]]
    assert "　高平市应急管理局" in tree
    assert "泽州区应急管理局　jincheng.zezhou-office" in card


def test_the_log_names_the_command_line_and_no_password(run: Run, database: str, catalog: Catalog) -> None:
    add(run, "zezhou-1")
    run("user passwd zezhou-1 --password-stdin", told="another password\n")
    run("unit rename 泽州县 泽州区应急管理局 --reason 依据某某文件")
    node: Node = open_node(Settings(database=database), catalog=catalog)
    with node.db.read() as tx:
        rows = tx.execute(select(audit.c.actor, audit.c.action, audit.c.data).order_by(audit.c.id)).all()
        hashed = tx.execute(select(users.c.password)).scalar_one()
    node.db.close()

    assert [("命令行", "user.added"), ("命令行", "user.changed"), ("命令行", "unit.rename")] == [
        tuple(r)[:2] for r in rows
    ]
    assert [] == [r.data for r in rows if PASSWORD in r.data or "another password" in r.data or hashed in r.data]
