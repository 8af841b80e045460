"""When a message without an answer is sent again: soon, then less often, and never rarely near a deadline."""

import datetime as dt
from collections.abc import Callable

FIRST = dt.timedelta(seconds=2)
RARELY = dt.timedelta(minutes=10)
NEAR = dt.timedelta(hours=2)
"""How long before a deadline no wait is longer than `SOON`."""
SOON = dt.timedelta(seconds=30)


def next_try(
    failures: int, *, now: dt.datetime, chance: Callable[[], float], due_at: dt.datetime | None = None,
    asked: dt.timedelta | None = None,
) -> dt.datetime:  # fmt: skip
    """When to send a message again that failed so often already.

    The wait doubles from two seconds to ten minutes; within two hours of the deadline of what it carries it is half a
    minute at most. `chance` (0 to 1) spreads it over its second half, so that those who failed together do not come
    back together. What the other node asked for (Retry-After) is waited at least.
    """
    wait = min(FIRST * (1 << min(failures, 20)), RARELY)
    if due_at is not None and abs(due_at - now) <= NEAR:
        wait = min(wait, SOON)
    wait = wait / 2 + wait / 2 * chance()
    return now + max(wait, asked or dt.timedelta(0))
