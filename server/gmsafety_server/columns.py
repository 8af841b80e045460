"""What columns hold: moments in UTC, JSON, paths of units; and the names of keys and indexes."""

from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Row,
    String,
    TypeDecorator,
    any_,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of whichever columns."""

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)


class Moment(TypeDecorator[datetime]):
    """A moment, in UTC in the database and with its zone in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without its zone: {value!r}")
        return value.astimezone(UTC) if dialect.name != "sqlite" else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Path = String(600).with_variant(String(600, collation="C"), "postgresql")
Number = BigInteger().with_variant(Integer, "sqlite")

KINDS = ("sqlite", "postgresql")
"""The databases that are served."""


def among(column: Column[Any], name: str, kind: str) -> ColumnElement[bool]:
    """Tell whether a column holds one of the values that are given by a name when the statement is executed.

    PostgreSQL is given them as one array: the statement is the same for any number of them, and planned once.
    """
    if kind == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(column.type)))
    return column.in_(bindparam(name, expanding=True))


def number() -> Column[int]:
    """The number of a row."""
    return Column("id", Number, primary_key=True, autoincrement=True)
