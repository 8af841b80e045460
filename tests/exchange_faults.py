"""Everything that can go wrong between four nodes, as rules of a state machine, and what must hold once it is healed."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from exchange_books import Books
from exchange_desk import Dossier
from exchange_nodes import LINKS, UPPER, Crash, Node, World, opened
from gmsafety.exchange.receipts import Verdict

Filed = dict[tuple[str, str, str, int], str]
FIGURES: Counter[str] = Counter()
"""What all runs have seen."""

WHO = st.sampled_from(("county", "city", "province", "enterprise"))
LOWER = st.sampled_from(tuple(UPPER))
ANY = st.integers(0, 63)
UPPERS = st.sampled_from(("city", "province"))
SAID = st.sampled_from(("accepted", "accepted", "returned", "reopened"))
ON_THE_LINE = (
    "request dropped", "answer dropped", "duplicated", "delayed", "crash before commit", "crash after commit",
)  # fmt: skip
FAULTS = st.sampled_from(("", "", "", *ON_THE_LINE))
EVERY_FAULT = (
    *ON_THE_LINE, "duplicate, late", "partition met", "crash while taking up", "key rotated", "key revoked",
    "clock set off", "restored from a backup",
)  # fmt: skip
LOSSES = ("submissions lost", "submissions twice")
CRASHES: dict[str, Crash] = {"crash before commit": "before", "crash after commit": "after"}
ROUNDS = 60


class Letter(NamedTuple):
    """A copy of a message on its way: on a slow line, or on a stick."""

    sender: str
    receiver: str
    id: str
    content: bytes


class Faults(RuleBasedStateMachine):
    """Four nodes, their lines and their administrators."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.nodes = self.world.nodes
        self.cut: set[frozenset[str]] = set()
        self.slow: list[Letter] = []
        self.sticks: list[list[Letter]] = []
        self.carried_back: list[tuple[Letter, bytes]] = []
        self.filed: Filed = {}
        self.gone: set[str] = set()
        FIGURES["runs"] += 1

    def saw(self, what: str) -> None:
        self.world.seen[what] += 1

    def step(self) -> None:
        self.world.seen["steps"] += 1
        self.world.now += dt.timedelta(seconds=20, microseconds=1)

    # -- what clerks do

    @initialize(weeks=st.integers(0, 2))
    def begins(self, weeks: int) -> None:
        """Some weeks without a fault, so that there is something to lose, and backups to go back to."""
        for week in range(weeks):
            for node in self.nodes.values():
                node.back_up()
            for who in ("county", "enterprise", "city"):
                self._file(who, week, number=1)
                self._drain()
                self._decide_all("city", "accepted")
                self._drain()

    @rule(who=LOWER, weeks=st.sets(st.integers(0, 4), min_size=1), number=st.integers(0, 9))
    def files(self, who: str, weeks: set[int], number: int) -> None:
        self.step()
        for week in sorted(weeks):
            self._file(who, week, number=number)

    def _file(self, who: str, week: int, *, number: int) -> None:
        node = self.nodes[who]
        if node.file(week, number=number):
            message = opened(list(node.tables.outbox.values())[-1].out.content)
            assert message.envelope.subject is not None
            corrects = message.envelope.subject.revision > 1
            self.saw(f"filed: {'correction' if corrects else message.envelope.subject.item}")
            self.filed[_key(message.envelope.subject)] = message.envelope.payload_hash

    @rule(who=UPPERS, said=SAID, all_of_them=st.booleans())
    def decides(self, who: str, said: str, all_of_them: bool) -> None:
        self.step()
        self._decide_all(who, said, at_most=9 if all_of_them else 1)

    def _decide_all(self, who: str, said: str, *, at_most: int = 9) -> None:
        for what in self.nodes[who].decidable(said)[:at_most]:
            self.nodes[who].decide(what, said)
            self.saw(f"decided: {said}")

    # -- what the network does

    @rule(who=WHO, which=ANY, faults=st.lists(FAULTS, min_size=1, max_size=4))
    def sends(self, who: str, which: int, faults: list[str]) -> None:
        """Any messages of the outbox, so that the order of the channel is not that of the line."""
        self.step()
        for fault in faults:
            letters = self._letters(who)
            if letters:
                self._send(letters[which % len(letters)], fault)

    def _letters(self, who: str) -> list[Letter]:
        node = self.nodes[who]
        return [Letter(who, r.out.receiver, r.out.id, node.frozen(r)) for r in node.outgoing()]

    def _send(self, letter: Letter, fault: str = "") -> None:
        self.saw("sent")
        if frozenset((letter.sender, letter.receiver)) in self.cut:
            return self.saw("fault: partition met")
        if fault:
            self.saw(f"fault: {fault}")
        if fault == "request dropped":
            return None
        if fault == "delayed":
            return self.slow.append(letter)
        receiver = self.nodes[letter.receiver]
        answer = receiver.receive(letter.content, crash=CRASHES.get(fault, ""))
        if fault == "duplicated":
            again = receiver.receive(letter.content)
            assert answer is not None
            assert again is not None
            assert answer == again or b'"refusal"' in again, "the first answer is given again"
        if answer is not None and fault != "answer dropped":
            self.nodes[letter.sender].hear(letter.receiver, letter.id, answer)
        return None

    @rule(which=ANY, fault=FAULTS)
    def arrives(self, which: int, fault: str) -> None:
        """What was delayed arrives, whatever has happened since."""
        self.step()
        if self.slow:
            self._send(self.slow.pop(which % len(self.slow)), fault)
            self.saw("arrived late")

    @rule(who=WHO, which=ANY)
    def is_sent_again(self, who: str, which: int) -> None:
        """A message that was answered comes again."""
        self.step()
        rows = [r for r in self.nodes[who].tables.outbox.values() if r.answer is not None]
        if rows:
            row = rows[which % len(rows)]
            self._send(Letter(who, row.out.receiver, row.out.id, self.nodes[who].frozen(row)))
            self.saw("fault: duplicate, late")

    @rule(link=st.sampled_from(LINKS))
    def is_cut_or_heals(self, link: tuple[str, str]) -> None:
        self.step()
        self.cut ^= {frozenset(link)}
        self.saw("fault: partition begins" if frozenset(link) in self.cut else "partition heals")

    @rule(who=WHO, do=st.sampled_from(("pack", "take in", "carry back")), which=ANY, backwards=st.booleans())
    def carries(self, who: str, do: str, which: int, backwards: bool) -> None:
        """Everything that waits goes onto a stick, and comes in or comes back at some other time."""
        self.step()
        if do == "carry back":
            self._carry_back()
        elif do == "pack" and (letters := self._letters(who)):
            self.sticks.append(letters)
            self.saw("package: packed")
        elif do == "take in" and self.sticks:
            self._take_in(self.sticks.pop(which % len(self.sticks)), backwards=backwards)

    def _take_in(self, letters: list[Letter], *, backwards: bool) -> None:
        for letter in reversed(letters) if backwards else letters:
            answer = self.nodes[letter.receiver].receive(letter.content)
            assert answer is not None
            self.carried_back.append((letter, answer))
        self.saw("package: taken in")

    def _carry_back(self) -> None:
        for letter, answer in self.carried_back:
            self.nodes[letter.sender].hear(letter.receiver, letter.id, answer)
        self.world.seen["package: answers carried back"] += len(self.carried_back)
        self.carried_back.clear()

    # -- what nodes do

    @rule(who=WHO, which=ANY, fault=st.sampled_from(("", "", "crash before commit")))
    def takes_up(self, who: str, which: int, fault: str) -> None:
        self.step()
        found = self.nodes[who].ready()
        if found:
            first = [next(group) for _, group in itertools.groupby(found, key=lambda f: f[0])]
            if fault:
                self.saw("fault: crash while taking up")
            self.nodes[who].take_up(first[which % len(first)], crash=CRASHES.get(fault, ""))

    @rule(faults=st.lists(FAULTS, min_size=1, max_size=7), backwards=st.booleans(), said=st.none() | SAID)
    def work(self, faults: list[str], backwards: bool, said: str | None) -> None:
        """An hour at all nodes: everything is sent once, with faults in turn, and everything is taken up.

        Where something is to be said, clerks correct what came back, and reviewers decide all they have.
        """
        self.step()
        if said is not None:
            for who, week in itertools.product(UPPER, range(5)):
                if self.nodes[who].state_of(week) in ("gone", "returned", "reopened"):
                    self._file(who, week, number=week)
            for who in ("city", "province"):
                self._decide_all(who, said)
        turn = itertools.cycle(faults)
        for who, node in self.nodes.items():
            letters = self._letters(who)
            for letter in reversed(letters) if backwards else letters:
                self._send(letter, next(turn))
            self._take_up_all(node, next(turn))

    def _take_up_all(self, node: Node, fault: str = "") -> None:
        if fault in CRASHES and (found := node.ready()):
            node.take_up(found[0], crash="before")
            self.saw("fault: crash while taking up")
        while found := node.ready():
            node.take_up(found[0])

    @rule(who=WHO, what=st.sampled_from(("rotated", "rotated", "revoked")))
    def changes_its_key(self, who: str, what: str) -> None:
        self.step()
        node = self.nodes[who]
        if what == "rotated" and node.rotate():
            self.saw("fault: key rotated")
        elif what == "revoked" and len(node.revoked) < 3:
            node.lose_key()
            self.saw("fault: key revoked")

    @rule(link=st.sampled_from(LINKS), up=st.booleans())
    def pins_by_hand(self, link: tuple[str, str], up: bool) -> None:
        self.step()
        one, other = link if up else reversed(link)
        self.nodes[one].pin_by_hand(self.nodes[other])
        self.saw("key pinned by hand")

    @rule(who=WHO, minutes=st.integers(-10, 10))
    def clock_is_off(self, who: str, minutes: int) -> None:
        self.step()
        self.nodes[who].skew = dt.timedelta(minutes=minutes)
        self.saw("fault: clock set off")

    @rule(who=WHO, which=ANY, do=st.sampled_from(("back up", "restore")))
    def has_a_disk(self, who: str, which: int, do: str) -> None:
        """Back up, or go back to a backup: then only what exists nowhere any more is gone."""
        self.step()
        node = self.nodes[who]
        if do == "back up":
            node.back_up()
            self.saw("backup")
        elif node.disk.backups:
            self._throw_away_what_is_void(node)
            node.restore(which % len(node.disk.backups))
            self.saw("fault: restored from a backup")
            there = set(self._stored())
            gone = [k for k, hashed in self.filed.items() if (*k, hashed) not in there]
            self.gone |= {self.filed.pop(k) for k in gone}
            self.world.seen["gone with a restore before anybody else had it"] += len(gone)

    def _throw_away_what_is_void(self, node: Node) -> None:
        """What a node has passed over, for its sender was restored, is not brought once the node has forgotten that."""
        self.slow = [letter for letter in self.slow if not _is_void(letter, node)]
        sticks = ([letter for letter in stick if not _is_void(letter, node)] for stick in self.sticks)
        self.sticks = [stick for stick in sticks if stick]

    def _stored(self) -> Iterator[tuple[str, str, str, int, str]]:
        for node in self.nodes.values():
            contents = itertools.chain(
                (e.content for e in node.tables.inbox.values()), (r.out.content for r in node.tables.outbox.values())
            )
            for message in map(opened, contents):
                if message.envelope.kind == "submission" and message.envelope.subject is not None:
                    yield *_key(message.envelope.subject), message.envelope.payload_hash

    @rule(link=st.sampled_from(LINKS), up=st.booleans())
    def reconciles(self, link: tuple[str, str], up: bool) -> None:
        self.step()
        one, other = link if up else reversed(link)
        self.nodes[one].reconcile(other)
        self.saw("statement")

    # -- in the end

    def teardown(self) -> None:
        self._heal()
        self._drain()
        for node in self.nodes.values():
            self._begin_anew_by_hand(node)
        self._drain()
        for node in self.nodes.values():
            for peer in node.tables.peers:
                node.reconcile(peer)
        self._drain()
        self._count()
        check(self.nodes, self.filed, self.gone)
        self.world.seen["submissions that arrived"] += len(self.filed)
        FIGURES.update(self.world.seen)

    def _count(self) -> None:
        """How often each submission was taken up where it was filed, and at the level above: once."""
        wrong: dict[str, list[tuple[str, Any]]] = {loss: [] for loss in LOSSES}
        for who, node in self.nodes.items():
            told = (m.envelope for m in map(opened, node.tables.journal) if m.envelope.kind == "submission")
            times = Counter((*_key(e.subject), e.payload_hash) for e in told)
            here = [(k, times[*k, hashed]) for k, hashed in self.filed.items() if who in (k[0], UPPER[k[0]])]
            wrong["submissions lost"] += [(who, k) for k, n in here if n == 0]
            wrong["submissions twice"] += [(who, k) for k, n in here if n > 1]
        FIGURES.update({loss: len(found) for loss, found in wrong.items()})
        assert {loss: [] for loss in LOSSES} == wrong

    def _heal(self) -> None:
        self.cut.clear()
        self.world.now += dt.timedelta(hours=1)
        for node in self.nodes.values():
            node.skew = dt.timedelta()
        while self.slow:
            self._send(self.slow.pop(), "answer dropped")
        while self.sticks:
            self._take_in(self.sticks.pop(), backwards=True)
        self._carry_back()
        for lower, upper in LINKS:
            self.nodes[lower].pin_by_hand(self.nodes[upper])
            self.nodes[upper].pin_by_hand(self.nodes[lower])
        for node in self.nodes.values():
            node.revive()

    def _begin_anew_by_hand(self, node: Node) -> None:
        """Where a clock was behind at a restore, the epoch has a smaller name than one before it, and is not heeded."""
        for peer in list(node.tables.waits):
            known = [epoch for sender, epoch in self.nodes[peer].tables.marks if sender == node.name]
            if max(known, default="") > node.tables.heads[peer].epoch:
                node.begin_anew(peer)
                self.saw("begun anew by hand")

    def _drain(self) -> None:
        for _ in range(ROUNDS):
            if all(node.is_idle for node in self.nodes.values()):
                return
            for who, node in self.nodes.items():
                for letter in reversed(self._letters(who)):
                    self._send(letter)
                self._take_up_all(node)
        raise AssertionError("the nodes do not come to rest")


