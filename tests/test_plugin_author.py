"""A region's author: a new region conforms as it is, and whatever is broken in it is said with file, line and remedy."""

import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import jsonschema_rs
import pytest
import yaml

from gmsafety import cli
from gmsafety.codes import AreaTable
from gmsafety.starter import LICENCES, new_region
from gmsafety.testing import needed_by, plugin_in, plugin_named
from gmsafety.yamlschema import FILES, yaml_schema

ROOT = Path(__file__).parents[1]
PACKAGE = "gmsafety_yangqu"
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run the command; gives the exit status and everything that was printed."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str | Path) -> tuple[int, str]:
        capfd.readouterr()
        status = cli.main([str(w) for w in words])
        return status, "".join(capfd.readouterr())

    return run


@pytest.fixture
def region(tmp_path: Path, say: Say) -> Path:
    """A new region, as the command makes it."""
    folder = tmp_path / "yangqu"

    assert 0 == say("plugin", "new", "yangqu", "--to", folder, "--area", "140122")[0]
    return folder


# --- a new region ------------------------------------------------------------------------------------------------


def test_a_new_region_conforms_as_it_is(region: Path, say: Say) -> None:
    status, said = say("plugin", "check", region)

    assert 0 == status, said
    assert said.startswith("yangqu  阳曲县  没有问题\n")
    assert 13 == said.count("✓")
    assert "✗" not in said


def test_a_new_region_has_one_of_each_kind(region: Path) -> None:
    with plugin_in(region) as plugin:
        content = plugin.content

    assert content is not None
    campaign = content.campaigns[0]
    clauses, grid = sorted(content.forms, key=lambda f: f.is_grid)

    assert {"recurring", "once", "quota"} == {d.kind for d in campaign.duties}
    assert all((campaign.tasks, campaign.targets, campaign.routes, campaign.gates, campaign.watches, campaign.errata))
    assert all((content.documents, content.units, content.areas, content.actors, content.checklists))
    assert (False, True) == (clauses.is_grid, grid.is_grid)
    assert all((clauses.rules, clauses.rollup, grid.rollup))


