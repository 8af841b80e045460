"""Rules as CEL expressions over the values of a form: what must hold, with blanks left unjudged.

A blank operand means that a rule is not evaluated, unless it says `missing: zero`. Dates are ISO text, money is whole
yuan, names are lists. CEL is evaluated by the package common-expression-language.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_CHAIN = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)\s*(\(?)")
_BINDING = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WORDS = frozenset(
    {"true", "false", "null", "in", "size", "has", "int", "double", "string", "timestamp", "duration", "max", "min"}
)


class _Program(Protocol):
    def execute(self, context: dict[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Expression:
    """A compiled expression: the dotted names it reads, and the fields it reads of the rows of a list."""

    source: str
    program: _Program
    operands: tuple[str, ...]
    row_fields: Mapping[str, frozenset[str]]

    def value(self, context: Mapping[str, Any]) -> Any:
        """Evaluate with nested values.

        ValueError names the expression that cannot be evaluated; ArithmeticError where these numbers do not allow it.
        """
        try:
            return self.program.execute(dict(context))
        except (TypeError, ValueError, RuntimeError, KeyError) as error:
            raise ValueError(f"规则“{self.source}”无法计算：{error}") from error


@cache
def compile_expression(source: str) -> Expression:
    """Compile an expression; ValueError where it is not CEL."""
    program: _Program = _cel().compile(source)
    bare = _STRING.sub("''", source)
    bound = set(_BINDING.findall(bare))
    operands: dict[str, None] = {}
    fields: dict[str, set[str]] = {}
    lists = re.findall(
        r"([A-Za-z_][\w.]*?)\s*\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,", bare
    )
    for match in _CHAIN.finditer(bare):
        parts = re.split(r"\s*\.\s*", match.group(1))
        if match.group(2):
            parts = parts[:-1]
        if not parts or parts[0] in _WORDS:
            continue
        if parts[0] in bound:
            for name, variable in lists:
                if variable == parts[0] and len(parts) > 1:
                    fields.setdefault(name, set()).add(parts[1])
        else:
            operands[".".join(parts)] = None
    return Expression(source, program, tuple(operands), {k: frozenset(v) for k, v in fields.items()})


@cache
def _cel() -> ModuleType:
    """Import CEL without the interactive prompt that its package imports, too (a third of a cold start)."""
    prompt = "cel.cli"
    if prompt in sys.modules:
        return import_module("cel")
    sys.modules[prompt] = ModuleType(prompt)
    try:
        return import_module("cel")
    finally:
        del sys.modules[prompt]


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nest dotted names: {'self.major.found': 3} becomes {'self': {'major': {'found': 3}}}."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        node = tree
        *heads, last = path.split(".")
        for head in heads:
            node = node.setdefault(head, {})
        node[last] = value
    return tree


def holds(expression: Expression, values: Mapping[str, Any], *, missing: str = "skip") -> bool | None:
    """Evaluate a condition over values by dotted name; None where a blank or a division by zero leaves it unjudged."""
    known = {name: values.get(name) for name in expression.operands}
    blanks = [name for name, value in known.items() if value is None]
    if blanks and missing != "zero":
        return None
    known |= dict.fromkeys(blanks, 0)
    try:
        return bool(expression.value(nest(known)))
    except ArithmeticError:
        return None
