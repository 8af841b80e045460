"""The pages of the reference, made from the code when the site is built: hooks, keys, types, duties, codes.

What a key holds is told once: in the model, or in the table of the page that explains it.
"""

import inspect
import re
import types
import typing
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gmsafety import content, errors, hookspecs, testing
from gmsafety.checklists import Checklist
from gmsafety.content import ContentFile
from gmsafety.duties import DUTY_KINDS, Duty
from gmsafety.forms.spec import Form
from gmsafety.forms.types import FIELD_TYPES

DOCS = Path(__file__).parents[1]
PAGES = ("forms.md", "plugins.md")
_ROW = re.compile(r"^\| (`[^|]*?`(?:, `[^|]*?`)*) \| (.*) \|$", re.MULTILINE)
_PLAIN = {str: "text", int: "number", float: "number", Decimal: "number", bool: "true or false", date: "date"}
_WORDS = {**_PLAIN, time: "time of day", Any: "anything"}
_SECTIONS = {
    "Actor": "The package", "Column": "Header fields and columns", "FormField": "Header fields and columns",
    "Clause": "Fixed rows: clauses", "SentenceText": "Fixed rows: clauses", "Form": "A form file",
    "Rule": "Rules", "Step": "Roll-up", "Layout": "Layout", "Citation": "Sources and errata",
    "Erratum": "Sources and errata", "Document": "A document", "Unit": "A unit", "Campaign": "A campaign",
    "Phase": "A campaign", "Deliverable": "A duty", "Variant": "A duty", "Target": "A task, a target, a watch",
    "Watch": "A task, a target, a watch", "Task": "A task, a target, a watch", "Route": "A route, a gate",
    "Gate": "A route, a gate", "Condition": "A route, a gate", "Checklist": "A checklist", "Group": "A checklist",
    "Item": "A checklist", "PrintedGroup": "A checklist", "KindOfFinding": "A kind of finding",
    "ContentFile": "The package",
}  # fmt: skip
"""The section that explains a model; a key that is explained nowhere in it is looked for on both pages."""


def pages() -> dict[str, str]:
    """Every page of the reference by its path."""
    return {
        "reference/index.md": _index(), "reference/hooks.md": _hooks(), "reference/keys.md": _keys(),
        "reference/types.md": _types(), "reference/duties.md": _duties(), "reference/codes.md": _codes(),
    }  # fmt: skip


def _index() -> str:
    return """# Reference

Made from the code whenever this site is built.

- [Hooks](hooks.md): the door by which a region comes in, and the kit it is tested with
- [Keys](keys.md): every key of the YAML, what it takes and what it is where it is left out
- [Field types](types.md)
- [Kinds of duty](duties.md)
- [Codes](codes.md): problems, exceptions; [findings](../findings.md) have a page of their own
- [Commands](../cli.md)
"""


# --- keys --------------------------------------------------------------------------------------------------------


