"""The server's commands in `gmsafety`; each loads what it needs when it runs."""

import typer

from gmsafety.cli import proof

from . import database, demonstration, exchange, serving, units, users


def register(app: typer.Typer) -> None:
    """Add the commands to `gmsafety`."""
    app.command("serve")(serving.serve)
    app.command("demo")(demonstration.demo)
    app.add_typer(database.app, name="db")
    app.add_typer(users.app, name="user")
    app.add_typer(units.app, name="unit")
    app.add_typer(exchange.app, name="node")
    proof.also(database.verify_file)
