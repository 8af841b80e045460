"""The conformance kit every region runs: what a plugin declares must load, cite, print, and read back.

`check_plugin` returns every problem at once; a plugin's own test asserts that there is none. `examine` also tells what
was looked at, `plugin_in` takes a plugin from a folder in which nothing is installed yet.
"""

from ..errors import Problem
from .conformance import Check, examine
from .examples import declared_names, example_record
from .folders import Plugin, check_package, needed_by, plugin_in, plugin_named


def check_plugin(plugin: object, *needs: object) -> list[Problem]:
    """Run the whole kit on a plugin (a module or a `Content`), loaded with the plugins it needs."""
    return [problem for check in examine(plugin, *needs) for problem in check.problems]


__all__ = [
    "Check",
    "Plugin",
    "Problem",
    "check_package",
    "check_plugin",
    "declared_names",
    "examine",
    "example_record",
    "needed_by",
    "plugin_in",
    "plugin_named",
]
