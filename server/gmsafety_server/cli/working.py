"""The node as a command that changes accounts or units works on it: a refusal becomes a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gmsafety.errors import GmsafetyError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..node import Node


class Refused(GmsafetyError):
    """What was asked for cannot be done; nothing was changed."""

    is_usage = True


@contextmanager
def working() -> Iterator["Node"]:
    """The node, around one command."""
    from pydantic import ValidationError

    from ..errors import Problem
    from .opening import opened

    with opened() as node:
        try:
            yield node
        except Problem as problem:
            said = [e["message"] for e in problem.more.get("errors", ()) if e["message"] not in problem.detail]
            raise Refused("；".join([problem.detail, *said]) + f"\n{problem.type.remedy}。") from problem
        except ValidationError as error:
            wrong = "；".join(f"{'.'.join(map(str, e['loc']))}：{e['msg']}" for e in error.errors())
            raise Refused(f"有些内容不对：{wrong}") from error


def unit_ref(node: "Node", tx: "Connection", named: str) -> str:
    """The reference of a unit, by any of its names; a reference that is not open today stays as it is."""
    from sqlalchemy import select

    from ..tables import units

    if tx.execute(select(units.c.id).where(units.c.ref == named).limit(1)).first() is not None:
        return named
    return node.directory(tx).units.get_one(named).ref