def _is_void(letter: Letter, node: Node) -> bool:
    """Tell whether a node would refuse a message now, as one of an epoch that was ended without it."""
    if letter.receiver != node.name or (letter.sender, letter.id) in node.tables.inbox:
        return False
    link = opened(letter.content).envelope.link
    mark = node.tables.marks.get((letter.sender, link.epoch))
    if mark is None:
        return link.epoch < node.tables.settled.get(letter.sender, "")
    return mark.last is not None and (link.sequence > mark.last or link.sequence in mark.lost)


def _key(subject: object) -> tuple[str, str, str, int]:
    return subject.unit, subject.item, subject.period.isoformat(), subject.revision  # type: ignore[attr-defined]


def check(nodes: dict[str, Node], filed: Filed, gone: set[str]) -> None:
    """After healing: every submission once at every level, the same receipts, nothing open."""
    for node in nodes.values():
        assert not node.world.forked
        check_nothing_is_open(node)
        assert node.rebuilt() == node.desk, f"{node.name}: rebuilt from what came in, the desk is another"
    for lower, upper in LINKS:
        below = {k: d for k, d in nodes[lower].desk.items() if k[0] == lower}
        above = {k: d for k, d in nodes[upper].desk.items() if k[0] == lower}
        assert below == above, f"{lower} and {upper} differ"
        for dossier in above.values():
            check_receipts(dossier, nodes[upper], gone)
    for (unit, item, day, revision), hashed in filed.items():
        for node in (nodes[unit], nodes[UPPER[unit]]):
            assert node.desk[unit, item, day].hash_of(revision) == hashed
    check_sources(nodes, gone)


