"""What a command is told of an enterprise, in a JSON file: its record, or its tags alone; facts beside either."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import GmsafetyError

EnterpriseFile = Annotated[
    Path, typer.Argument(metavar="ENTERPRISE.json", exists=True, dir_okay=False, help="企业（JSON）")
]


class NotAnEnterprise(GmsafetyError):
    """A file that says nothing of an enterprise."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Told:
    """The tags and the facts of an enterprise, and what it is called: by its record, else by its file."""

    tags: dict[str, Any]
    facts: dict[str, Any]
    name: str


def read_told(file: Path) -> Told:
    """Read what is told; NotAnEnterprise where it cannot be taken."""
    from pydantic import ValidationError

    from ..enterprises import Enterprise

    try:
        data = json.loads(file.read_text("utf-8-sig"))
        if not isinstance(data, dict):
            raise NotAnEnterprise(f"{file}：应为一个JSON对象")
        facts, tags = dict(data.pop("facts", None) or {}), dict(data.pop("tags", None) or {})
        record = data.pop("enterprise", data)
        known = Enterprise.model_validate(record) if record else None
    except ValidationError as error:
        wrong = "；".join(
            f"{'.'.join(map(str, e['loc']))}：{str(e['msg']).removeprefix('Value error, ')}" for e in error.errors()
        )
        raise NotAnEnterprise(f"{file}：{wrong}") from error
    except (ValueError, TypeError) as error:
        raise NotAnEnterprise(f"{file}：不是合法的JSON（{error}）") from error
    return Told(dict(known.tags if known else {}) | tags, facts, known.name if known else file.name)