def models() -> list[type[BaseModel]]:
    """Every model that a file of a region is read into, files first, then what stands in them."""
    found: dict[type[BaseModel], None] = {}
    waiting: list[type[BaseModel]] = [ContentFile, Form, Checklist]
    while waiting:
        model = waiting.pop(0)
        if model not in found:
            found[model] = None
            waiting += [m for f in model.model_fields.values() for m in _models_in(f.annotation)]
    return list(found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models_in(part)


def _keys() -> str:
    told = explained()
    lines = ["# Keys", "", "Every value is text in YAML and typed by the model; a list of one needs no brackets.", ""]
    for model in models():
        lines += [f"## {model.__name__}", "", _first_paragraph(model), "", "| key | takes | by default | holds |"]
        lines += ["|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows_of(model, told)), ""]
    return "\n".join(lines)


def rows_of(model: type[BaseModel], told: dict[tuple[str, str], str]) -> Iterator[tuple[str, str, str, str]]:
    """One row for each key an author may write: its name, what it takes, its default, what it holds."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key != "plugin":  # given by `read_content`, never written
            yield f"`{key}`", _takes(field.annotation), _default(field), _holds(model, key, field, told)


def _takes(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is typing.Literal:
        return ", ".join(f"`{p}`" for p in parts)
    if origin is typing.Annotated:
        return _takes(parts[0])
    if origin is tuple:
        return f"list of {_takes(parts[0])}"
    if origin is dict:
        return f"names, each with {_takes(parts[1])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_takes(p) for p in parts if p is not type(None)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return ", ".join(f"`{v.value}`" for v in annotation)  # an enumeration


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, (), "", {}) or isinstance(value, BaseModel):
        return ""
    value = ", ".join(value) if isinstance(value, tuple) else str(value).lower() if value in (True, False) else value
    return f"`{value}`"


def explained() -> dict[tuple[str, str], str]:
    """What the tables of the pages say a key holds, by section and key."""
    found: dict[tuple[str, str], str] = {}
    for page in PAGES:
        parts = re.split(r"^##+ +(.*)$", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE)
        for section, text in zip(parts[1::2], parts[2::2], strict=True):
            for keys, holds in _ROW.findall(text):
                for key in re.findall(r"`([^`]+)`", keys):
                    found.setdefault((section, key), holds)
    return found


def _holds(model: type[BaseModel], key: str, field: FieldInfo, told: dict[tuple[str, str], str]) -> str:
    section = "A duty" if issubclass(model, Duty) else _SECTIONS.get(model.__name__, "")
    anywhere = (text for (_, k), text in told.items() if k == key)
    inside = (f"`{k}`: {text}" for (_, k), text in told.items() if f"`{key}`" in text or re.search(rf"\b{key}\b", k))
    said = told.get((section, key)) or field.description or next(anywhere, "") or next(inside, "")
    said = re.sub(r"\]\((?=[\w-]+\.md)", "](../", said)
    said = re.sub(r"\]\((#[^)]*)\)", lambda m: f"](../{_page_of(m[1])}{m[1]})", said)
    return re.sub(r"(?<!\\)\|", r"\\|", said)


def _page_of(anchor: str) -> str:
    for page in PAGES:
        headings = re.findall(r"^#+ +(.*)$", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE)
        if anchor[1:] in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}:
            return page
    return PAGES[1]


# --- the rest ----------------------------------------------------------------------------------------------------


def _first_paragraph(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _whole(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").strip()


def hooks() -> list[str]:
    """Every hook a plugin may answer."""
    return [name for name, value in vars(hookspecs).items() if hasattr(value, "gmsafety_spec")]


def _hooks() -> str:
    lines = ["# Hooks", "", _whole(hookspecs), ""]
    for name in hooks():
        lines += _function(name, getattr(hookspecs, name))
    lines += ["## What it returns", "", _whole(content.Content), "", *_function("read_content", content.read_content)]
    lines += ["## The conformance kit", "", _whole(testing), ""]
    for name in testing.__all__:
        thing = getattr(testing, name)
        lines += _function(name, thing) if inspect.isfunction(thing) else [f"### {name}", "", _whole(thing), ""]
    return "\n".join(lines)


def _function(name: str, function: Any) -> list[str]:
    return [f"### {name}", "", "```python", f"def {name}{inspect.signature(function)}", "```", "", _whole(function), ""]


def _types() -> str:
    told = explained()
    lines = ["# Field types", "", "[Forms](../forms.md#field-types) shows what each understands.", ""]
    lines += ["| type | in Python | a number | gives, besides | is |", "|---|---|---|---|---|"]
    for name, kind in FIELD_TYPES.items():
        python, _, understands = told["Field types", name].partition(" | ")
        derived = ", ".join(f"`{d}`" for d in kind.derived)
        lines.append(f"| `{name}` | {python} | {'yes' if kind.numeric else ''} | {derived} | {understands} |")
    return "\n".join([*lines, ""])


def _duties() -> str:
    lines = ["# Kinds of duty", "", "The kind follows from the keys; it need not be written.", ""]
    for model in duty_models():
        kind = model.model_fields["kind"].default
        own = [f.alias or n for n, f in model.model_fields.items() if n not in {*Duty.model_fields, "kind"}]
        needed = [f"`{n}`" for n in own if model.model_fields[n].is_required()]
        lines += [f"## {kind}", "", _first_paragraph(model), ""]
        lines += [f"Known by {', '.join(needed)}." if needed else "What has no day.", ""]
        lines += [f"Its keys are those of [{model.__name__}](keys.md#{model.__name__.lower()}).", ""]
    return "\n".join(lines)


def duty_models() -> list[type[BaseModel]]:
    """The model of every kind of duty, in the order of the code."""
    found = [m for m in models() if issubclass(m, Duty)]
    assert {m.model_fields["kind"].default for m in found} == DUTY_KINDS
    return found


def _codes() -> str:
    lines = ["# Codes", "", "Findings, what is wrong with a file, are on a [page of their own](../findings.md).", ""]
    lines += ["## Problems of the interface", "", "What the server answers, RFC 9457, in Chinese.", ""]
    lines += ["| code | slug | status | title | remedy |", "|---|---|---|---|---|"]
    lines += [f"| `{p.code}` | `{p.slug}` | {p.status} | {p.title} | {p.remedy} |" for p in problems()]
    lines += ["", "## Exceptions", "", "```text", _whole(errors), "```", ""]
    for name, value in vars(errors).items():
        if inspect.isclass(value) and value.__module__ == errors.__name__:
            lines += [f"### {name}", "", _whole(value), ""]
    return "\n".join(lines)


def problems() -> list[Any]:
    """Every kind of problem that the server tells."""
    from gmsafety_server.errors import PROBLEMS  # noqa: PLC0415 - the reference of the core is made without it

    return list(PROBLEMS.values())