def check_nothing_is_open(node: Node) -> None:
    tables, books = node.tables, Books(node.tables)
    assert not tables.ready
    assert not tables.waits
    assert [] == [r.dead or "waits" for r in tables.outbox.values() if r.answer is None]
    assert [] == [(e.id, e.link) for e in tables.inbox.values() if e.held], f"{node.name} has gaps"
    for peer in tables.peers:
        for mark in books.channels(peer):
            assert mark.is_complete or mark.epoch >= tables.settled.get(peer, "")


def check_receipts(dossier: Dossier, issuer: Node, gone: set[str]) -> None:
    """As anybody can without a network: with the public keys, and the hash of the form."""
    keys = [k.public for k in issuer.keys]
    assert {n for n, _ in dossier.revisions} <= set(dossier.receipts), "every form has its receipt"
    for revision, chain in dossier.receipts.items():
        assert ["stored"] == [r.receipt.kind for r in chain[:1]]
        assert [None, *(r.hash for r in chain[:-1])] == [r.receipt.previous for r in chain]
        for signed in chain:
            assert signed.verify(keys) is Verdict.VALID
            assert revision == signed.receipt.revision
            assert signed.receipt.payload_hash in (
                gone if dossier.hash_of(revision) is None else {dossier.hash_of(revision)}
            )


def check_sources(nodes: dict[str, Node], gone: set[str]) -> None:
    """What the province reads in a roll-up are revisions that the county filed."""
    for (unit, _, day), dossier in nodes["province"].desk.items():
        for source, hashed in dossier.sources:
            assert unit == "city"
            known = nodes[source].desk.get((source, "weekly", day), Dossier())
            assert hashed in gone or hashed in dict(known.revisions).values()
