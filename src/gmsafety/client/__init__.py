"""A typed client of a gmsafety server (extra `gmsafety[client]`): filing, deciding, receipts, board, roll-ups."""

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .client import Client
    from .connection import Patience
    from .enclosures import Enclosure
    from .errors import ProblemError, StrangeAnswer, Unreachable

__all__ = ["Client", "Enclosure", "Patience", "ProblemError", "StrangeAnswer", "Unreachable"]

__getattr__ = lazily(
    __name__,
    {
        "Client": "client",
        "Enclosure": "enclosures",
        "Patience": "connection",
        "ProblemError": "errors",
        "StrangeAnswer": "errors",
        "Unreachable": "errors",
    },
)
