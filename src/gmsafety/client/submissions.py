"""Filing forms and deliverables, and deciding on them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from ..exchange.canonical import digest
from ..exchange.receipts import SignedReceipt
from .connection import Connection, body, seen
from .enclosures import Content, Enclosure, Files, Terms, enclosures, envelope, json_of
from .errors import StrangeAnswer
from .submitted import Difference, Event, FiledFile, Reason, Refusal, State, Submission, SubmissionDetail
from .values import Day, query

Suffix = Literal["xlsx", "docx", "json", "printed.json"]


class Filters(TypedDict, total=False):
    """What a list is narrowed to."""

    unit: str
    campaign: str
    item: str
    period: Day
    state: State


class Submissions:
    """Filing and deciding. Every change answers with the submission as it then is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def file(self, files: Files, item: str, period: Day, **terms: Unpack[Terms]) -> SubmissionDetail:
        """File a form as a file, or a deliverable with its artefacts; `action="draft"` keeps it as a draft."""
        told = enclosures(files)
        request = _parcel(item, period, terms, told)
        return self._connection.take(SubmissionDetail, "POST /api/v1/submissions/files", again=True, **request)

    def file_form(self, content: Content, item: str, period: Day, **terms: Unpack[Terms]) -> SubmissionDetail:
        """File a form as JSON; without content it is a nil report (零报告)."""
        told = _form(item, period, terms, content)
        return self._connection.take(SubmissionDetail, "POST /api/v1/submissions", again=True, json=told)

    def file_nil(self, item: str, period: Day, **terms: Unpack[Terms]) -> SubmissionDetail:
        """File a nil report: there was nothing in this period."""
        return self.file_form(None, item, period, **terms)

    def correct(self, former: Submission, files: Files, **terms: Unpack[Terms]) -> SubmissionDetail:
        """File the next revision of a submission, as files."""
        return self.file(files, former.item, former.period, **_after(former, terms))

    def correct_form(self, former: Submission, content: Content, **terms: Unpack[Terms]) -> SubmissionDetail:
        """File the next revision of a submission, as JSON."""
        return self.file_form(content, former.item, former.period, **_after(former, terms))

    def redraft(self, draft: Submission, files: Files, **terms: Unpack[Terms]) -> SubmissionDetail:
        """Give a draft other files."""
        request = _parcel(draft.item, draft.period, _of(draft, terms), enclosures(files))
        route = "PUT /api/v1/submissions/{uid}/files"
        return self._connection.take(SubmissionDetail, route, draft.uid, headers=seen(draft.etag), **request)

    def redraft_form(self, draft: Submission, content: Content, **terms: Unpack[Terms]) -> SubmissionDetail:
        """Give a draft other content, as JSON."""
        told = _form(draft.item, draft.period, _of(draft, terms), content)
        route = "PUT /api/v1/submissions/{uid}/form"
        return self._connection.take(SubmissionDetail, route, draft.uid, headers=seen(draft.etag), json=told)

    def submit(self, draft: Submission, *, reason: str | None = None) -> SubmissionDetail:
        """Hand in a draft."""
        return self._decide("POST /api/v1/submissions/{uid}/submit", draft, body(reason=reason))

    def discard(self, draft: Submission) -> None:
        """Throw a draft away."""
        self._connection.ask("DELETE /api/v1/submissions/{uid}", draft.uid, headers=seen(draft.etag))

    def withdraw(self, submission: Submission, reason: str) -> SubmissionDetail:
        """Take back what was filed and is not accepted; where the upper unit has a node of its own, ask for it."""
        return self._decide("POST /api/v1/submissions/{uid}/withdraw", submission, body(reason=reason))

    def accept(self, submission: Submission, *, note: str | None = None) -> SubmissionDetail:
        """Accept what a lower unit filed."""
        return self._decide("POST /api/v1/submissions/{uid}/accept", submission, body(note=note))

    def give_back(
        self, submission: Submission, reasons: Iterable[Reason | tuple[str, str]] = (), *, note: str | None = None
    ) -> SubmissionDetail:
        """Return what a lower unit filed: (cell, what is wrong there) for each thing, or a note."""
        told = [r if isinstance(r, Reason) else Reason(where=r[0], text=r[1]) for r in reasons]
        return self._decide("POST /api/v1/submissions/{uid}/return", submission, body(reasons=told, note=note))

    def reopen(self, submission: Submission, note: str) -> SubmissionDetail:
        """Withdraw an acceptance, so that the lower unit can correct."""
        return self._decide("POST /api/v1/submissions/{uid}/reopen", submission, body(note=note))

    def _decide(self, route: str, submission: Submission, told: Mapping[str, Any]) -> SubmissionDetail:
        rest = {"headers": seen(submission.etag), "json": told}
        return self._connection.take(SubmissionDetail, route, submission.uid, again=True, **rest)

    def find(self, **filters: Unpack[Filters]) -> Iterator[Submission]:
        """Submissions in sight, the newest first."""
        return self._connection.leaf(Submission, "GET /api/v1/submissions", **filters)

    def get(self, submission: Submission | str) -> SubmissionDetail:
        """A submission as it is now, with all that belongs to it."""
        return self._connection.take(SubmissionDetail, "GET /api/v1/submissions/{uid}", _uid(submission))

    def history(self, submission: Submission | str) -> tuple[Event, ...]:
        """What happened to a submission, from the beginning."""
        return self._connection.take(tuple[Event, ...], "GET /api/v1/submissions/{uid}/history", _uid(submission))

    def diff(self, submission: Submission | str, against: Submission | str) -> Difference:
        """What a revision says otherwise than another of the same period."""
        params = query(against=_uid(against))
        return self._connection.take(Difference, "GET /api/v1/submissions/{uid}/diff", _uid(submission), params=params)

    def download(self, submission: Submission | str, file: FiledFile, to: str | Path | None = None) -> bytes:
        """The bytes of a file as they were filed, compared with their hash; also written to a path."""
        answer = self._connection.ask("GET /api/v1/submissions/{uid}/files/{digest}", _uid(submission), file.hash)
        return _kept(_whole(answer.content, file.hash, file.name), to)

    def download_form(self, submission: Submission | str, suffix: Suffix, to: str | Path | None = None) -> bytes:
        """The form in its official look (xlsx, docx), as a record (json), or as the paper reads (printed.json)."""
        answer = self._connection.ask("GET /api/v1/submissions/{uid}/record.{suffix}", _uid(submission), suffix)
        return _kept(answer.content, to)

    def download_annotated(self, submission: Submission | str, to: str | Path | None = None) -> bytes:
        """The file as it was filed, with what was found marked at its cells (xlsx, docx)."""
        answer = self._connection.ask("GET /api/v1/submissions/{uid}/annotated", _uid(submission))
        return _kept(answer.content, to)

    def receipt(self, submission: Submission | str, number: int) -> SignedReceipt:
        """One receipt, counted from 1."""
        answer = self._connection.ask("GET /api/v1/submissions/{uid}/receipts/{number}", _uid(submission), number)
        return SignedReceipt.from_json(answer.content)

    def receipt_words(self, submission: Submission | str, number: int) -> str:
        """One receipt as it is printed or sent on by hand."""
        answer = self._connection.ask("GET /api/v1/submissions/{uid}/receipts/{number}.txt", _uid(submission), number)
        return answer.text

    def refusals(
        self, *, unit: str | None = None, item: str | None = None, period: Day | None = None
    ) -> Iterator[Refusal]:
        """Files that could not be filed, the newest first."""
        return self._connection.leaf(Refusal, "GET /api/v1/refusals", unit=unit, item=item, period=period)

    def refusal(self, refusal: Refusal | str) -> Refusal:
        """A file that could not be filed, and why."""
        return self._connection.take(Refusal, "GET /api/v1/refusals/{uid}", _uid(refusal))

    def download_refused(self, refusal: Refusal, to: str | Path | None = None) -> bytes:
        """The bytes of a file that could not be filed."""
        answer = self._connection.ask("GET /api/v1/refusals/{uid}/file", refusal.uid)
        return _kept(_whole(answer.content, refusal.hash, refusal.name), to)


