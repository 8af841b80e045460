"""What every room of a server answers with: frozen values, which take keys that a newer server adds."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Day = date | str
"""A day, or its text `2024-12-27`."""


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


A = TypeVar("A", bound=Answer)


class Page(Answer, Generic[A]):
    """A page of a list; the rooms give lists as iterators over all pages."""

    items: tuple[A, ...]
    total: int
    page: int
    size: int
    pages: int


class Finding(Answer):
    """What a check found, as the server tells it; `place` is its place in words, `where` the cell."""

    code: str
    kind: str = ""
    severity: str
    where: str = ""
    sheet: str | None = None
    place: str = ""
    message: str
    remedy: str = ""
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.place or self.where}：{self.message}{self.remedy}　{self.code}"


def query(**values: Any) -> dict[str, Any]:
    """The parameters of a request that say something, days written out."""
    return {name: plain(value) for name, value in values.items() if value is not None}


def plain(value: Any) -> Any:
    """A value as JSON and forms carry it."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value
