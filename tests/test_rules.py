"""Rules in CEL: what they read, and what a blank means."""

import pytest

from gmsafety.rules import compile_expression, holds, nest

READS = (
    ("fixed <= found", ("fixed", "found"), {}),
    ("self.benchmark.major.found <= self.major.found", ("self.benchmark.major.found", "self.major.found"), {}),
    ("ledger.filter(r, r.stage == '企业自查' && r.done).size()", ("ledger",), {"ledger": {"stage", "done"}}),
    ("size(cross.counties)", ("cross.counties",), {}),
    ("stage != '企业自查' || !penalty.matches('罚|责令')", ("stage", "penalty"), {}),
    ("inspected >= campaign.first", ("inspected", "campaign.first"), {}),
    ("'a.b' in names && true", ("names",), {}),
)


@pytest.mark.parametrize(("source", "operands", "fields"), READS)
def test_what_an_expression_reads(source: str, operands: tuple[str, ...], fields: dict[str, set[str]]) -> None:
    expression = compile_expression(source)

    assert operands == expression.operands
    assert fields == {name: set(f) for name, f in expression.row_fields.items()}


# expression, values, `missing`, verdict: None is "not judged"
VERDICTS = (
    ("fixed <= found", {"fixed": 3, "found": 3}, "skip", True),
    ("fixed <= found", {"fixed": 4, "found": 3}, "skip", False),
    ("fixed <= found", {"fixed": None, "found": 3}, "skip", None),
    ("fixed <= found", {"fixed": 4, "found": None}, "skip", None),
    ("fixed <= found", {"fixed": 4, "found": None}, "zero", False),
    ("fixed <= found", {"fixed": None, "found": None}, "zero", True),
    ("day <= last", {"day": "2025-01-20", "last": "2025-01-10"}, "skip", False),
    ("a.b == a.c", {"a.b": 2, "a.c": 2.0}, "skip", True),
)


@pytest.mark.parametrize(("source", "values", "missing", "verdict"), VERDICTS)
def test_verdicts(source: str, values: dict[str, object], missing: str, verdict: bool | None) -> None:
    assert verdict is holds(compile_expression(source), values, missing=missing)


def test_nesting() -> None:
    assert {"self": {"major": {"found": 3, "fixed": 1}}, "x": 2} == nest(
        {"self.major.found": 3, "self.major.fixed": 1, "x": 2}
    )


def test_what_is_no_expression() -> None:
    with pytest.raises(ValueError, match="found"):
        compile_expression("found <=")


def test_what_cannot_be_evaluated_names_the_expression() -> None:
    with pytest.raises(ValueError, match="规则“a < b”无法计算"):
        holds(compile_expression("a < b"), {"a": "x", "b": 1})
