"""The fingerprint of a form: the same as long as the same is asked, however it looks."""

import hashlib
import json
from typing import Any

from .spec import Form

_OF_A_FIELD = ("id", "label", "type", "choices", "open", "parts", "units")
_OF_A_COLUMN = (*_OF_A_FIELD, "required", "groups", "unit", "computed")
_OF_A_CLAUSE = ("id", "label", "text", "remark")
_OF_THE_FORM = ("rows", "fixed", "key", "numbers", "not_cumulative", "period")


def spec_hash(form: Form) -> str:
    """The SHA-256 of what a form asks, in canonical JSON (RFC 8785): titles, looks, rules and notes are left out."""
    return hashlib.sha256(canonical(asked_of(form))).hexdigest()


def asked_of(form: Form) -> dict[str, Any]:
    """What a form asks: header, columns or clauses, printed rows, signatures, and how its numbers count."""
    told = form.model_dump(mode="json", include=set(_OF_THE_FORM), exclude_defaults=True)
    return told | {
        "header": [_only(f, _OF_A_FIELD) for f in form.header],
        "columns": [_only(c, _OF_A_COLUMN) for c in form.columns],
        "clauses": [_only(c, _OF_A_CLAUSE) for c in form.clauses],
        "signatures": [_only(f, _OF_A_FIELD) for f in form.signatures],
    }


def canonical(told: Any) -> bytes:
    """Canonical JSON of texts, whole numbers, lists, and objects with ASCII names: all that a form is made of."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _only(part: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The named members of a declaration, apart from those at their defaults."""
    return dict(part.model_dump(mode="json", include=set(names), exclude_defaults=True))
