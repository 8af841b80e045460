"""Our server with one page more: an empty one of the same stack, with the same log-in, layout and navigation."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from jinja2 import ChoiceLoader, DictLoader

from gmsafety_server.app import create_app
from gmsafety_server.node import open_node
from gmsafety_server.scope import Viewer
from gmsafety_server.settings import Settings
from gmsafety_server.templating import environment, page
from gmsafety_server.web import visiting

EMPTY = "/bench/empty"
_TEMPLATE = "bench/empty.html"


def app() -> FastAPI:
    """The application of the installation that the environment describes, with the empty page."""
    made = create_app(open_node(Settings()))
    templates = environment()
    nothing = '{% extends "base.html" %}{% block title %}-{% endblock %}'
    templates.loader = ChoiceLoader([DictLoader({_TEMPLATE: nothing}), *filter(None, [templates.loader])])

    @made.get(EMPTY)
    def show(request: Request, viewer: Annotated[Viewer, Depends(visiting("board.read"))]) -> Response:
        return page(request, _TEMPLATE)

    return made
