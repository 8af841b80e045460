"""Two statements compared: what is sent again, given back, asked for; and whose turn it is."""

import datetime as dt

import pytest

from gmsafety.exchange.canonical import digest
from gmsafety.exchange.envelope import Link, MessageKind
from gmsafety.exchange.mailroom import Mark
from gmsafety.exchange.reconciling import (
    Ask,
    Channel,
    Difference,
    Statement,
    compare,
    ended,
    is_answer,
    is_out_of_date,
    is_turn,
    new_epoch,
)

ONE, OTHER = digest(b"1"), digest(b"2")
LATER = Link(epoch="b", sequence=1, previous=None)


def has(sequence: int, *beyond: int, epoch: str = "a", lost: tuple[int, ...] = (), hashed: str = ONE) -> Channel:
    return Channel(epoch=epoch, sequence=sequence, hash=hashed if sequence else None, beyond=beyond, lost=lost)


@pytest.mark.parametrize(
    ("we_sent", "they_received", "send_again", "lost"),
    [
        (has(3), has(3), [], []),
        (has(5), has(3), [4, 5], []),
        (has(5), has(2, 4), [3, 5], []),
        (has(2), has(4), [], [3, 4]),
        (has(2), has(2, 4), [], [4]),
        (has(2, 4), has(4, lost=(3,)), [], []),
        (has(3), None, [1, 2, 3], []),
        (None, has(2), [], [1, 2]),
    ],
)
def test_what_we_sent(
    we_sent: Channel | None, they_received: Channel | None, send_again: list[int], lost: list[int]
) -> None:
    own = Statement(sent=(we_sent,) if we_sent else ())
    theirs = Statement(received=(they_received,) if they_received else ())
    found = compare(own, theirs, LATER)
    mirrored = compare(Statement(received=theirs.received), Statement(sent=own.sent), LATER)

    assert (send_again, lost) == ([n for _, n in found.send_again], [n for _, n in found.lost])
    assert (send_again, lost) == ([n for _, n in mirrored.missing], [n for _, n in mirrored.give_back])


def test_what_was_sent_since_is_not_lost() -> None:
    said_in = Link(epoch="a", sequence=3, previous=ONE)

    assert Difference() == compare(Statement(received=(has(5),)), Statement(sent=(has(2, hashed=OTHER),)), said_in)


@pytest.mark.parametrize(
    ("sequence", "held", "known", "last", "lost"),
    [
        (2, [], has(2), 2, ()),
        (2, [4], has(2), 4, (3,)),
        (2, [4], has(3), 4, ()),
        (0, [], has(3), 3, ()),
        (2, [], None, 2, ()),
        (1, [5], has(2, 4), 5, (3,)),
    ],
)
def test_a_channel_ends(
    sequence: int, held: list[int], known: Channel | None, last: int, lost: tuple[int, ...]
) -> None:
    mark = ended(Mark("a", sequence, ONE if sequence else None), held, known)

    assert (last, lost) == (mark.last, mark.lost)


def test_what_was_passed_over_stays_so() -> None:
    """The sender was restored a second time, to an older backup; what was passed over is not asked for again."""
    before = Mark("a", 4, ONE, last=6, lost=(3,))

    assert Mark("a", 4, ONE, last=4, lost=(3,)) == ended(before, [], has(1))


@pytest.mark.parametrize(
    ("kind", "older", "its_turn"),
    [
        ("submission", Mark("a", 3, ONE), False),
        ("submission", Mark("a", 3, ONE, last=4), False),
        ("submission", Mark("a", 3, ONE, last=3), True),
        ("submission", Mark("a", 3, ONE, last=4, lost=(4,)), True),
        ("submission", Mark("b", 1, ONE), True),
        ("digest", Mark("a", 3, ONE), True),
        ("keys", Mark("a", 3, ONE), True),
    ],
)
def test_a_form_waits_for_older_epochs(kind: MessageKind, older: Mark, its_turn: bool) -> None:
    assert its_turn == is_turn(kind, LATER, [older, Mark("b")])


@pytest.mark.parametrize(
    ("kind", "told", "its_turn"),
    [
        ("receipt", ("b", 1), False),
        ("receipt", ("a", 9), False),
        ("receipt", ("b", 3), True),
        ("receipt", ("c", 1), True),
        ("digest", ("b", 1), True),
        ("keys", ("b", 1), True),
    ],
)
def test_a_form_waits_for_the_keys_before_it(kind: MessageKind, told: tuple[str, int], its_turn: bool) -> None:
    epoch, sequence = told
    told_in = Link(epoch=epoch, sequence=sequence, previous=None if sequence == 1 else ONE)

    assert its_turn == is_turn(kind, Link(epoch="b", sequence=2, previous=ONE), [], [told_in])


def test_what_comes_of_an_epoch_that_was_left_counts_no_more() -> None:
    here = Link(epoch="a", sequence=1, previous=None)

    assert is_out_of_date(here, [Mark("a", 1, ONE), Mark("b", 1, OTHER)])
    assert not is_out_of_date(here, [Mark("a", 1, ONE), Mark("b")])
    assert not is_out_of_date(LATER, [Mark("a", 1, ONE), Mark("b", 1, OTHER)])


def test_an_answer_is_one_to_a_statement_of_the_open_epoch() -> None:
    assert is_answer(LATER, Mark("b", 3, ONE))
    assert not is_answer(LATER, Mark("c", 1, ONE))
    assert not is_answer(None, Mark("b", 3, ONE))


def test_asking_names_numbers_by_epoch() -> None:
    wanted = (("a", 2), ("a", 4), ("b", 1))

    assert wanted == Ask.of(reversed(wanted)).numbers


def test_a_later_epoch_has_the_greater_name() -> None:
    noon = dt.datetime(2024, 12, 27, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))

    assert "20241227T040000.000000Z" == new_epoch(noon) < new_epoch(noon + dt.timedelta(seconds=1))
