"""The server's commands in `gmsafety`; each loads what it needs when it runs."""

import typer

from . import archives, database, demonstration, exchange, reconciling, serving, units, users


def register(app: typer.Typer) -> None:
    """Add the commands to `gmsafety`."""
    from gmsafety.cli import proof

    app.command("serve")(serving.serve)
    app.command("demo")(demonstration.demo)
    app.add_typer(database.app, name="db")
    app.add_typer(users.app, name="user")
    app.add_typer(units.app, name="unit")
    app.add_typer(exchange.app, name="node")
    exchange.app.command("reconcile")(reconciling.reconcile)
    exchange.app.command("tasks")(reconciling.tasks)
    app.add_typer(archives.app, name="archive")
    app.add_typer(archives.log, name="audit")
    proof.also(database.verify_file)
