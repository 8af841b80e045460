"""Where a page that changes something goes on to, and what is said there; what such forms bring."""

from typing import Annotated

from fastapi import Form, Response
from fastapi.responses import RedirectResponse

from ...errors import Problem
from ...templating import say

Text = Annotated[str, Form(max_length=4000)]
Seen = Annotated[int, Form(ge=1, le=2**53)]
"""The version of a submission that stood on the page."""


def go(where: str, text: str = "", *, kind: str = "success", to: str = "") -> Response:
    """Go on to another page, which says how it went; `to` is a page that it names."""
    response = RedirectResponse(where, 303)
    if text:
        say(response, text, kind=kind, to=to)
    return response


def sorry(where: str, problem: Problem) -> Response:
    """Go back to where it was asked for, and say why it was not done."""
    return go(where, f"{problem.detail.rstrip('。')}。{problem.type.remedy}。", kind="error")
