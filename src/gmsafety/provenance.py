"""Where a rule comes from: the document, the clause quoted, and what the document got wrong."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One name or several, as a YAML author likes to write them."""


def _as_tag(value: object) -> object:
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


TagValue = Annotated[bool | int | str, BeforeValidator(_as_tag)]
"""What is known of an enterprise under a name: yes or no, a number, a word."""


class Value(BaseModel):
    """Base of everything a plugin declares: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Document(Value):
    """A notice (通知): number, issuer, date. `issued` is None where the text bears no date."""

    id: str
    title: str
    number: str | None = None
    issuer: str
    level: str
    issued: date | None = None
    implements: str | None = Field(None, description="id of the parent document")
    note: str | None = None


class Citation(Value):
    """The clause that a declaration rests on; `reading` says what is our interpretation."""

    document: str | None = Field(None, description="id of a document; by default that of the file or campaign")
    clause: str
    quote: str | None = None
    reading: str | None = None


class Erratum(Value):
    """What the source got wrong: printed → read as → why. Shown, never silently mended."""

    printed: str
    read: str
    where: str
    why: str


class Actor(Value):
    """Somebody with duties who is no unit: 企业, 交叉检查组, 领导干部."""

    id: str
    title: str
    note: str | None = None
