"""The cells of a board as HTML: thousands of them, and only some dozens that look different."""

from collections.abc import Iterable, Iterator

from markupsafe import Markup

from ...templating import environment
from .schemas import BoardRow

_NOTHING_OWED = '<td class="cell"></td>'
_UID = "@"


def draw(rows: Iterable[BoardRow]) -> Iterator[tuple[BoardRow, Markup]]:
    """Each row with its cells; every look is drawn once by `ui.cell`, then given the address it leads to."""
    cell = environment().get_template("ui.html").module.cell  # type: ignore[attr-defined]  # a macro
    known: dict[tuple[str, bool, int, bool], str] = {}
    for row in rows:
        drawn = []
        for one in row.cells:
            if one is None:
                drawn.append(_NOTHING_OWED)
                continue
            state, nil, late, uid = one["state"], one["nil"], one["late_minutes"], one["submission"]
            look = (state, nil, late, uid is not None)
            if look not in known:
                known[look] = str(cell(state, late, nil, f"/submissions/{_UID}" if uid else ""))
            drawn.append(known[look].replace(_UID, uid) if uid else known[look])
        yield row, Markup("".join(drawn))
