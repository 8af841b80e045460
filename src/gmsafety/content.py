"""What a plugin brings: frozen values, read from its YAML files with the line of everything that is wrong."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from .campaigns import Campaign
from .checklists import Checklist
from .codes import Area, AreaTable, areas_from_tsv
from .duties import DUTY_KINDS
from .entities import Unit
from .errors import ContentError, Problem
from .findings import Kind, Severity
from .forms.spec import Form, RegionLayout
from .provenance import Actor, Document, Value
from .yamlfile import Path, YamlFile, load_yaml

_NOUNS = ("documents", "units", "campaigns", "findings", "actors", "layouts")
_INNER = ("rules", "phases", "duties", "tasks", "targets", "routes", "gates", "watches")
_M = TypeVar("_M", bound=BaseModel)
_IN_CHINESE = {
    "date_from_datetime_parsing": "应为 2024-12-20 这样的日期",
    "date_parsing": "应为 2024-12-20 这样的日期",
    "date_type": "应为 2024-12-20 这样的日期",
    "string_type": "应为文字",
    "int_parsing": "应为整数",
    "float_parsing": "应为数",
    "bool_parsing": "应为 true 或 false",
    "literal_error": "不是可用的值",
    "enum": "不是可用的值",
    "tuple_type": "应为列表",
    "dict_type": "应为成组的键和值",
    "model_type": "应为成组的键和值；文件也不能是空的",
}


class KindOfFinding(Value):
    """A kind of finding that a region adds to the catalogue of the core."""

    slug: str
    code: str = Field(pattern=r"^[A-Z]{2,4}-[A-Z]\d{3}$")
    severity: Literal["error", "warning", "info"]
    title: str
    message: str
    remedy: str

    def as_kind(self) -> Kind:
        """The kind as the core knows it."""
        return Kind(self.slug, self.code, Severity(self.severity), self.title, self.message, self.remedy)


class ContentFile(Value):
    """The keys a content file may have; one that begins with `form:` or `checklist:` is that instead."""

    documents: tuple[Document, ...] = ()
    units: tuple[Unit, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    findings: tuple[KindOfFinding, ...] = ()
    actors: tuple[Actor, ...] = ()
    layouts: tuple[RegionLayout, ...] = Field((), description="how the region prints forms that it shares with others")
    names: dict[str, Any] = Field(default_factory=dict, description="anchors for other keys; not content by itself")


@dataclass(frozen=True)
class Content:
    """Everything one plugin declares, and where each thing stands (`where`: id → file and line)."""

    plugin: str
    title: str
    documents: tuple[Document, ...] = ()
    areas: tuple[Area, ...] = ()
    units: tuple[Unit, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    forms: tuple[Form, ...] = ()
    checklists: tuple[Checklist, ...] = ()
    actors: tuple[Actor, ...] = ()
    layouts: tuple[RegionLayout, ...] = ()
    kinds: tuple[Kind, ...] = ()
    where: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def problem(self, noun: str, name: str, text: str, remedy: str) -> Problem:
        """Make a problem that points at a declared thing, or at the one around it (`campaign/gate/condition`)."""
        while "/" in name and (noun, name) not in self.where:
            name = name.rpartition("/")[0]
        name = name if (noun, name) in self.where else name.partition("@")[0]
        file, line = self.where.get((noun, name), ("?", 1))
        return Problem(self.plugin, file, line, text, remedy)


def read_content(package: str, *, plugin: str, title: str) -> Content:
    """Read all YAML and TSV files of a package; ContentError lists every problem of every file."""
    gathered = Gathered(plugin)
    for name, data in _files(package):
        with gathered.problems_kept():
            text = _decoded(data, name, plugin)
            if name.endswith(".tsv"):
                gathered.areas += _areas(text, name, plugin)
            else:
                gathered.add(load_yaml(text, name, plugin))
    return gathered.content(title)


class Gathered:
    """What the files of a plugin declare, one after the other, with every problem of every file."""

    def __init__(self, plugin: str) -> None:
        self.plugin, self.areas, self.problems = plugin, list[Area](), list[Problem]()
        self._parts: dict[str, list[Any]] = {n: [] for n in (*_NOUNS, "forms", "checklists")}
        self._where: dict[tuple[str, str], tuple[str, int]] = {}

    @contextmanager
    def problems_kept(self) -> Iterator[None]:
        """Keep the problems of one file, and go on with the next."""
        try:
            yield
        except ContentError as error:
            self.problems += error.problems

    def add(self, file: YamlFile) -> None:
        """Take in what a file declares; ContentError where it does not say what its models need."""
        for noun, value, path in _declared(file, self.plugin):
            self._parts[noun].append(value)
            self._where |= _lines(noun, value, path, file)

    def content(self, title: str) -> Content:
        """Everything together; ContentError lists every problem of every file."""
        if self.problems:
            raise ContentError(self.problems)
        parts = {n: tuple(v) for n, v in self._parts.items() if n != "findings"}
        kinds = tuple(k.as_kind() for k in self._parts["findings"])
        return Content(self.plugin, title, areas=tuple(self.areas), kinds=kinds, where=self._where, **parts)


def form_in(text: str, name: str, *, plugin: str = "") -> Form | None:
    """Return the form that a YAML text declares; None where it declares none. ContentError says what is wrong."""
    declared = next(iter(_declared(load_yaml(text, name, plugin), plugin)), None)
    return declared[1] if declared and isinstance(declared[1], Form) else None


def _areas(text: str, name: str, plugin: str) -> tuple[Area, ...]:
    try:
        areas = areas_from_tsv(text)
        AreaTable.national().with_areas(areas)
    except ValueError as error:
        line = re.match(r"line (\d+)", str(error))
        problem = Problem(plugin, name, int(line.group(1)) if line else 1, f"行政区划：{error}", "请改正这一行")
        raise ContentError([problem]) from error
    return areas


def _lines(
    noun: str, value: Any, path: tuple[str | int, ...], file: YamlFile
) -> dict[tuple[str, str], tuple[str, int]]:
    """Where a thing stands, and the rules or duties inside it (`form@version/rule`, `campaign/duty`)."""
    name = getattr(value, "id", None) or getattr(value, "slug", None) or value.of
    found = {(noun, name): (file.name, file.line_of(path))}
    if noun == "checklists":  # one is a form, too
        found["forms", name] = found[noun, name]
    if noun == "forms":
        name = f"{name}@{value.version}"
        found[noun, name] = (file.name, file.line_of(path))
    for inner in _INNER:
        for index, part in enumerate(getattr(value, inner, ())):
            found[noun, f"{name}/{part.id}"] = (file.name, file.line_of((*path, inner, index)))
    return found


def _decoded(data: bytes, name: str, plugin: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ContentError([Problem(plugin, name, line, "不是UTF-8编码的文字", "请另存为UTF-8编码")]) from error


def _files(package: str) -> Iterator[tuple[str, bytes]]:
    root = resources.files(package)
    folders = [("", root), *((f"{name}/", root / name) for name in ("forms", "checklists"))]
    for prefix, folder in folders:
        if folder.is_dir():
            for entry in sorted(folder.iterdir(), key=lambda e: e.name):
                if entry.name.endswith((".yaml", ".tsv")):
                    yield prefix + entry.name, entry.read_bytes()


def _declared(file: YamlFile, plugin: str) -> Iterator[tuple[str, Any, Path]]:
    data = file.data if isinstance(file.data, dict) else {}
    if "form" in data:
        yield "forms", _typed(Form, {**data, "plugin": plugin}, file, plugin), ()
        return
    if "checklist" in data:
        yield "checklists", _typed(Checklist, {**data, "plugin": plugin}, file, plugin), ()
        return
    typed = _typed(ContentFile, file.data, file, plugin)
    for noun in _NOUNS:
        for index, value in enumerate(getattr(typed, noun)):
            named = value.model_copy(update={"plugin": plugin}) if hasattr(value, "plugin") else value
            yield noun, named, (noun, index)


def _typed(model: type[_M], data: Any, file: YamlFile, plugin: str) -> _M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ContentError(_problems(error, file, plugin)) from error


def _problems(error: ValidationError, file: YamlFile, plugin: str) -> Iterable[Problem]:
    for item in error.errors(include_url=False):
        path = tuple(p for p in item["loc"] if not (isinstance(p, str) and p in DUTY_KINDS))
        said = str(item["msg"]).removeprefix("Value error, ")
        name = ".".join(str(p) for p in path) or "文件"
        said = _IN_CHINESE.get(item["type"], said)
        remedy = {"extra_forbidden": "请删去或改正这个键", "missing": "请补上这个键"}.get(item["type"], "请改正这一处")
        said = {"extra_forbidden": "没有这个键", "missing": "缺少这个键"}.get(item["type"], said)
        yield Problem(plugin, file.name, file.line_of(path), f"{name}：{said}", remedy)
