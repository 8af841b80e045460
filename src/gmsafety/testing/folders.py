"""A plugin where its author has it: in a folder that is not installed yet, or installed; with those that it names."""

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ..catalog import ENTRY_POINTS
from ..content import Content
from ..errors import ContentError, GmsafetyError, Problem, UnknownName
from .conformance import Check, problem_of

PACKAGE = ("package", "文件夹是一个可安装的包：有入口点、说明、测试，写明依赖")
_FULL_NAME = re.compile(r"([a-z][a-z0-9-]*)\.[A-Za-z0-9][\w.-]*")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][\w.-]*")


class NoPlugin(GmsafetyError):
    """Neither a folder nor the name of an installed plugin."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin as it was found: its name, what its module answered, and what kept it from answering."""

    name: str
    content: Content | None
    problems: tuple[Problem, ...] = ()
    project: dict[str, Any] | None = None
    folder: Path | None = None


@contextmanager
def plugin_in(folder: Path) -> Iterator[Plugin]:
    """Take the plugin of a folder with a `pyproject.toml`; what is imported from there is forgotten afterwards."""
    if not folder.is_dir():
        raise NoPlugin(f"没有文件夹“{folder}”")
    project = folder / "pyproject.toml"
    name = folder.resolve().name
    try:
        data = tomllib.loads(project.read_text("utf-8"))
        name, module = _entry_point(data, name)
    except FileNotFoundError:
        problem = Problem(name, project.name, 1, "文件夹里没有pyproject.toml", "请用 gmsafety plugin new 新建，或补上")
        yield Plugin(name, None, (problem,), folder=folder)
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"line (\d+)", str(error))
        problem = Problem(name, project.name, int(line[1]) if line else 1, f"不是合法的TOML：{error}", "请改正这一行")
        yield Plugin(name, None, (problem,), folder=folder)
        return
    except ContentError as error:
        yield Plugin(name, None, error.problems, folder=folder)
        return
    root = folder / "src" if (folder / "src").is_dir() else folder
    with _importing_from(root.resolve(), module.partition(".")[0]):
        content, problems = _ask(name, module, root.resolve())
        yield Plugin(name, content, problems, data, folder)


def plugin_named(name: str) -> Plugin:
    """Take an installed plugin by name; NoPlugin where there is none of that name."""
    found = next((e for e in entry_points(group=ENTRY_POINTS) if e.name == name), None)
    if found is None:
        known = sorted(e.name for e in entry_points(group=ENTRY_POINTS))
        raise NoPlugin(f"没有文件夹“{name}”；{UnknownName('插件', name, known)}")
    content, problems = _ask(name, found.value)
    return Plugin(name, content, problems)


def _entry_point(project: dict[str, Any], name: str) -> tuple[str, str]:
    declared = project.get("project", {}).get("entry-points", {}).get(ENTRY_POINTS, {})
    if len(declared) != 1:
        text = f"应有一个入口点，现有{len(declared)}个"
        remedy = f'请在 [project.entry-points.{ENTRY_POINTS}] 中写一行：{name} = "包名"'
        raise ContentError([Problem(name, "pyproject.toml", 1, text, remedy)])
    name, module = next(iter(declared.items()))
    return str(name), str(module)


@contextmanager
def _importing_from(root: Path, package: str) -> Iterator[None]:
    """Import a package from a folder, even where another copy is installed, and leave nothing behind."""
    before = {n: sys.modules.pop(n) for n in list(sys.modules) if n == package or n.startswith(f"{package}.")}
    quiet, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(root))
    invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(root))
        sys.dont_write_bytecode = quiet
        for name in [n for n in sys.modules if n == package or n.startswith(f"{package}.")]:
            del sys.modules[name]
        sys.modules.update(before)


def _ask(name: str, module: str, root: Path | None = None) -> tuple[Content | None, tuple[Problem, ...]]:
    """Import a plugin's module and ask it for its content; whatever its Python does is a problem, not a failure."""
    package = module.partition(":")[0]
    try:
        loaded = import_module(package)
        if root and not str(getattr(loaded, "__file__", None) or "").startswith(str(root)):
            text = f"“{module}”不在这个文件夹里，导入的是{getattr(loaded, '__file__', None)}"
            return None, (Problem(name, "pyproject.toml", 1, text, "请核对入口点和文件夹"),)
        content = loaded.gmsafety_content() if hasattr(loaded, "gmsafety_content") else None
    except ContentError as error:
        return None, error.problems
    except ModuleNotFoundError as error:
        if error.name == package:
            text, remedy = f"没有入口点所写的包“{module}”", "请核对 [project.entry-points.gmsafety]"
            return None, (Problem(name, "pyproject.toml", 1, text, remedy),)
        return None, (problem_of(error, name, package),)
    except (Exception, SystemExit) as error:
        return None, (problem_of(error, name, package),)
    if not isinstance(content, Content):
        problem = Problem(name, "__init__.py", 1, "没有给出内容", "请实现 gmsafety_content 并返回 Content")
        return None, (problem,)
    return content, ()


def needed_by(content: Content) -> list[str]:
    """Name the installed plugins whose things a plugin names in full (`shanxi.weekly-dispatch`), and theirs in turn."""
    installed = {e.name: e for e in entry_points(group=ENTRY_POINTS) if e.name != content.plugin}
    found: dict[str, None] = {}
    waiting = [content]
    while waiting:
        for name in sorted(_named_in(waiting.pop()) & installed.keys() - found.keys()):
            found[name] = None
            other, _ = _ask(name, installed[name].value)
            waiting += [other] if other else []
    return list(found)


def _named_in(content: Content) -> set[str]:
    values = [v for n in ("documents", "units", "campaigns", "forms", "checklists") for v in getattr(content, n)]
    return {m[1] for v in values for text in _texts(v.model_dump(by_alias=True)) if (m := _FULL_NAME.fullmatch(text))}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _texts(part)


def check_package(plugin: Plugin, needs: list[str]) -> Check:
    """Look at the package around the content: what an author forgets until somebody installs it."""
    problems: list[Problem] = []
    folder, project = plugin.folder, (plugin.project or {}).get("project", {})
    assert folder is not None  # only a folder has a package around it

    def wrong(text: str, remedy: str, file: str = "pyproject.toml") -> None:
        problems.append(Problem(plugin.name, file, 1, text, remedy))

    if plugin.content and plugin.content.plugin != plugin.name:
        text = f"入口点叫“{plugin.name}”，内容自称“{plugin.content.plugin}”"
        wrong(text, "请让 read_content 的 plugin 与入口点同名")
    wanted = {"gmsafety", *filter(None, map(_distribution, needs))}
    declared = {_plain(m[0]) for d in project.get("dependencies", ()) if (m := _DISTRIBUTION.match(d))}
    for name in sorted(wanted - declared):
        wrong(f"没有写明依赖“{name}”", "请写入 dependencies")
    if not (folder / "README.md").is_file():
        wrong("没有README.md", "请写明依据哪份通知、哪些是解读", "README.md")
    if not list((folder / "tests").glob("test_*.py")):
        wrong("没有测试", "请在 tests/ 中写 test_conforms 和日期表", "tests")
    return Check(*PACKAGE, 1, tuple(problems))


def _distribution(name: str) -> str:
    found: EntryPoint | None = next((e for e in entry_points(group=ENTRY_POINTS) if e.name == name), None)
    return _plain(found.dist.name) if found and found.dist else ""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
