"""The application: rooms, rules that hold for every request, and the work that goes on behind them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from .features.submissions import endpoints as submissions
from .gate import Gate
from .node import Node
from .sealer import Sealer
from .web import tell_problems


def create_app(node: Node) -> FastAPI:
    """Build the application of a node."""
    app = FastAPI(
        title="gmsafety", version=version("gmsafety-server"), description=node.settings.title, lifespan=_lifespan,
        docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json",
    )  # fmt: skip
    app.state.node = node
    app.include_router(submissions.router)
    tell_problems(app)
    app.add_middleware(Gate, node=node)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    node: Node = app.state.node
    sealer = Sealer(node)
    sealer.start()
    yield
    sealer.stop()
    node.db.close()
