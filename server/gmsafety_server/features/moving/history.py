"""The history of a unit as it is handed over: a JSON file beside the message. Its shape is in docs/protocol.md."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ...errors import Problem

FORMAT: Literal["gmsafety-history/1"] = "gmsafety-history/1"
ROLE, NAME, TYPE = "history", "history.json", "application/json"
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Unit = Annotated[str, StringConstraints(min_length=1, max_length=120)]
_Uid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=20)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(_Told):
    """A file of a submission; its bytes travel beside the history."""

    artefact: Annotated[str, StringConstraints(max_length=40)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    media_type: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    size: int = Field(ge=0)
    hash: _Hash


class Happening(_Told):
    """A line of the history of a submission, with the name of who did it."""

    kind: _Word
    at: datetime
    unit: _Unit
    who: str
    text: str | None
    data: dict[str, Any] | None


class Old(_Told):
    """Why a submission is out of date."""

    since: datetime
    parts: list[Any]
    cells: list[Any]


class Key(_Told):
    """What a unit is asked for, and when."""

    campaign: _Unit
    item: _Name
    period: date
    unit: _Unit


class Filed(Key):
    """A submission or a draft, with its files, receipts and all that happened."""

    uid: _Uid
    message_id: _Unit
    message_hash: _Hash
    revision: int = Field(ge=1)
    state: Literal["draft", "submitted", "accepted", "returned", "superseded", "withdrawn"]
    nil: bool
    body: dict[str, Any] | None
    origin: dict[str, Any] | None
    findings: list[dict[str, Any]]
    reason: str | None
    note: str | None
    payload_hash: _Hash
    supersedes: _Hash | None
    made_of: list[Any] | None
    etag: int = Field(ge=1)
    test: bool
    created_at: datetime
    received_at: datetime | None
    changed_at: datetime
    files: list[File]
    receipts: list[str]
    happened: list[Happening]
    outdated: Old | None


class Addressee(_Told):
    """One of several to whom something goes."""

    unit: _Unit
    position: int
    decides: bool
    path: Annotated[str, StringConstraints(max_length=600)]


class Slot(Key):
    """How a period stands; `submission` is the revision that counts."""

    duty: _Unit
    kind: _Word
    opens: date
    due_at: datetime
    area: Annotated[str, StringConstraints(max_length=12)]
    upper: _Unit | None
    path: Annotated[str, StringConstraints(max_length=600)]
    state: Literal["open", "submitted", "accepted", "returned"]
    nil: bool
    revision: int = Field(ge=0)
    submission: _Uid | None
    received_at: datetime | None
    addressees: list[Addressee]


class Refused(Key):
    """A file that was not taken, and is kept."""

    uid: _Uid
    path: Annotated[str, StringConstraints(max_length=600)]
    problem: Annotated[str, StringConstraints(max_length=40)]
    name: Annotated[str, StringConstraints(max_length=255)]
    size: int = Field(ge=0)
    hash: _Hash
    findings: list[dict[str, Any]]
    at: datetime


class Filing(_Told):
    """What a roll-up was made of when it was filed; `submission` is what it was filed as."""

    submission: _Uid
    basis: _Word
    sources: list[_Uid]
    own: dict[str, Any] | None
    adjustments: list[Any]


class Rolled(Key):
    """A roll-up of a unit; `sources` are the submissions that it counts."""

    uid: _Uid
    path: Annotated[str, StringConstraints(max_length=600)]
    basis: _Word
    state: _Word
    own: dict[str, Any] | None
    own_file: Annotated[str, StringConstraints(max_length=255)] | None
    adjustments: list[Any]
    etag: int = Field(ge=1)
    submission: _Uid | None
    created_at: datetime
    changed_at: datetime
    sources: list[_Uid]
    filings: list[Filing]


class History(_Told):
    """Everything that was filed by a unit and those below it."""

    format: Literal["gmsafety-history/1"] = FORMAT
    unit: _Unit
    slots: list[Slot]
    submissions: list[Filed]
    refusals: list[Refused]
    rollups: list[Rolled]

    @property
    def files(self) -> dict[str, File]:
        """Every file once, by its hash."""
        found = {f.hash: f for s in self.submissions for f in s.files}
        for r in self.refusals:
            file = File(
                artefact="refused", name=r.name, media_type="application/octet-stream", size=r.size, hash=r.hash
            )  # fmt: skip
            found.setdefault(r.hash, file)
        owns = [o for r in self.rollups for o in (r.own, *(f.own for f in r.filings)) if o]
        for told in (o["file"] for o in owns if o.get("file") and "hash" in o["file"]):
            own = File(
                artefact="own", name=told["name"], media_type=told["media_type"], size=told["size"], hash=told["hash"]
            )  # fmt: skip
            found.setdefault(own.hash, own)
        return found


def read_history(content: bytes) -> History:
    """Read a history; a Problem where it is none."""
    try:
        return History.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Problem("not-valid", f"交接的历史不能读取（{where or '整个文件'}：{first['type']}）") from error