def _whole(content: bytes, expected: str, name: str) -> bytes:
    if digest(content) != expected:
        raise StrangeAnswer(name, "内容与校验值不符")
    return content


def _kept(content: bytes, to: str | Path | None) -> bytes:
    if to is not None:
        Path(to).write_bytes(content)
    return content


def _uid(named: Submission | Refusal | str) -> str:
    return named if isinstance(named, str) else named.uid


def _form(item: str, period: Day, terms: Terms, content: Content) -> dict[str, Any]:
    told = json_of(content)
    rest = {"body": told} if told is not None else {"nil": True}
    return {**envelope(item, period, terms, told), **rest}


def _parcel(item: str, period: Day, terms: Terms, files: tuple[Enclosure, ...]) -> dict[str, Any]:
    told = envelope(item, period, terms, [[f.artefact, f.name, digest(f.content)] for f in files])
    parts = [("file", (f.name, f.content, f.media_type)) for f in files]
    return {"data": {**told, "artefact": [f.artefact for f in files]}, "files": parts}


def _of(former: Submission, terms: Terms) -> Terms:
    """What was said of a submission, where nothing else is said now."""
    same: Terms = {"campaign": former.campaign, "unit": former.unit}
    if former.supersedes is not None:
        same["supersedes"] = former.supersedes
    return {**same, **terms}


def _after(former: Submission, terms: Terms) -> Terms:
    """As `_of`, for the revision after it."""
    return {**_of(former, terms), "supersedes": terms.get("supersedes", former.payload_hash)}
