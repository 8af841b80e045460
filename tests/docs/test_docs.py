"""The documentation is true: what it shows is run, what it quotes is there, and what there is, it names."""

import json
import re
import runpy
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from gmsafety import cli, hookspecs, load_catalog
from gmsafety.campaigns import Campaign, Phase
from gmsafety.checklists import Checklist, Group, Item, PrintedGroup
from gmsafety.content import ContentFile, KindOfFinding, read_content
from gmsafety.duties import Deliverable, Offset, Once, Quota, Recurring, Standing, Variant, Window
from gmsafety.entities import Unit
from gmsafety.errors import CatalogError, ContentError
from gmsafety.forms import spec
from gmsafety.forms.types import FIELD_TYPES
from gmsafety.gates import Condition, Gate, Watch
from gmsafety.provenance import Actor, Citation, Document, Erratum
from gmsafety.routing import Route
from gmsafety.tasks import Target, Task
from pages import BLOCK, ELLIPSIS, ROOT, commands, looks_like, name_of, text_of

EXAMPLE = Path("examples/first-friday")
PAGES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])
TUTORIAL = ROOT / "docs/tutorial.md"  # one story from beginning to end; test_tutorial.py plays it
LINKING = [*PAGES, *ROOT.glob("CHANGELOG.md"), *ROOT.glob("CONTRIBUTING.md"), *ROOT.glob("examples/*/README.md")]

HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for mark, text in BLOCK.findall(page.read_text("utf-8")) if mark == language]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, language) and page != TUTORIAL]


