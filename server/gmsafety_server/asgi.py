"""What uvicorn starts."""

from fastapi import FastAPI

from .app import create_app
from .node import open_node
from .settings import Settings


def app() -> FastAPI:
    """The application of the installation that the environment describes."""
    return create_app(open_node(Settings()))
