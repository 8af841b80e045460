"""`python -m gmsafety.cli`."""

from . import run

run()
