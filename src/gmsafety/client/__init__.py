"""A typed client of a gmsafety server (extra `gmsafety[client]`): filing, deciding, receipts, board, roll-ups.

What the server answers with is in the modules beside: `submitted`, `rolled`, `board`, `units`, `accounts`, `reference`.
"""

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .client import Client
    from .connection import Patience
    from .enclosures import Enclosure
    from .errors import ProblemError, StrangeAnswer, Unreachable
    from .rollups import Adjustment
    from .submitted import Reason
    from .units import NewUnit, Successor

__all__ = [
    "Adjustment",
    "Client",
    "Enclosure",
    "NewUnit",
    "Patience",
    "ProblemError",
    "Reason",
    "StrangeAnswer",
    "Successor",
    "Unreachable",
]

__getattr__ = lazily(
    __name__,
    {
        "Adjustment": "rollups",
        "Client": "client",
        "Enclosure": "enclosures",
        "NewUnit": "units",
        "Patience": "connection",
        "ProblemError": "errors",
        "Reason": "submitted",
        "StrangeAnswer": "errors",
        "Successor": "units",
        "Unreachable": "errors",
    },
)
