"""Verifying (核验): does a database hold what the node once said that it holds. Reads only, and needs no server.

What was signed, hashed or counted is looked at again: the audit log and its seals, receipts, files, contents, slots,
and what must be there only once.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Connection

from gmsafety.exchange.signing import PublicKey

from ..audit import verify as verify_log
from .contents import verify_contents
from .files import verify_files
from .receipts import verify_receipts
from .report import Check
from .slots import verify_slots
from .structure import verify_structure

__all__ = ["CHECKS", "Check", "verify_database"]

CHECKS = 6
_NO_HEADS: Mapping[int, str] = MappingProxyType({})


def verify_database(
    tx: Connection, keys: Sequence[PublicKey], *, heads: Mapping[int, str] = _NO_HEADS
) -> Iterator[Check]:
    """Make every check, one after the other; `heads` as in `audit.verify`."""
    yield verify_structure(tx)
    yield _log(tx, keys, heads)
    yield verify_receipts(tx, keys)
    yield verify_files(tx)
    yield verify_contents(tx)
    yield verify_slots(tx)


def _log(tx: Connection, keys: Sequence[PublicKey], heads: Mapping[int, str]) -> Check:
    found = verify_log(tx, keys, heads)
    counts = {"sealed": found.sealed, "seals": found.seals, "unsealed": found.unsealed}
    note = f"链头 {found.sealed}:{found.hash}" if found.sealed else ""
    return Check("audit", "审计记录", counts, found.faults, note)
