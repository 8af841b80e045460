"""The door by which every region comes in. Built-ins use it too.

There is one hook, and it returns data: a plugin is asked once what it brings.
"""

import pluggy

from .content import Content

hookspec = pluggy.HookspecMarker("gmsafety")
hookimpl = pluggy.HookimplMarker("gmsafety")


@hookspec
def gmsafety_content() -> Content:  # type: ignore[empty-body]  # a specification has no body
    """Return everything the plugin declares, usually `read_content(__name__, plugin="…", title="…")`."""
