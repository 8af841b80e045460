"""Build the site: `python docs/site/build.py [FOLDER]`, by default into `out/docs`; `make docs` does so.

The pages are those of `docs/`, the READMEs of the regions, and a reference made from the code. A link to another file
of the repository leads to a page that shows it; a link that leads nowhere fails the build.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).parent))
import reference

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
_SHOWN = {".yaml": "yaml", ".tsv": "text", ".py": "python", ".toml": "toml", ".json": "json", "": "text"}
_PICTURE = ".png"
"""Pictures stand beside the pages of `docs/` that show them, on the site too."""
REGIONS = ("shanxi", "jincheng", "shuozhou", "linfen", "tianjin")
NAVIGATION = (
    ("Start", ("concepts.md", "tutorial.md", "cli.md")),
    ("Writing a region", ("plugins.md", "forms.md", "entities.md")),
    ("Running a node", ("server.md", "exchange.md", "client.md", "protocol.md", "reliability.md", "benchmarks.md")),
    ("Regions", (*(f"regions/{name}.md" for name in REGIONS), "gallery.md")),
    ("Reference", (*reference.pages(), "findings.md")),
    ("Project", ("project/readme.md", "project/contributing.md", "project/changelog.md", "decisions/index.md")),
)


class BrokenLinks(Exception):
    """Links that lead to nothing in the repository."""


def sources() -> dict[str, str]:
    """Pages that are written by hand: where each stands on the site, and where in the repository."""
    found = {p.relative_to(ROOT / "docs").as_posix(): p for p in (ROOT / "docs").glob("**/*.md")}
    found |= {f"regions/{name}.md": ROOT / f"plugins/{name}/README.md" for name in REGIONS}
    found |= {f"project/{n.lower()}.md": ROOT / f"{n}.md" for n in ("README", "CONTRIBUTING", "CHANGELOG")}
    found |= {"project/readme-zh.md": ROOT / "README.zh-CN.md"}
    found |= {f"examples/{p.parent.name}.md": p for p in ROOT.glob("examples/*/README.md")}
    return {page: path.relative_to(ROOT).as_posix() for page, path in sorted(found.items())}


def pages() -> dict[str, str]:
    """Every page of the site, ready for the generator; BrokenLinks lists every link that leads nowhere."""
    written = sources()
    places = {path: page for page, path in written.items()}
    made = reference.pages() | {"decisions/index.md": _decisions(written)}
    places |= {f"docs/{page}": page for page in made} | {"docs/decisions": "decisions/index.md"}
    broken: list[str] = []
    shown: dict[str, str] = {}

    def leads(page: str, path: str, link: str) -> str:
        """Where a link of a page leads on the site."""
        name, mark, anchor = link.partition("#")
        if "://" in link or not name:
            return link
        target = os.path.normpath(PurePosixPath(path).parent / name).replace(os.sep, "/")
        target = f"{target}/README.md" if f"{target}/README.md" in places else target
        if target.endswith(_PICTURE) and (ROOT / target).is_file():
            return link
        if target not in places and (ROOT / target).is_file():
            places[target] = f"files/{target.replace('/', '-')}.md"
            shown[places[target]] = _file(target)
        if target not in places:
            broken.append(f"{path}: {link}")
            return link
        return os.path.relpath(places[target], PurePosixPath(page).parent).replace(os.sep, "/") + mark + anchor

    for page, path in written.items():
        text = (ROOT / path).read_text("utf-8")
        parts = _FENCE.split(text)
        parts[::2] = [
            _LINK.sub(lambda m, page=page, path=path: m[1] + leads(page, path, m[2]) + m[3], part)  # type: ignore[misc]
            for part in parts[::2]
        ]
        made[page] = "".join(parts)
    if broken:
        raise BrokenLinks("\n".join(broken))
    made["index.md"] += _navigation()
    return _orphans(made | shown)


def _decisions(written: dict[str, str]) -> str:
    lines = ["# Decisions", ""]
    for page, path in written.items():
        if page.startswith("decisions/"):
            title = (ROOT / path).read_text("utf-8").partition("\n")[0].removeprefix("# ")
            lines.append(f"- [{title}]({page.removeprefix('decisions/')})")
    return "\n".join([*lines, ""])


def _file(path: str) -> str:
    language = _SHOWN.get(Path(path).suffix, "text")
    return f"# {path}\n\n````{language}\n{(ROOT / path).read_text('utf-8')}\n````\n"


def _navigation() -> str:
    """The tree of pages. Those that stand in no part of it are reached by links, and say so to the generator."""
    lines: list[str] = []
    for title, part in NAVIGATION:
        lines += ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *part, "```"]
    return "\n".join([*lines, ""])


def _orphans(made: dict[str, str]) -> dict[str, str]:
    named = {"index.md", *(page for _, part in NAVIGATION for page in part)}
    return {page: text if page in named else f"---\norphan: true\n---\n\n{text}" for page, text in made.items()}


def build(to: Path) -> int:
    """Write the site; the exit status of the generator, which takes every warning for an error."""
    source = to.parent / f"{to.name}-source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.rmtree(to, ignore_errors=True)
    for page, text in pages().items():
        (source / page).parent.mkdir(parents=True, exist_ok=True)
        (source / page).write_text(text, "utf-8", newline="\n")
    for picture in (ROOT / "docs").glob(f"*/*{_PICTURE}"):
        to_picture = source / picture.relative_to(ROOT / "docs")
        to_picture.parent.mkdir(exist_ok=True)
        shutil.copyfile(picture, to_picture)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-b", "html"]
    return subprocess.run([*command, "-c", Path(__file__).parent, source, to], check=False).returncode


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1] if len(sys.argv) > 1 else "out/docs").resolve()))
