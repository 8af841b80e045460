"""The site is built without a warning, loads nothing from elsewhere, and its reference leaves nothing out."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gmsafety import errors, hookspecs, load_catalog, testing
from gmsafety.duties import DUTY_KINDS
from gmsafety.forms.types import FIELD_TYPES
from gmsafety.yamlschema import FILES, yaml_schema
from gmsafety_server.errors import PROBLEMS
from pages import ROOT, text_of

REGIONS = sorted(p.name for p in (ROOT / "plugins").iterdir() if (p / "README.md").is_file())
LOADED = re.compile(r"""<(?:script|img|iframe|source)[^>]*\bsrc="([^"]*)"|<link[^>]*\bhref="([^"]*)"|url\(([^)]*)\)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; any warning, such as a link that leads nowhere, fails the build."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, ROOT / "docs/site/build.py", folder]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)

    assert (0, "") == (done.returncode, done.stderr)
    return folder


@pytest.fixture(scope="module")
def reference(site: Path) -> dict[str, str]:
    """The pages of the reference before they became HTML, by name."""
    return {p.stem: p.read_text("utf-8") for p in (site.parent / "site-source/reference").glob("*.md")}


def test_every_page_is_there(site: Path) -> None:
    written = [p.relative_to(ROOT / "docs").with_suffix(".html") for p in (ROOT / "docs").glob("**/*.md")]
    regions = [Path(f"regions/{name}.html") for name in REGIONS]

    assert [] == [p.as_posix() for p in (*written, *regions) if not (site / p).is_file()]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]
    loaded = {name for page in pages for names in LOADED.findall(page.read_text("utf-8")) for name in names if name}

    assert "_static/pygments.css" in {name.partition("?")[0] for name in loaded}
    assert [] == [name for name in loaded if re.match(r"""["']?(https?:)?//""", name)]


def test_chinese_is_found_by_any_part_of_a_word(site: Path) -> None:
    """The index holds pairs of characters, and a question is taken apart in the same way."""
    index = (site / "searchindex.js").read_text("utf-8")
    splitter = (site / "_static/language_data.js").read_text("utf-8")

    assert [] == [pair for pair in ("重大", "大事", "事故", "故隐", "隐患") if f"{json.dumps(pair)}:" not in index]
    assert "run.slice(i, i + 2)" in splitter


# --- the reference -----------------------------------------------------------------------------------------------


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"^##+ +(.*)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("file", FILES)
def test_every_key_of_every_model_is_in_the_reference(file: str, reference: dict[str, str]) -> None:
    """The keys are counted by the JSON Schema, which pydantic makes in its own way."""
    schema = yaml_schema(file)
    told = sections(reference["keys"])
    models = {FILES[file].__name__: schema, **{n: d for n, d in schema["$defs"].items() if "properties" in d}}
    keys = [(model, key) for model, made in models.items() for key in made["properties"]]

    assert [] == [(model, key) for model, key in keys if f"\n| `{key}` | " not in told[model]]


def test_every_key_says_what_it_holds(reference: dict[str, str]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*)$", reference["keys"], flags=re.MULTILINE)

    assert len(rows) > 150
    assert [] == [key for key, row in rows if row.endswith("|  |")]


def test_every_hook_and_function_of_the_kit_is_in_the_reference(reference: dict[str, str]) -> None:
    hooks = [name for name, value in vars(hookspecs).items() if hasattr(value, "gmsafety_spec")]

    assert {*hooks, *testing.__all__} <= sections(reference["hooks"]).keys()


def test_every_type_and_duty_is_in_the_reference(reference: dict[str, str]) -> None:
    assert [] == [name for name in FIELD_TYPES if f"\n| `{name}` | " not in reference["types"]]
    assert sections(reference["duties"]).keys() == DUTY_KINDS


def test_every_code_is_in_the_reference(reference: dict[str, str]) -> None:
    exceptions = [n for n, v in vars(errors).items() if isinstance(v, type) and v.__module__ == errors.__name__]
    findings = text_of("docs/findings.md")

    assert [] == [p.code for p in PROBLEMS.values() if f"| `{p.code}` | `{p.slug}` |" not in reference["codes"]]
    assert [] == [name for name in exceptions if f"### {name}\n" not in reference["codes"]]
    assert [] == [k.code for k in load_catalog().kinds.values() if k.code not in findings]
