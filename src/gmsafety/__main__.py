"""`python -m gmsafety`."""

from .cli import run

run()
