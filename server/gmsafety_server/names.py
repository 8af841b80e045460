"""Names made here: identifiers that sort by the time they were made, so that an index grows at its end."""

import secrets
from datetime import datetime
from uuid import UUID


def new_uid(now: datetime) -> str:
    """A UUID of version 7 (RFC 9562): milliseconds first, then chance."""
    stamp = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    chance = secrets.randbits(74)
    number = stamp << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & ((1 << 62) - 1)
    return str(UUID(int=number))