def sections(page: str) -> dict[str, str]:
    """The text under each heading of the second level, by heading."""
    parts = re.split(r"^## +(.*)$", text_of(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example files where the repository would have them; work happens beside them."""
    shutil.copytree(ROOT / EXAMPLE, tmp_path / EXAMPLE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path / EXAMPLE


# --- what is shown is run ----------------------------------------------------------------------------------------


def arguments(command: str) -> list[str]:
    """The words of a command after `gmsafety`, with patterns such as `*_weekly.xlsx` opened as a shell would."""
    program, *words = shlex.split(command)

    assert "gmsafety" == program
    return [name for word in words for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]


@pytest.mark.parametrize("page", pages_with("console"), ids=name_of)
def test_commands_do_what_is_shown(
    page: Path, example: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(example)
    for block in blocks(page, "console"):
        for command, shown, stated in commands(block):
            status = cli.main(arguments(command))
            output = "".join(capfd.readouterr())

            assert stated == status, f"$ {command}\n{output}"
            assert looks_like(shown).fullmatch(output), f"$ {command}\n{output}"


@pytest.mark.parametrize("page", pages_with("python"), ids=name_of)
def test_snippets_run(page: Path, example: Path) -> None:
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page, "python"):
        exec(compile(block, name_of(page), "exec"), namespace)


@pytest.mark.parametrize("page", pages_with("yaml"), ids=name_of)
def test_yaml_is_quoted_from_the_file_it_names(page: Path) -> None:
    for block in blocks(page, "yaml"):
        first, quoted = block.split("\n", 1)
        source = text_of(first.removeprefix("# "))

        for part in re.split(rf"^ *{ELLIPSIS}\n", quoted, flags=re.MULTILINE):
            assert part in source, f"{first}\n{part}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_knows_the_targets_shown(page: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", text_of("Makefile"), flags=re.MULTILINE))
    shown = set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)", page.read_text("utf-8"), flags=re.MULTILINE))

    assert {name for pair in shown for name in pair if name} <= known


# --- what is linked is there -------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page, as a forge makes them of its headings."""
    prose = BLOCK.sub("", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in HEADING.findall(prose)}


MADE = {"reference/index.md"}  # made when the site is built; test_site.py builds it, and fails on a broken link


@pytest.mark.parametrize("page", LINKING, ids=name_of)
def test_links_resolve(page: Path) -> None:
    broken = []
    for link in LINK.findall(BLOCK.sub("", page.read_text("utf-8"))):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if (
            "://" not in link
            and name not in MADE
            and (not target.exists() or (anchor and anchor not in anchors(target)))
        ):
            broken.append(link)

    assert [] == broken


# --- what there is, is documented --------------------------------------------------------------------------------


def leaves(group: Any, name: str = "gmsafety") -> dict[str, Any]:
    """Every command by its words: `gmsafety forms check`."""
    found: dict[str, Any] = {}
    for word, command in group.commands.items():
        path = f"{name} {word}"
        found |= leaves(command, path) if hasattr(command, "commands") else {path: command}
    return found


COMMANDS = leaves(typer.main.get_command(cli.app))


def test_every_command_has_its_section() -> None:
    described = {heading for heading in sections("docs/cli.md") if heading.startswith("gmsafety ")}

    assert set(COMMANDS) == described


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented(command: str) -> None:
    text = sections("docs/cli.md")[command]
    options = [option for parameter in COMMANDS[command].params for option in parameter.opts]

    assert [] == [option for option in options if option.startswith("--") and option not in text]


JSON_OUTPUTS = {
    "gmsafety forms list": "forms list --json",
    "gmsafety forms read": "forms read 2025-01-03/chengqu_weekly.xlsx 2025-01-03/chengqu_ledger.xlsx --json",
    "gmsafety forms check": "forms check 2025-01-03/gaoping_weekly.xlsx --with 2025-01-03/gaoping_ledger.xlsx --json",
    "gmsafety rollup": "rollup weekly-dispatch 2025-01-03/zezhou_weekly.xlsx --unit 140500 --period 2025-01-03 --json",
    "gmsafety duties": "duties --unit zezhou-office --json",
    "gmsafety campaigns list": "campaigns list --json",
    "gmsafety plugin list": "plugin list --json",
    "gmsafety plugin check": "plugin check shanxi --json",
}


@pytest.mark.parametrize("command", JSON_OUTPUTS)
def test_every_key_of_the_json_is_documented(
    command: str, example: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(example)
    cli.main(JSON_OUTPUTS[command].split())
    output = json.loads(capfd.readouterr().out)
    text = sections("docs/cli.md")[command] + sections("docs/cli.md")["JSON"]
    keys = {key for item in output for key in [*item, *(k for f in item.get("findings", ()) for k in f)]}

    assert isinstance(output, list)
    assert [] == sorted(key for key in keys if f"`{key}`" not in text)


def test_findings_page_is_up_to_date() -> None:
    maker = runpy.run_path(str(ROOT / "docs/make_findings.py"))
    page = text_of("docs/findings.md")

    assert maker["renewed"](page, load_catalog()) == page, "run docs/make_findings.py"


def test_every_finding_is_documented() -> None:
    page = text_of("docs/findings.md")

    assert [] == [k.code for k in load_catalog().kinds.values() if f"| `{k.code}` | `{k.slug}` |" not in page]


def test_every_field_type_is_documented() -> None:
    page = text_of("docs/forms.md")

    assert [] == [name for name in FIELD_TYPES if f"| `{name}` |" not in page]


def test_every_hook_is_documented() -> None:
    hooks = [name for name, value in vars(hookspecs).items() if hasattr(value, "gmsafety_spec")]
    page = text_of("docs/plugins.md")

    assert ["gmsafety_content"] == hooks
    assert [] == [name for name in hooks if f"`{name}`" not in page]


FORM_KEYS = [spec.Form, spec.FormField, spec.Column, spec.Clause, spec.SentenceText, spec.Rule, spec.Step, spec.Layout]
REGION_KEYS: list[type[BaseModel]] = [
    ContentFile, Document, Unit, Actor, Campaign, Phase, Deliverable, KindOfFinding,
    Once, Recurring, Window, Offset, Quota, Variant, Standing, Task, Target, Watch, Route, Gate, Condition,
    Checklist, Group, Item, PrintedGroup,
]  # fmt: skip
SOURCE_KEYS = [Citation, Erratum]


@pytest.mark.parametrize(
    ("model", "page"),
    [
        *((model, "docs/forms.md") for model in [*FORM_KEYS, *SOURCE_KEYS]),
        *((model, "docs/plugins.md") for model in [*REGION_KEYS, *SOURCE_KEYS]),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_key_of_the_yaml_is_documented(model: type[BaseModel], page: str) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()} - {"plugin"}
    text = text_of(page)

    assert [] == sorted(key for key in keys if f"`{key}`" not in text)


# --- what is said when a region does not fit ---------------------------------------------------------------------

DOCUMENT = """\
documents:
  - id: example-1
    title: 通知
    issuer: 市级
    level: city
    issued: 2024-12-20
"""
CAMPAIGN = """\
campaigns:
  - id: c
    title: 行动
    document: example-1
    parent: shanxi.gongmao-2024
    area: 140500
    first: 2024-12-20
    last: 2025-03-31
    source: {clause: 一, quote: 即日起}
    duties: [{id: w, title: 周报, from: city-office, file: shanxi.weekly-dispatch, every: friday, first: 2024-12-20,
        last: 2025-03-28, source: {clause: 二, quote: 每周五}}]
"""
FINDING = "findings:\n  - {slug: x, code: GM-F101, severity: error, title: t, message: m, remedy: r}\n"


@pytest.mark.parametrize(
    ("file", "content", "right", "wrong"),
    [
        ("documents.yaml", DOCUMENT, "issuer", "isuer"),
        ("documents.yaml", DOCUMENT, "level: city", "title: 又一通知"),
        ("campaign.yaml", CAMPAIGN, "every: friday", "every: thursday"),
        ("campaign.yaml", CAMPAIGN, "shanxi.weekly-dispatch", "shanxi.weekly"),
        ("campaign.yaml", CAMPAIGN, "from: city-office", "from: city-ofice"),
        ("campaign.yaml", CAMPAIGN, "2025-03-28", "2025-03-21"),
        ("findings.yaml", FINDING, "", ""),
    ],
    ids=["key", "twice", "weekday", "form", "role", "laxer", "code"],
)
def test_errors_read_as_documented(
    file: str, content: str, right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "gmsafety_example", raising=False)
    package = tmp_path / "gmsafety_example"
    package.mkdir()
    for name, text in {"documents.yaml": DOCUMENT, file: content.replace(right, wrong)}.items():
        (package / name).write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((CatalogError, ContentError)) as caught:
        load_catalog([read_content("gmsafety_example", plugin="example", title="例"), "shanxi"])

    said = [str(problem) for problem in caught.value.problems]
    documented = text_of("docs/plugins.md")

    assert [] == [line for line in said if f"| `{line}` |" not in documented]
