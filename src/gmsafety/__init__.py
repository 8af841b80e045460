"""Safety notices as data that runs: forms that check themselves, duties that know when they are due.

The public names are imported on first use, so that `import gmsafety` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalog import Catalog, load_catalog
    from .findings import Finding, Place, Severity
    from .hookspecs import hookimpl

__version__ = "0.1.0"
__all__ = ["Catalog", "Finding", "Place", "Severity", "hookimpl", "load_catalog"]

_HOMES = {
    "Catalog": "catalog",
    "Finding": "findings",
    "Place": "findings",
    "Severity": "findings",
    "hookimpl": "hookspecs",
    "load_catalog": "catalog",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gmsafety' has no attribute {name!r}")
    return getattr(import_module(f"gmsafety.{_HOMES[name]}"), name)
