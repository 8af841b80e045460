"""YAML as the house reads it: every scalar is text until a model types it, and every value knows its line."""

from dataclasses import dataclass
from typing import Any

import yaml

from .errors import ContentError, Problem

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # pragma: no cover - PyYAML built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

Path = tuple[str | int, ...]
_MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The plain data of a file (dicts, lists, text, None) and the line of every value by its path."""

    name: str
    data: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def load_yaml(text: str, name: str, plugin: str) -> YamlFile:
    """Read YAML text; ContentError names file and line where it cannot be read."""
    try:
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = Problem(
            plugin, name, mark.line + 1 if mark else 1, f"不是合法的YAML：{error.problem}", "请检查缩进和标点"
        )
        raise ContentError([problem]) from error
    except yaml.YAMLError as error:
        problem = Problem(plugin, name, 1, f"不是合法的YAML：{error}", "请删去看不见的控制字符")
        raise ContentError([problem]) from error
    except RecursionError as error:
        raise ContentError([_too_deep(plugin, name)]) from error
    lines: dict[Path, int] = {}
    try:
        return YamlFile(name, _plain(node, (), lines, (plugin, name)), lines)
    except RecursionError as error:  # a value that holds itself by an alias, or hundreds of brackets
        raise ContentError([_too_deep(plugin, name)]) from error


def _too_deep(plugin: str, name: str) -> Problem:
    return Problem(plugin, name, 1, "层次太深，或者一个值包含它自己", "请检查括号和引用（&、*）")


def _plain(node: Any, path: Path, lines: dict[Path, int], source: tuple[str, str]) -> Any:
    if node is None:
        return None
    lines.setdefault(path, node.start_mark.line + 1)
    if len(lines) > _MOST_VALUES:
        problem = Problem(*source, node.start_mark.line + 1, f"展开后超过{_MOST_VALUES}个值", "请减少引用（&、*）")
        raise ContentError([problem])
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, source)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*path, index), lines, source) for index, child in enumerate(node.value)]
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], source: tuple[str, str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value)
        if name in out:
            raise ContentError([Problem(*source, key.start_mark.line + 1, f"“{name}”写了两次", "请删去一处")])
        lines[*path, name] = key.start_mark.line + 1
        out[name] = _plain(value, (*path, name), lines, source)
    return out
