"""Looking things up, and having a form checked without filing it."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from ..exchange.receipts import SignedReceipt
from ..exchange.signing import PublicKey
from .board import Flag, Source
from .connection import Connection, body
from .enclosures import Content, Enclosure, json_of
from .values import Answer, Day, Finding, query


class Erratum(Answer):
    """What the source got wrong: printed → read as → why."""

    printed: str
    read: str
    where: str
    why: str


class Phase(Answer):
    """A phase of a campaign."""

    id: str
    title: str
    first: date
    last: date


class Campaign(Answer):
    """A campaign (专项行动)."""

    ref: str
    title: str
    document: str
    document_title: str | None
    document_number: str | None
    area: str
    first: date
    last: date
    parent: str | None
    phases: tuple[Phase, ...]
    duties: tuple[str, ...]
    errata: tuple[Erratum, ...]


class Item(Answer):
    """What is filed for a duty: a form, or a deliverable with its artefacts."""

    item: str
    kind: Literal["form", "deliverable"]
    title: str
    artefacts: tuple[str, ...]


class Occurrence(Answer):
    """One time that a duty is due."""

    period: date
    title: str
    due_at: datetime
    flags: tuple[Flag, ...]


class Duty(Answer):
    """A duty of a campaign: who owes what to whom, and when."""

    id: str
    title: str
    from_roles: tuple[str, ...]
    to_roles: tuple[str, ...]
    items: tuple[Item, ...]
    source: Source
    occurrences: tuple[Occurrence, ...]


class Form(Answer):
    """A form in a list."""

    ref: str
    title: str
    version: str
    printed_id: str
    aliases: tuple[str, ...]
    campaign: str | None
    shape: Literal["grid", "clauses"]


class Field(Answer):
    """A blank or a column of a form."""

    id: str
    label: str
    type: str
    choices: tuple[str, ...]


class FormDetail(Form):
    """A form: its fields, and the declaration as the plugin gives it."""

    fields: tuple[Field, ...]
    notes: tuple[str, ...]
    errata: tuple[Erratum, ...]
    declaration: dict[str, Any]


class Key(Answer):
    """A public key of the node; `fingerprint` can be compared by telephone."""

    key_id: str
    algorithm: str
    public_key: str
    fingerprint: str

    @property
    def public(self) -> PublicKey:
        """The key, to check signatures with."""
        return PublicKey.from_json(self.model_dump(exclude={"fingerprint"}))


class About(Answer):
    """An installation; `now` is what its clock says, and `test` that its receipts are no evidence."""

    node: str
    title: str
    version: str
    test: bool
    now: datetime
    keys: tuple[Key, ...]


class ProblemType(Answer):
    """A kind of problem that the server may answer with."""

    type: str
    code: str
    status: int
    title: str
    remedy: str


class Opinion(Answer):
    """What the server says of a receipt's signature, with the receipt in words."""

    verdict: Literal["valid", "unknown-key", "bad-signature"]
    words: str
    test: bool
    code: str
    hash: str
    receipt: str


class CheckTerms(TypedDict, total=False):
    """What may be said of a form to be checked; what is left out is found in the form."""

    item: str
    period: Day
    campaign: str
    unit: str


class Check(Answer):
    """What was found; nothing was stored. `refusal` says that it could not be filed as it is."""

    item: str | None
    title: str | None
    campaign: str | None
    period: date | None
    unit: str
    refusal: Literal["unreadable", "wrong-form"] | None
    errors: int
    warnings: int
    findings: tuple[Finding, ...]
    body: dict[str, Any] | None


class Reference:
    """Campaigns, duties, forms; checking without filing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns."""
        return self._connection.take(tuple[Campaign, ...], "GET /api/v1/campaigns")

    def duties(self, campaign: Campaign | str) -> tuple[Duty, ...]:
        """The duties of a campaign, with every deadline."""
        ref = campaign if isinstance(campaign, str) else campaign.ref
        return self._connection.take(tuple[Duty, ...], "GET /api/v1/campaigns/{ref}/duties", ref)

    def forms(self) -> tuple[Form, ...]:
        """All forms."""
        return self._connection.take(tuple[Form, ...], "GET /api/v1/forms")

    def form(self, form: str) -> FormDetail:
        """One form."""
        return self._connection.take(FormDetail, "GET /api/v1/forms/{ref}", form)

    def schema(self, form: str) -> dict[str, Any]:
        """The JSON Schema of a form's record."""
        return self._connection.take(dict[str, Any], "GET /api/v1/forms/{ref}/schema", form)

    def download_blank(
        self, form: str, suffix: Literal["xlsx", "docx"], to: str | Path | None = None, *, period: Day | None = None
    ) -> bytes:
        """The blank form, word for word as printed; with a period made for it and for the unit of the account."""
        route = "GET /api/v1/forms/{ref}/blank.{suffix}"
        content = self._connection.ask(route, form, suffix, params=query(period=period)).content
        if to is not None:
            Path(to).write_bytes(content)
        return content

    def check(self, content: Content, **terms: Unpack[CheckTerms]) -> Check:
        """Have a form checked as JSON (without content: a nil report), against last period and beside other forms."""
        told = json_of(content)
        rest = {"body": told} if told is not None else {"nil": True}
        return self._connection.take(Check, "POST /api/v1/check", again=True, json=body(**terms, **rest))

    def check_file(self, file: str | Path | Enclosure, **terms: Unpack[CheckTerms]) -> Check:
        """Have a file checked; which form it is, is found in it."""
        given = file if isinstance(file, Enclosure) else Enclosure.read(file)
        parts = {"file": (given.name, given.content, given.media_type)}
        return self._connection.take(
            Check, "POST /api/v1/check/files", again=True, data=query(**terms), files=parts
        )  # fmt: skip

    def verify(self, receipt: SignedReceipt) -> Opinion:
        """Ask the server about a receipt; `SubmissionDetail.faults` asks nobody."""
        return self._connection.take(Opinion, "POST /api/v1/receipts/verify", again=True, json=receipt.to_json())


class Node:
    """The installation itself; needs no token."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def about(self) -> About:
        """Name, version, clock, keys."""
        return self._connection.take(About, "GET /api/v1/node")

    def keys(self) -> tuple[PublicKey, ...]:
        """The public keys with which receipts are checked; keep them, and compare a fingerprint by telephone."""
        return tuple(key.public for key in self.about().keys)

    def is_well(self) -> bool:
        """Tell whether the server and its database answer; a problem is raised where it says that they do not."""
        return self._connection.ask("GET /health").is_success

    def problems(self) -> tuple[ProblemType, ...]:
        """Every kind of problem, with its code and remedy."""
        return self._connection.take(tuple[ProblemType, ...], "GET /problems")

    def problem(self, slug: str) -> ProblemType:
        """One kind of problem, by the end of its address."""
        return self._connection.take(ProblemType, "GET /problems/{slug}", slug)
