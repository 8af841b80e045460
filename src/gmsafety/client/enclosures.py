"""What is filed, as it goes over the wire: files, or JSON; and the message id that makes a second sending harmless."""

import mimetypes
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from ..exchange.canonical import digest
from ..exchange.errors import client_extra
from ..forms.record import Record
from ..forms.schema import to_json
from .values import Day, plain

with client_extra():
    import rfc8785

_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file of a filing: a `form`, or an artefact of a deliverable: `editable`, `scan`, `extra`."""

    name: str
    content: bytes
    artefact: str = "form"

    @classmethod
    def read(cls, path: str | Path, artefact: str = "form") -> "Enclosure":
        """Take a file from the disk."""
        path = Path(path)
        return cls(path.name, path.read_bytes(), artefact)

    @property
    def media_type(self) -> str:
        """The media type, by the name."""
        suffix = Path(self.name).suffix.lower()
        return _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")


Files = str | Path | Enclosure | Iterable[str | Path | Enclosure]
"""One file, or several of which the first is the form and the others go with it unless an Enclosure says more."""


def enclosures(files: Files) -> tuple[Enclosure, ...]:
    """Read what is to be filed."""
    several = [files] if isinstance(files, str | Path | Enclosure) else list(files)
    return tuple(
        f if isinstance(f, Enclosure) else Enclosure.read(f, "form" if number == 0 else "extra")
        for number, f in enumerate(several)
    )


class Terms(TypedDict, total=False):
    """What may be said of a filing; `supersedes` is the payload hash of the revision that is corrected."""

    campaign: str
    unit: str
    action: Literal["draft", "submit"]
    reason: str
    note: str
    supersedes: str
    message_id: str


Content = Mapping[str, Any] | Record | None
"""A form as JSON (a record's, or its printed view), as a record of this library, or nothing: a nil report."""


def json_of(content: Content) -> dict[str, Any] | None:
    """The body of a form."""
    told = to_json(content) if isinstance(content, Record) else content
    return None if told is None else dict(plain(told))


def envelope(item: str, period: Day, terms: Terms, content: Any) -> dict[str, Any]:
    """What a filing says of itself. Its message id follows from all it says and holds, unless one is given.

    So whoever files the same again, after a crash or a lost answer, gets the first receipt again.
    """
    told = {"action": "submit", **terms, "item": item, "period": plain(period)}
    if "message_id" not in told:
        mark = digest(rfc8785.dumps(plain([told, content])))[:24]
        short = re.sub(r"[^A-Za-z0-9-]", "", re.split(r"[./]", item)[-1])[:40]
        told["message_id"] = f"c-{short[:40]}-{told['period']}-{mark}"
    return told
