"""A problem as a person at a browser reads it."""

from fastapi import Request, Response

from .errors import Problem
from .templating import page


def problem_page(request: Request, problem: Problem) -> Response:
    """Answer with a page that says what is wrong and what to do; every problem that a page meets comes here."""
    back = request.headers.get("referer", "") if request.method != "GET" else ""
    local = back.startswith(str(request.base_url))
    response = page(
        request, "problem.html", status=problem.type.status, problem=problem, kind=problem.type,
        wrong=problem.more.get("errors", ()), back=back if local else "",
    )  # fmt: skip
    response.headers.update(problem.headers)
    return response
