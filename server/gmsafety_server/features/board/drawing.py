"""The table of a board as HTML: thousands of cells, and only some dozens that look different."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from markupsafe import Markup

from gmsafety.duties import BEIJING

from ...templating import environment
from .schemas import Board, BoardRow, Cell
from .tallies import rate
from .words import when

_NOTHING_OWED = '<td class="cell"></td>'
_UID = "@"


def draw(board: Board) -> Markup:
    """The table; it holds for the day on which it is drawn."""
    today = board.now.astimezone(BEIJING).date()
    current = next((p.period for p in board.periods if p.opens <= today <= p.period), None)
    template = environment().get_template("board/table.html")
    text = template.render(board=board, drawn=_rows(board.rows), current=current, rate=rate, when=when)
    return Markup(text)


def _rows(rows: Iterable[BoardRow]) -> Iterator[tuple[BoardRow, Markup]]:
    for row in rows:
        cells = "".join(_NOTHING_OWED if cell is None else _cell(cell) for cell in row.cells)
        yield row, Markup(cells)


def _cell(cell: Cell) -> str:
    uid = cell["submission"]
    drawn = _look(cell["state"], nil=cell["nil"], late=cell["late_minutes"], is_link=uid is not None)
    return drawn.replace(_UID, uid) if uid is not None else drawn


@lru_cache(maxsize=2048)
def _look(state: str, *, nil: bool, late: int, is_link: bool) -> str:
    """A cell as `ui.cell` draws it, with a place for the submission it leads to."""
    macro = environment().get_template("ui.html").module.cell  # type: ignore[attr-defined]  # a macro
    return str(macro(state, late, nil, f"/submissions/{_UID}" if is_link else ""))
