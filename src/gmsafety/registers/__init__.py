"""The register (登记簿): enterprises, hazards, inspections and penalties, as JSON and as a workbook of four sheets."""

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .reading import RegisterReading, read_register
    from .register import Register
    from .writing import write_register

__all__ = ["Register", "RegisterReading", "read_register", "write_register"]

__getattr__ = lazily(
    __name__,
    {
        "Register": "register",
        "RegisterReading": "reading",
        "read_register": "reading",
        "write_register": "writing",
    },
)