def test_its_own_tests_pass(region: Path) -> None:
    """In an environment of its own it would be installed; here its folder stands on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--rootdir", region, region],
        env={**os.environ, "PYTHONPATH": str(region), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=region, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout
    assert "4 passed" in done.stdout


def test_a_new_region_is_short() -> None:
    """Fewer than 200 lines, forms, tests and licence included; a division with many below has a line for each."""
    areas = AreaTable.national()
    upper = ["140122", *(code for code in areas if areas.children(code))]
    lines = {code: sum(t.count("\n") for t in new_region("yangqu", code).files().values()) for code in upper}

    assert max(lines["140122"], lines["140500"], lines["140000"]) < 200
    assert all(len(areas.children(code)) >= 20 for code, count in lines.items() if count >= 200)


@pytest.mark.parametrize("area", ["140122", "140500", "140000", "120000"])
@pytest.mark.parametrize("licence", LICENCES)
def test_any_division_and_licence(area: str, licence: str, tmp_path: Path) -> None:
    files = new_region("my-region", area, licence=licence).files()
    project = tomllib.loads(files["pyproject.toml"])["project"]

    assert {"my-region": "gmsafety_my_region"} == project["entry-points"]["gmsafety"]
    assert ("LICENSE" in files) == ("license" in project) == (licence != "none")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    with plugin_in(tmp_path) as plugin:
        assert () == plugin.problems
        assert plugin.content
        assert 1 + len(AreaTable.national().children(area) or "ab") == len(plugin.content.units)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new", "Yangqu", "--area", "140122"], "“Yangqu”不能作插件的名称"),
        (["new", "../x", "--area", "140122"], "“../x”不能作插件的名称"),
        (["new", "x", "--area", "140199"], "没有行政区划“140199”"),
        (["new", "x", "--area", "140122", "--title", "a: b"], "“a: b”不能作地区的名称"),
        (["new", "x", "--area", "140122", "--level", "town"], "没有名为“town”的级别"),
        (["new", "x", "--area", "140122", "--licence", "GPL"], "没有名为“GPL”的许可证"),
        (["new", "shanxi", "--area", "140122"], "已经装有名为“shanxi”的插件"),
        (["check", "nowhere"], "没有文件夹“nowhere”；没有名为“nowhere”的插件"),
    ],
)
def test_wrong_use(words: list[str], said: str, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, printed = say("plugin", *words)

    assert 2 == status
    assert said in printed
    assert [] == list(tmp_path.iterdir())


def test_what_is_there_is_not_overwritten(region: Path, say: Say) -> None:
    before = (region / "README.md").read_text("utf-8")
    (region / "README.md").write_text("我的", "utf-8")
    status, said = say("plugin", "new", "other", "--to", region, "--area", "140500")

    assert 2 == status
    assert "已经存在，没有写入" in said
    assert "我的" == (region / "README.md").read_text("utf-8") != before


def test_what_is_not_given_is_asked_for(tmp_path: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("140122\n示例县\n\n"))
    status, said = say("plugin", "new", "yangqu", "--to", tmp_path / "yangqu")

    assert 0 == status
    assert "行政区划代码: 地区的名称 [阳曲县]: 级别 [county]: 已新建" in said
    units = (tmp_path / f"yangqu/{PACKAGE}/units.yaml").read_text("utf-8")
    assert "name: 示例县应急管理局, area: 140122, level: county" in units


# --- what is broken is said --------------------------------------------------------------------------------------

FORM, LEDGER, CAMPAIGN = f"{PACKAGE}/forms/weekly.yaml", f"{PACKAGE}/forms/ledger.yaml", f"{PACKAGE}/campaign.yaml"
CHECKLIST, INIT = f"{PACKAGE}/checklists/checklist.yaml", f"{PACKAGE}/__init__.py"
STOPPING = (
    # file, what stands there, what the author wrote, what is said: place, text, remedy
    ("pyproject.toml", "[build-system]", "[build-system", "pyproject.toml:1: 不是合法的TOML"),
    ("pyproject.toml", "[project.entry-points.gmsafety]", "[project.entry-points.x]", "pyproject.toml:1: 应有一个入口点，现有0个"),
    ("pyproject.toml", '"gmsafety_yangqu"\n\n', '"gmsafety_yangku"\n\n', "pyproject.toml:1: 没有入口点所写的包“gmsafety_yangku”"),
    (INIT, "def gmsafety", "def 1", "__init__.py:8: Python代码出错：SyntaxError"),
    (INIT, "from gmsafety.content", "from gmsafety_no_such", "__init__.py:3: Python代码出错：ModuleNotFoundError"),
    (INIT, "    return ", "    1 / 0\n    return ", "__init__.py:10: Python代码出错：ZeroDivisionError"),
    (INIT, "    return ", "    raise SystemExit(7)\n    return ", "__init__.py:10: Python代码出错：SystemExit"),
    (INIT, "    return ", "    ", "__init__.py:1: 没有给出内容"),
    (INIT, "def gmsafety_content", "def gmsafety_contents", "__init__.py:1: 没有给出内容"),
    (INIT, 'plugin="yangqu"', 'plugin="yangku"', "pyproject.toml:1: 入口点叫“yangqu”，内容自称“yangku”"),
    (CAMPAIGN, "    title: 阳曲县工贸", "   title: 阳曲县工贸", "campaign.yaml:3: 不是合法的YAML"),
    (CAMPAIGN, "document: notice\n", "dokument: notice\n", "campaign.yaml:4: campaigns.0.dokument：没有这个键（请删去或改正这个键）"),
    (CAMPAIGN, "every: friday 12:00", "every: thursday 12:00", "第一次2026-03-06不是thursday"),
    (CAMPAIGN, "yangqu.yangqu-weekly", "yangqu.weekly", "要报的表“yangqu.weekly”没有登记（请写全名（插件.id））"),
    (FORM, "{fine:money}", "{fine:gold}", "forms/weekly.yaml"),
)  # fmt: skip
LOADING = (
    # file, what stands there, what the author wrote, what is said: place, text, remedy
    ("pyproject.toml", '"gmsafety>=0.1"', '"pydantic"', "pyproject.toml:1: 没有写明依赖“gmsafety”（请写入 dependencies）"),
    (CAMPAIGN, "first: 2026-03-02\n    last: 2026-12-31", "first: 2026-03-09\n    last: 2026-12-31", "campaign.yaml:10: “campaign/weekly-forms”有1期不在专项行动期间：2026-03-06"),
    (CAMPAIGN, ", quote: 杜绝检查“挂零”", "", "“campaign/no-zero”的依据既没有引文也没有解读（请在 source 中写 quote（原文）或 reading（我们的理解））"),
    (f"{PACKAGE}/documents.yaml", "    issued: 2026-03-02\n", "", "documents.yaml:2: “notice”没有印发日期，也没有说明"),
    (FORM, "多于发现的{checked.found}条", "多于发现的{checked.fund}条", "“yangqu-weekly/fixed-not-above-found”的句子里的“{checked.fund}”不是已知的栏目（请核对栏目的id）"),
    (CHECKLIST, 'bad: "no"', "bad: unclear", "checklists/checklist.yaml:1: “yangqu-checklist”的C1分不清哪种回答是问题"),
    (CHECKLIST, "type: answer, ", "", "“yangqu-checklist”有0个回答栏（type: answer）（请只留一个；不回答是、否的，请写 judged: false）"),
    ("README.md", "", None, "README.md:1: 没有README.md"),
    (f"tests/test_{PACKAGE}.py", "", None, "tests:1: 没有测试"),
)  # fmt: skip


def write_wrongly(path: Path, right: str, wrong: str | None) -> None:
    """Do to a file what an author did wrongly; None: it is not there."""
    text = path.read_text("utf-8")
    path.unlink()
    if wrong is not None:
        assert right in text
        path.write_text(text.replace(right, wrong, 1), "utf-8")


@pytest.mark.parametrize(
    ("file", "right", "wrong", "expected"), STOPPING, ids=[f"{b[0]} {b[2]!r:.40}" for b in STOPPING]
)
def test_what_cannot_be_loaded_is_said(
    file: str, right: str, wrong: str, expected: str, region: Path, say: Say
) -> None:
    write_wrongly(region / file, right, wrong)
    status, said = say("plugin", "check", region)

    assert 1 == status, said
    assert expected in said
    assert "Traceback" not in said


def test_everything_is_said_at_once(region: Path, say: Say) -> None:
    """What does not keep it from loading: nine faults in seven files, each with its place and its remedy."""
    for file, right, wrong, _ in LOADING:
        write_wrongly(region / file, right, wrong)
    status, said = say("plugin", "check", region)

    assert 1 == status, said
    assert said.startswith("yangqu  阳曲县  9 处需要改正\n")
    assert [] == [expected for *_, expected in LOADING if expected not in said]


def test_programs_get_every_problem_with_its_place(region: Path, say: Say) -> None:
    for file, right, wrong, _ in LOADING:
        write_wrongly(region / file, right, wrong)
    status, said = say("plugin", "check", region, "--json")
    checks = json.loads(said)
    problems = [p for c in checks for p in c["problems"]]

    assert 1 == status
    assert {"package", "documents", "citations", "dates", "polarity", "messages"} == {
        c["check"] for c in checks if c["state"] == "wrong"
    }
    assert {"yangqu"} == {p["plugin"] for p in problems}
    places = {p["file"] for p in problems}
    assert {"README.md"} == {f for f in places if not (region / f).exists() and not (region / PACKAGE / f).exists()}
    assert all(p["line"] >= 1 and p["text"] and p["remedy"] for p in problems)


def test_two_forms_of_one_title(region: Path, say: Say) -> None:
    copy = (region / LEDGER).read_text("utf-8").replace("yangqu-ledger", "yangqu-other")
    (region / PACKAGE / "forms/other.yaml").write_text(copy, "utf-8")
    status, said = say("plugin", "check", region)

    assert 1 == status
    assert "forms/ledger.yaml:1: “yangqu-ledger”与yangqu.yangqu-other的标题相同" in said
    assert "forms/other.yaml:1: “yangqu-other”与yangqu.yangqu-ledger的标题相同" in said


def test_text_in_another_encoding(region: Path, say: Say) -> None:
    path = region / CAMPAIGN
    path.write_bytes(path.read_text("utf-8").encode("gb18030"))
    status, said = say("plugin", "check", region)

    assert 1 == status
    assert "campaign.yaml:3: 不是UTF-8编码的文字（请另存为UTF-8编码）" in said


def test_a_folder_without_a_project(tmp_path: Path, say: Say) -> None:
    status, said = say("plugin", "check", tmp_path)

    assert 1 == status
    assert "pyproject.toml:1: 文件夹里没有pyproject.toml（请用 gmsafety plugin new 新建，或补上）" in said


def test_a_region_that_builds_on_another_is_loaded_with_it(region: Path, say: Say) -> None:
    path = region / CAMPAIGN
    path.write_text(path.read_text("utf-8").replace("yangqu.yangqu-weekly", "shanxi.weekly-dispatch"), "utf-8")
    status, said = say("plugin", "check", region)

    assert 1 == status
    assert "与 shanxi 一起载入" in said
    assert "没有写明依赖“gmsafety-shanxi”" in said


# --- what is installed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tianjin"])
def test_an_installed_region(name: str, say: Say) -> None:
    status, said = say("plugin", "check", name, "--json")

    assert 0 == status, said
    assert {"ok", "nothing"} >= {c["state"] for c in json.loads(said)}


def test_who_is_needed() -> None:
    needs = {}
    for name in ("jincheng", "linfen", "shanxi", "tianjin"):
        content = plugin_named(name).content
        assert content
        needs[name] = needed_by(content)

    assert {"jincheng": ["shanxi"], "linfen": ["shanxi"], "shanxi": [], "tianjin": []} == needs


def test_a_check_leaves_nothing_behind(region: Path, say: Say) -> None:
    before = (list(sys.path), sorted(region.rglob("*")))
    say("plugin", "check", region)

    assert before == (sys.path, sorted(region.rglob("*")))
    assert PACKAGE not in sys.modules


# --- the schema of the YAML, for editors -------------------------------------------------------------------------


class EditorLoader(yaml.SafeLoader):
    """YAML as an editor types it (YAML 1.2): numbers and booleans, and dates stay text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"), ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?\d+", "-0123456789"), ("float", r"-?\d+\.\d+", "-0123456789"),
):  # fmt: skip
    EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^({_pattern})$"), list(_first))


