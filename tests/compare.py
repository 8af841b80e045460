"""Comparing what was read with what a sample says, as the samples' rules of comparison have it."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from gmsafety.findings import Finding
from gmsafety.forms.reading import Reading

ROOT = Path(__file__).parent
SAMPLES = ROOT / "samples"
SCENARIO = ROOT.parent / "examples" / "first-friday"
WORKBOOK = (".xlsx", ".docx", ".xls", ".ods", ".xlsm")

SAME_KIND = {
    "wrong-extension": {"wrong-extension", "unsupported-format"},
    "renamed-column": {"renamed-column", "missing-column", "unknown-column"},
}
"""Kinds of the samples that have more than one right name."""


def sample_files(folder: Path) -> list[Path]:
    """Files with an expected result beside them."""
    return sorted(p for p in folder.rglob("*") if p.with_name(p.name + ".expected.json").exists())


def expected(path: Path) -> dict[str, Any]:
    """The expected result of a sample file."""
    return dict(json.loads(path.with_name(path.name + ".expected.json").read_text("utf-8")))


def plain(value: Any) -> Any:
    """Fold a text as both sides are folded before they are compared."""
    if isinstance(value, str):
        return re.sub(r"[\s\u200b]+", "", unicodedata.normalize("NFKC", value))
    return value


def same(mine: Any, theirs: Any) -> bool:
    """Compare two values; numbers by value, texts folded."""
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(same(a, b) for a, b in zip(mine, theirs, strict=True))
    if isinstance(mine, (int, float)) and isinstance(theirs, (int, float)):
        return abs(mine - theirs) < 1e-9
    return bool(plain(mine) == plain(theirs))


def at(tree: Any, path: str) -> Any:
    """Look up `clauses.2.numbers.3` in a printed view."""
    for part in path.split("."):
        tree = tree[int(part)] if isinstance(tree, list) else tree.get(part)
    return tree


def differences(view: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """List where a printed view differs from the expected one."""
    either = wanted.get("either", {})
    found = []
    for path, theirs in _leaves(wanted):
        mine = at(view, path)
        if same(mine, theirs) or any(same(mine, other) for other in either.get(path, [])):
            continue
        if any(path.startswith(p + ".") and any(same(at(view, p), o) for o in either[p]) for p in either):
            continue
        found.append(f"{path}: {mine!r} instead of {theirs!r}")
    if "rows" in wanted and len(view.get("rows", [])) != len(wanted["rows"]):
        found.append(f"{len(view.get('rows', []))} rows instead of {len(wanted['rows'])}")
    if bool(view.get("nil")) != bool(wanted.get("nil")):
        found.append(f"nil {view.get('nil')!r} instead of {wanted.get('nil')!r}")
    if "sheet" in wanted and view.get("sheet") != wanted["sheet"]:
        found.append(f"sheet {view.get('sheet')!r} instead of {wanted['sheet']!r}")
    return found


def _leaves(wanted: dict[str, Any]) -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = [("form", wanted["form"])]
    leaves += [(f"header.{k}", v) for k, v in wanted.get("header", {}).items()]
    for number, clause in wanted.get("clauses", {}).items():
        for key, value in clause.items():
            if isinstance(value, list):
                leaves += [(f"clauses.{number}.{key}.{i}", v) for i, v in enumerate(value)]
            else:
                leaves.append((f"clauses.{number}.{key}", value))
    for index, row in enumerate(wanted.get("rows", [])):
        leaves += [(f"rows.{index}.{k}", v) for k, v in row.items()]
    return leaves


def unmet(findings: tuple[Finding, ...], wanted: list[dict[str, Any]]) -> list[str]:
    """List expected findings that were not reported at their place."""
    missing = []
    for finding in wanted:
        kinds = SAME_KIND.get(finding["kind"], {finding["kind"]})
        if not any(f.kind.slug in kinds and f.place.where == finding["where"] for f in findings):
            missing.append(f"{finding['kind']} at {finding['where']}")
    return missing


def false_findings(findings: tuple[Finding, ...], wanted: list[dict[str, Any]]) -> list[str]:
    """List findings nobody planted; remarks are none."""
    planted = {kind for f in wanted for kind in SAME_KIND.get(f["kind"], {f["kind"]})}
    return [
        f"{f.kind.slug} at {f.place}: {f.message}" for f in findings if not f.is_remark and f.kind.slug not in planted
    ]


def form_of(reading: Reading) -> str | None:
    """The printed id of the form that was recognised."""
    return (reading.form.printed_id or reading.form.id) if reading.form else None
