"""The application: rooms, rules that hold for every request, and the work that goes on behind them."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from .described import describe
from .features.accounts import endpoints as accounts
from .features.accounts import pages as account_pages
from .features.accounts import user_pages
from .features.archives import pages as archive_pages
from .features.board import endpoints as board
from .features.board import pages as board_pages
from .features.board.remembered import Remembered
from .features.exchange import definition_pages
from .features.exchange import endpoints as exchange
from .features.exchange import pages as exchange_pages
from .features.exchange.doorway import Doorway
from .features.exchange.postman import Postman
from .features.reference import endpoints as reference
from .features.reference import pages as reference_pages
from .features.reference import rules as reference_rules
from .features.rollups import endpoints as rollups
from .features.rollups import pages as rollup_pages
from .features.submissions import downloads, filing_pages, occasion_endpoints, occasion_pages, review_pages
from .features.submissions import endpoints as submissions
from .features.submissions import pages as submission_pages
from .features.units import endpoints as units
from .features.units import pages as unit_pages
from .gate import Gate
from .node import Node
from .problem_page import problem_page
from .sealer import Sealer
from .static import Static
from .web import tell_problems


def create_app(node: Node) -> FastAPI:
    """Build the application of a node."""
    app = FastAPI(
        title="gmsafety", version=version("gmsafety-server"), description=node.settings.title, lifespan=_lifespan,
        docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    app.state.node = node
    app.router.routes.append(exchange.messages)  # looked for first: of requests in the last minute most are these
    app.include_router(exchange.router)
    for room in (
        submissions,
        downloads,
        submission_pages,
        filing_pages,
        review_pages,
        occasion_endpoints,
        occasion_pages,
        rollups,
        rollup_pages,
        units,
        unit_pages,
        accounts,
        account_pages,
        user_pages,
    ):
        app.include_router(room.router)
    for room in (board, reference):
        app.include_router(room.router)
        app.include_router(room.public)
    app.include_router(exchange.public)
    app.include_router(board_pages.router)
    app.include_router(definition_pages.router)
    app.include_router(archive_pages.router)
    app.include_router(exchange_pages.router)
    app.include_router(reference_pages.router)
    app.include_router(reference_rules.router)
    app.state.remembered, app.state.doorway = Remembered(), Doorway(node)
    node.give_way = app.state.doorway.give_way
    app.mount("/static", Static(), name="static")
    app.state.problem_page = problem_page
    tell_problems(app)
    describe(app)
    app.add_middleware(Gate, node=node)
    return app


def settled(app: FastAPI) -> FastAPI:
    """The application as a process serves it that does nothing else: all that was loaded for it stays to the end.

    Looking through it for garbage time and again would hold up every request, a tenth of a second each time.
    """
    gc.collect()
    gc.freeze()
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    node: Node = app.state.node
    sealer = Sealer(node)
    sealer.start()
    postman = Postman(node)
    postman.start()
    yield
    postman.stop()
    sealer.stop()
    node.db.close()
