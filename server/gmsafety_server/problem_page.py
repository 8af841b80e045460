"""A problem as a person at a browser reads it."""

from typing import Any

from fastapi import Request, Response
from sqlalchemy.exc import SQLAlchemyError

from .errors import Problem
from .templating import page


def problem_page(request: Request, problem: Problem) -> Response:
    """Answer with a page that says what is wrong and what to do; every problem that a page meets comes here."""
    back = request.headers.get("referer", "") if request.method != "GET" else ""
    local = back.startswith(str(request.base_url))
    response = _page(request, problem, wrong=problem.more.get("errors", ()), back=back if local else "")
    response.headers.update(problem.headers)
    return response


def _page(request: Request, problem: Problem, **told: Any) -> Response:
    """The page; as to a stranger where the database cannot say who asks, for it may be the very problem."""
    told |= {"status": problem.type.status, "problem": problem, "kind": problem.type}
    try:
        return page(request, "problem.html", **told)
    except SQLAlchemyError:
        request.state.viewer = None
        return page(request, "problem.html", **told)