def sort_of(data: dict[str, Any]) -> str:
    return next((name for name in ("form", "checklist") if name in data), "content")


def region_files() -> Iterator[Any]:
    for path in sorted(ROOT.glob("plugins/*/gmsafety_*/**/*.yaml")):
        yield pytest.param(path.read_text("utf-8"), id=path.relative_to(ROOT / "plugins").as_posix())
    for path, text in new_region("yangqu", "140122").files().items():
        if path.endswith(".yaml"):
            yield pytest.param(text, id=path)


@pytest.mark.parametrize("text", [*region_files()])
def test_an_editor_takes_what_the_models_take(text: str) -> None:
    data = yaml.load(text, EditorLoader)
    validator = jsonschema_rs.validator_for(yaml_schema(sort_of(data)))

    assert [] == [f"{list(e.instance_path)}: {e.message}" for e in validator.iter_errors(data)]


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        (CAMPAIGN, "document: notice\n", "dokument: notice\n"),
        (CAMPAIGN, "every: friday 12:00", "every: fri 12:00"),
        (CAMPAIGN, "first: 2026-03-06", "first: 三月六日"),
        (FORM, "{document: notice, clause: 附件1}", "[附件1]"),
        (CHECKLIST, 'bad: "no"', "bad: maybe"),
    ],
)
def test_an_editor_marks_what_is_wrong(path: str, right: str, wrong: str) -> None:
    text = new_region("yangqu", "140122").files()[path]

    assert right in text
    data = yaml.load(text.replace(right, wrong, 1), EditorLoader)
    validator = jsonschema_rs.validator_for(yaml_schema(sort_of(data)), validate_formats=True)
    assert not validator.is_valid(data)


def test_the_schemas_are_written(tmp_path: Path, say: Say) -> None:
    status, said = say("plugin", "schema", "--to", tmp_path / "schema")

    assert 0 == status
    assert len(FILES) == said.count("已写入")
    for name in FILES:
        written = json.loads((tmp_path / f"schema/{name}.json").read_text("utf-8"))
        jsonschema_rs.meta.validate(written)
        assert yaml_schema(name) == written
