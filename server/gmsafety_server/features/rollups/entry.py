"""The unit's own part on a page: the printed sentences with blanks to fill in, and what was typed read back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from gmsafety.findings import FILE
from gmsafety.forms.record import Record
from gmsafety.forms.sentence import Blank, Sentence
from gmsafety.forms.spec import Clause, Form, Step

from ...errors import Problem
from .owning import Own, carried
from .reckoning import Made


@dataclass(frozen=True, slots=True)
class Piece:
    """Printed words, or a blank: a number (`number`), a name or names (`name`), a narrative (`text`)."""

    text: str
    path: str = ""
    label: str = ""
    kind: str = ""
    typed: str = ""
    error: str = ""
    open: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence; `before` is what it said last period."""

    pieces: tuple[Piece, ...]
    before: str


@dataclass(frozen=True, slots=True)
class Section:
    """A printed row: sentences for the unit to fill in, and those whose numbers are added to the lower units'."""

    number: int
    label: str
    own: tuple[Line, ...]
    added: tuple[Line, ...]

    @property
    def filled(self) -> bool:
        """Tell whether anything stands in the sentences that are added."""
        return any(p.typed for line in self.added for p in line.pieces)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, by path, and what is wrong with it."""

    texts: Mapping[str, str]
    errors: Mapping[str, str]


def step_to(form: Form, level: str) -> Step:
    """How the form is rolled up to a level."""
    for name, step in form.rollup.items():
        if name.partition("->")[2].strip() == level:
            return step
    raise Problem("no-step")


def sections(made: Made, before: Record | None, typed: Typed | None = None) -> list[Section]:
    """The whole form, sentence by sentence, with what the own part holds now (or what was typed a moment ago)."""
    form, step = made.parts.form, step_to(made.parts.form, made.parts.unit.level.value)
    shown = typed or Typed(_texts(form, made.own) if made.own else _names(form, before), {})
    return [_section(n, clause, step, shown, before) for n, clause in enumerate(form.clauses, 1)]


def _texts(form: Form, own: Record | None) -> dict[str, str]:
    values = own.values if own else {}
    return {path: blank.kind.show(values.get(path)) for path, blank in form.blanks.items()}


def _names(form: Form, before: Record | None) -> dict[str, str]:
    """Names as they were last period, to begin with; numbers and texts are new every time."""
    told = _texts(form, before)
    return {path: text for path, text in told.items() if form.blanks[path].kind.name == "name"}


def _section(number: int, clause: Clause, step: Step, shown: Typed, before: Record | None) -> Section:
    own, added = [], []
    for sentence in clause.sentences:
        mine = [b for b in sentence.blanks if _is_own(b, step)]
        line = Line(tuple(_pieces(clause, sentence, shown, {b.path for b in mine})), _said(sentence, before))
        if mine:
            own.append(line)
        elif any(_matches(b.path, step.sum) for b in sentence.blanks):
            added.append(Line(tuple(_pieces(clause, sentence, shown, None)), line.before))
    return Section(number, clause.label, tuple(own), tuple(added))


def _is_own(blank: Blank, step: Step) -> bool:
    return _matches(blank.path, step.own) or _matches(blank.path, step.list)


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(path, p) for p in patterns)


def _pieces(clause: Clause, sentence: Sentence, shown: Typed, mine: set[str] | None) -> Iterator[Piece]:
    """A sentence in pieces; a blank that is not among `mine` (all are, if None) belongs to the units below."""
    yield Piece(sentence.literals[0].printed)
    for blank, literal in zip(sentence.blanks, sentence.literals[1:], strict=True):
        kind = "number" if blank.kind.numeric else "text" if blank.kind.name == "narrative" else "name"
        label = clause.names.get(blank.path[len(clause.id) + 1 :], clause.label)
        told = shown.texts.get(blank.path, ""), shown.errors.get(blank.path, "")
        yield Piece(blank.placeholder, blank.path, label, kind, *told, open=mine is None or blank.path in mine)
        yield Piece(literal.printed)


def _said(sentence: Sentence, before: Record | None) -> str:
    """A sentence as it was last period; empty where nothing was filled in."""
    if before is None or all(before.values.get(b.path) is None for b in sentence.blanks):
        return ""
    out = [sentence.literals[0].printed]
    for blank, literal in zip(sentence.blanks, sentence.literals[1:], strict=True):
        out += [blank.kind.show(before.values.get(blank.path)) or "—", literal.printed]
    return "".join(out)


def read_back(made: Made, sent: Mapping[str, str]) -> tuple[Own | None, Typed]:
    """The own part out of the fields of the page; None where something was not understood."""
    form, kinds = made.parts.form, made.parts.directory.catalog.kinds
    values: dict[str, Any] = dict(made.own.values) if made.own else dict.fromkeys(form.blanks)
    texts, errors = _texts(form, made.own), {}
    for path, raw in sent.items():
        if path not in form.blanks:
            continue
        texts[path] = raw.strip()
        value, trouble = form.type_of(path).read(texts[path], form.setting_of(path))
        values[path] = value
        if trouble is not None:
            told = {"field": form.label_of(path), **trouble.data}
            errors[path] = kinds[trouble.slug].at(FILE, **told).message
    if errors:
        return None, Typed(texts, errors)
    header: dict[str, Any] = {h.id: None for h in form.header}
    header |= {"unit": made.parts.unit.name, "date": made.parts.period}
    return carried(Record(form, header, values), None, ()), Typed(texts, {})
