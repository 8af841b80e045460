"""Our server with one page more: an empty one of the same stack, with the same log-in, layout and navigation."""

import os
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from jinja2 import ChoiceLoader, DictLoader

from gmsafety.duties import Recurring
from gmsafety_server.app import create_app
from gmsafety_server.node import Node, open_node
from gmsafety_server.scope import Viewer
from gmsafety_server.settings import Settings
from gmsafety_server.templating import environment, page
from gmsafety_server.web import visiting

from . import world

EMPTY = "/bench/empty"
_TEMPLATE = "bench/empty.html"


def _node() -> Node:
    """The node, or one that shows other weeks: `BENCH_WEEKS=first,last`; its slots are there, and not planned anew."""
    node = open_node(Settings())
    if (weeks := os.environ.get("BENCH_WEEKS")) is None:
        return node
    first, last = map(date.fromisoformat, weeks.split(","))
    catalog = node.catalog
    found = catalog.campaigns[world.CAMPAIGN]
    span = {"first": first, "last": last}
    duties = tuple(d.model_copy(update=span) if isinstance(d, Recurring) else d for d in found.duties)
    changed = found.model_copy(update={"duties": duties})
    campaigns = MappingProxyType({**catalog.campaigns, world.CAMPAIGN: changed})
    return replace(node, catalog=replace(catalog, campaigns=campaigns))


def app() -> FastAPI:
    """The application of the installation that the environment describes, with the empty page."""
    made = create_app(_node())
    templates = environment()
    nothing = '{% extends "base.html" %}{% block title %}-{% endblock %}'
    templates.loader = ChoiceLoader([DictLoader({_TEMPLATE: nothing}), *filter(None, [templates.loader])])

    @made.get(EMPTY)
    def show(request: Request, viewer: Annotated[Viewer, Depends(visiting("board.read"))]) -> Response:
        return page(request, _TEMPLATE)

    return made
