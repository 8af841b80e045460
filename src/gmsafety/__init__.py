"""Safety notices as data that runs: forms that check themselves, duties that know when they are due.

The public names are imported on first use, so that `import gmsafety` costs next to nothing.
"""

from typing import TYPE_CHECKING

from .lazy import lazily

if TYPE_CHECKING:
    from .catalog import Catalog, load_catalog
    from .findings import Finding, Place, Severity
    from .hookspecs import hookimpl

__version__ = "0.1.0"
__all__ = ["Catalog", "Finding", "Place", "Severity", "hookimpl", "load_catalog"]

__getattr__ = lazily(
    __name__,
    {
        "Catalog": "catalog",
        "Finding": "findings",
        "Place": "findings",
        "Severity": "findings",
        "hookimpl": "hookspecs",
        "load_catalog": "catalog",
    },
)
