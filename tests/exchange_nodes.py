"""Nodes that exchange messages over anything that can go wrong, each with a disk, a clock and keys of its own."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache, lru_cache
from typing import Any, Literal

from exchange_books import Books, Disk, Row, Tables
from exchange_desk import Desk, Dossier, key_of, next_receipt, record
from gmsafety.exchange.answers import REFUSALS, SignedRefusal, SignedStored, read_answer
from gmsafety.exchange.canonical import canonical, digest
from gmsafety.exchange.envelope import Draft, Message, Subject
from gmsafety.exchange.envelope import opened as read_message
from gmsafety.exchange.mailroom import SKEW, MailRoom, Mark, Outgoing
from gmsafety.exchange.peers import Peer, PeerKey
from gmsafety.exchange.receipts import Verdict
from gmsafety.exchange.reconciling import BETWEEN_NODES, Ask, is_turn, new_epoch
from gmsafety.exchange.settling import begin_anew, copies_of, heed, is_cut_off, regained, statement
from gmsafety.exchange.signing import SigningKey
from gmsafety.exchange.wire import take

START = dt.datetime(2024, 12, 27, 0, 0, tzinfo=dt.UTC)
LINKS = (("county", "city"), ("city", "province"), ("enterprise", "province"))
UPPER = dict(LINKS)
Crash = Literal["", "before", "after"]


@cache
def key(node: str, number: int) -> SigningKey:
    """The keys of a node, made once for all runs."""
    return SigningKey.generate(f"{node}-{number}")


opened = lru_cache(maxsize=4096)(read_message)
"""Messages are values: the simulation reads the same bytes once. The mail room reads them every time."""


def friday(week: int) -> dt.date:
    return dt.date(2024, 12, 27) + dt.timedelta(weeks=week)


class World:
    """True time, and what was seen to happen."""

    def __init__(self) -> None:
        self.now = START
        self.seen: Counter[str] = Counter()
        self.forked: set[tuple[str, str]] = set()
        self.put_back: set[str] = set()
        self.made = 0
        self.nodes = {name: Node(name, self) for name in ("county", "city", "province", "enterprise")}
        for lower, upper in LINKS:
            self.nodes[lower].meet(self.nodes[upper])
            self.nodes[upper].meet(self.nodes[lower])

    def new_id(self, node: str) -> str:
        self.made += 1
        return f"{node}-{self.made}"


class Node:
    """An installation. The secret keys are kept beside the database, and no restore brings an old one back."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self.world, self.disk = name, world, Disk()
        self.keys = [key(name, 1)]
        self.revoked: frozenset[str] = frozenset()
        self.skew = dt.timedelta()

    @property
    def tables(self) -> Tables:
        return self.disk.tables

    @property
    def now(self) -> dt.datetime:
        return self.world.now + self.skew

    @property
    def desk(self) -> Desk:
        return self.tables.desk

    def meet(self, other: Node) -> None:
        """Pin the first key of another node, by hand."""
        with self.disk.transaction() as books:
            pinned = PeerKey.of(other.keys[0].public, START)
            books.tables.peers[other.name] = Peer(name=other.name, title=other.name, keys=(pinned,))
            books.tables.heads[other.name] = Mark(new_epoch(self.now))
            books.tables.confirmed[other.name, self.keys[0].key_id] = None

    # -- keys

    def signers(self, tables: Tables) -> list[SigningKey]:
        """The newest key first, and beside it those that peers need who have not said that they know it."""
        good = [k for k in self.keys if k.key_id not in self.revoked]
        known = [i for i, k in enumerate(good) if all((p, k.key_id) in tables.confirmed for p in tables.peers)]
        first = max(known, default=0)
        return [good[-1], *good[first:-1][:3]]

    def room(self, tables: Tables) -> MailRoom:
        newest, *others = self.signers(tables)
        return MailRoom(self.name, newest, tuple(others), self.revoked)

    def rotate(self) -> bool:
        """Take a new key, and tell every peer in a message that the old key signs, too."""
        if len(self.signers(self.tables)) > 2:
            return False
        self.keys.append(key(self.name, len(self.keys) + 1))
        with self.disk.transaction() as books:
            for peer in books.tables.peers:
                self._announce(books, peer)
        return True

    def _announce(self, books: Books, peer: str) -> None:
        keys = [PeerKey.of(k.public, self.now).model_dump() for k in self.signers(books.tables)]
        self.post(books, Draft("keys", peer, {"keys": keys}))

    def lose_key(self) -> None:
        """The newest key was stolen: it is revoked, another takes its place, which peers pin by hand."""
        self.revoked |= {self.keys[-1].key_id}
        self.keys.append(key(self.name, len(self.keys) + 1))

    def pin_by_hand(self, other: Node) -> None:
        """Take from another administrator which keys are good and which are revoked."""
        with self.disk.transaction() as books:
            good = [k for k in other.keys if k.key_id not in other.revoked]
            peer = books.tables.peers[other.name].with_keys(PeerKey.of(k.public, START) for k in good)
            for lost in other.revoked:
                peer = peer.without_key(lost)
            books.tables.peers[other.name] = peer
        with other.disk.transaction() as books:
            for k in good:
                books.tables.confirmed[self.name, k.key_id] = None

    # -- what goes out

    def post(self, books: Books, draft: Draft) -> Message:
        """Seal a message in the transaction of what it tells, and note it in the journal."""
        message = self.room(books.tables).post(draft, books, message_id=self.world.new_id(self.name), now=self.now)
        content = message.to_bytes()
        books.tables.journal.append(content)
        record(books.tables.desk, message)
        return message

    def may_speak_to(self, peer: str) -> bool:
        return peer not in self.tables.waits

    @property
    def own_form(self) -> str:
        return "rollup" if self.name == "city" else "weekly"

    def state_of(self, week: int) -> str:
        """What was said of the own form of a week; nothing where it was not filed."""
        dossier = self.desk.get((self.name, self.own_form, friday(week).isoformat()))
        return dossier.state if dossier is not None else ""

    def file(self, week: int, *, number: int = 0) -> bool:
        """File the form of a week upward, or correct one that was returned or whose acceptance was withdrawn."""
        upper, period, item = UPPER[self.name], friday(week), self.own_form
        if not self.may_speak_to(upper) or self.state_of(week) not in ("", "gone", "returned", "reopened"):
            return False
        dossier = self.desk.get((self.name, item, period.isoformat()), Dossier())
        payload: dict[str, Any] = {"number": number}
        if item == "rollup":
            payload["of"] = self.accepted_below(period)
            if not payload["of"]:
                return False
        revision = dossier.newest + 1
        subject = Subject(
            campaign="2024", item=item, period=period, unit=self.name, revision=revision,
            supersedes=dossier.hash_of(dossier.newest), action="replace" if revision > 1 else "normal",
        )  # fmt: skip
        with self.disk.transaction() as books:
            self.post(books, Draft("submission", upper, payload, subject))
        return True

    def accepted_below(self, period: dt.date) -> list[tuple[str, str]]:
        return [
            (unit, dossier.revisions[-1][1])
            for (unit, _, day), dossier in sorted(self.desk.items())
            if unit != self.name and day == period.isoformat() and dossier.state == "accepted"
        ]

    def decidable(self, said: str) -> list[tuple[str, str, str]]:
        """The forms from below of which this may be decided now."""
        state = {"reopened": "accepted"}.get(said, "submitted")
        return [
            k
            for k, dossier in sorted(self.desk.items())
            if k[0] != self.name and dossier.revisions and dossier.state == state and self.may_speak_to(k[0])
            and dossier.receipts.get(dossier.newest)
        ]  # fmt: skip

    def decide(self, what: tuple[str, str, str], said: str) -> None:
        """Accept, return, or withdraw an acceptance."""
        unit, item, day = what
        subject = self._subject(unit, item, day)
        with self.disk.transaction() as books:
            self._answer_form(books, subject, said)

    def _subject(self, unit: str, item: str, day: str) -> Subject:
        newest = self.desk[unit, item, day].newest
        return Subject(campaign="2024", item=item, period=dt.date.fromisoformat(day), unit=unit, revision=newest)

    def _answer_form(self, books: Books, subject: Subject, said: str) -> None:
        """Give the next receipt of a form; all before it travel along."""
        signing = self.name, self.room(books.tables).key
        chain = next_receipt(subject, books.tables.desk[key_of(subject)], said, signing, self.now)
        kind: Any = {"stored": "receipt", "reopened": "withdraw"}.get(said, "decision")
        self.post(books, Draft(kind, subject.unit, {"receipts": [r.to_json() for r in chain]}, subject))

    def outgoing(self, *, to: str | None = None) -> list[Row]:
        """What waits for an answer."""
        return [r for r in self.tables.outbox.values() if r.is_waiting and to in (None, r.out.receiver)]

    def frozen(self, row: Row) -> bytes:
        """The bytes that are sent: those of the outbox, signed anew where the key was revoked since."""
        signed = {s.key_id for s in opened(row.out.content).signatures} if self.revoked else set()
        return self.room(self.tables).sign_again(row.out.content) if signed & self.revoked else row.out.content

    def hear(self, peer: str, message_id: str, content: bytes) -> None:
        """Take the answer to a message, if it is one."""
        row = self.tables.outbox.get((peer, message_id))
        if row is None or row.answer is not None:
            return
        answer = read_answer(content)
        if answer.verify(self.tables.peers[peer].pinned) is not Verdict.VALID:
            self.world.seen["answer by an unknown key"] += 1
            return
        with self.disk.transaction() as books:
            if isinstance(answer, SignedStored):
                assert (row.out.hash, self.name, peer) == (
                    answer.stored.message_hash, answer.stored.sender, answer.stored.node,
                )  # fmt: skip
                books.put(Row(row.out, answer=content))
                return
            kind = REFUSALS[answer.refusal.slug]
            books.put(Row(row.out, dead=kind.slug if kind.is_final else "", failures=row.failures + 1))
            is_to_begin = is_cut_off(books, peer, row.out.link, kind.slug)
        if is_to_begin:
            self.begin_anew(peer)

    def revive(self) -> None:
        """Try dead letters again, by hand."""
        with self.disk.transaction() as books:
            for row in list(books.tables.outbox.values()):
                if row.dead:
                    books.put(Row(row.out))

    # -- what comes in

    def receive(self, content: bytes, *, crash: Crash = "") -> bytes | None:
        """Store a message and answer; None where the node crashed, before or after it had stored it."""
        books = Books(self.tables.copy())
        answer = self.room(self.tables).receive(content, books, now=self.now)
        if not answer.is_stored or answer.is_again:
            assert self.tables == books.tables, "a refusal or a repetition changes nothing"
        if not answer.is_stored:
            self._is_rightly_refused(answer.content, content)
        if crash == "before":
            return None
        self.disk.tables = books.tables
        return None if crash == "after" else answer.content

    def _is_rightly_refused(self, answer: bytes, content: bytes) -> None:
        refused, message = read_answer(answer), opened(content)
        assert isinstance(refused, SignedRefusal)
        slug, envelope = refused.refusal.slug, message.envelope
        self.world.seen[f"refused: {slug}"] += 1
        pinned = {k.key_id for k in self.tables.peers[envelope.sender].pinned}
        ended = self.tables.settled.get(envelope.sender, "")
        rightly = {
            "bad-signature": not pinned & {s.key_id for s in message.signatures},
            "clock": envelope.sealed_at > self.now + SKEW,
            "broken-chain": envelope.link.epoch < ended or envelope.sender in self.world.put_back,
        }
        assert rightly.get(slug, False), f"{self.name} refuses {envelope.id}: {slug}"

    @property
    def is_idle(self) -> bool:
        return not self.outgoing() and not self.ready()

    def ready(self) -> list[tuple[str, str]]:
        """What may be taken up now, in the order of its channels."""
        entries = sorted(
            (self.tables.inbox[k] for k in self.tables.ready), key=lambda e: (e.sender, e.link.epoch, e.link.sequence)
        )
        kinds = {(e.sender, e.id): opened(e.content).envelope.kind for e in entries}
        found, behind = [], set()
        for entry in entries:
            kind = kinds[entry.sender, entry.id]
            keys = [e.link for e in entries if e.sender == entry.sender and kinds[e.sender, e.id] == "keys"]
            is_forms = kind not in BETWEEN_NODES
            channels = Books(self.tables).channels(entry.sender)
            waits = is_forms and (entry.sender in behind or entry.sender in self.tables.waits)
            if waits or not is_turn(kind, entry.link, channels, keys):
                behind.add(entry.sender)
            else:
                found.append((entry.sender, entry.id))
        return found

    def take_up(self, what: tuple[str, str], *, crash: Crash = "") -> None:
        """Do what a message asks for, and answer it, in one transaction."""
        if crash == "before":
            books = Books(self.tables.copy())
            self._take_up(books, what)
            return
        with self.disk.transaction() as books:
            self._take_up(books, what)

    def _take_up(self, books: Books, what: tuple[str, str]) -> None:
        del books.tables.ready[what]
        content = books.tables.inbox[what].content
        message = opened(content)
        books.tables.journal.append(content)
        record(books.tables.desk, message)
        act = getattr(self, f"_on_{message.envelope.kind}", None)
        if act is not None:
            act(books, message)

    def _on_submission(self, books: Books, message: Message) -> None:
        subject = message.envelope.subject
        assert subject is not None
        if not books.tables.desk[key_of(subject)].receipts.get(subject.revision):
            self._answer_form(books, subject, "stored")

    def _on_keys(self, books: Books, message: Message) -> None:
        sender = message.envelope.sender
        keys = [take(PeerKey, canonical(k), noun="密钥") for k in message.payload["keys"]]
        books.tables.peers[sender] = books.tables.peers[sender].with_keys(keys)
        known = [k.key_id for k in books.tables.peers[sender].keys if not k.revoked]
        self.post(books, Draft("notice", sender, {"known": known}, answers=message.envelope.id))

    def _on_notice(self, books: Books, message: Message) -> None:
        for key_id in message.payload["known"]:
            books.tables.confirmed[message.envelope.sender, key_id] = None

    # -- what was lost

    def back_up(self) -> None:
        self.disk.backups.append(self.tables.copy())

    def restore(self, which: int) -> None:
        """Go back to a backup; those of the line that is given up go with it. It takes a second."""
        backups = self.disk.backups
        self.disk.tables = backups[which].copy()
        del backups[which + 1 :]
        self.world.now += dt.timedelta(seconds=1)
        for peer in self.tables.peers:
            self.begin_anew(peer)

    def begin_anew(self, peer: str) -> None:
        """Go on in another epoch, and say what is known, keys that the other may lack included."""
        with self.disk.transaction() as books:
            begin_anew(books, peer, self.now)
            self.state_to(books, peer)
            if (peer, self.signers(books.tables)[0].key_id) not in books.tables.confirmed:
                self._announce(books, peer)

    def put_back(self, which: int) -> None:
        """Go back to a backup, and know nothing of it."""
        self.disk.tables = self.disk.backups[which].copy()
        self.world.put_back.add(self.name)
        self.world.now += dt.timedelta(minutes=1)

    def state_to(self, books: Books, peer: str, answers: str | None = None) -> Message:
        """Tell another node what we have of all that was said."""
        return self.post(books, Draft("digest", peer, statement(books, peer).model_dump(), answers=answers))

    def reconcile(self, peer: str) -> None:
        """The daily statement."""
        with self.disk.transaction() as books:
            self.state_to(books, peer)

    def _on_digest(self, books: Books, message: Message) -> None:
        sender = message.envelope.sender
        reaction = heed(self.room(books.tables), books, message)
        self.world.forked.update((sender, epoch) for epoch in reaction.forked)
        if reaction.asks:
            self.state_to(books, sender)
        self._send_again(books, sender, reaction.send_again)
        self._give_back(books, message, reaction.give_back)
        if reaction.missing:
            self.post(books, Draft("ask", sender, Ask.of(reaction.missing).model_dump()))
        if reaction.answers:
            self.state_to(books, sender, answers=message.envelope.id)

    def _on_ask(self, books: Books, message: Message) -> None:
        self._send_again(books, message.envelope.sender, take(Ask, canonical(message.payload), noun="请求").numbers)

    def _send_again(self, books: Books, peer: str, numbers: tuple[tuple[str, int], ...]) -> None:
        for row in list(books.tables.outbox.values()):
            if (
                row.out.receiver == peer
                and (row.out.link.epoch, row.out.link.sequence) in numbers
                and not row.is_waiting
            ):
                books.put(Row(row.out))

    def _give_back(self, books: Books, asked: Message, numbers: tuple[tuple[str, int], ...]) -> None:
        peer, told = asked.envelope.sender, asked.envelope.id
        entries = [books.tables.inbox[peer, books.tables.numbers[peer, *number]] for number in numbers]
        for copies in copies_of((e.content, e.answer) for e in entries):
            self.post(books, Draft("copies", peer, copies.model_dump(), answers=told, attachments=copies.attachments))
            self.world.seen["given back"] += len(copies.messages)

    def _on_copies(self, books: Books, message: Message) -> None:
        sender = message.envelope.sender
        back = regained(message, books.tables.peers[sender], self.name, (k.public for k in self.keys), books)
        assert not back.bad
        for copy in back.good:
            content = copy.message.to_bytes()
            books.put(Row(_outgoing(copy.message, content), answer=copy.answer.to_bytes()))
            books.tables.journal.append(content)
            record(books.tables.desk, copy.message)

    def rebuilt(self) -> Desk:
        """The desk, made anew of the messages in the journal."""
        desk: Desk = {}
        for content in self.tables.journal:
            record(desk, opened(content))
        return desk


def _outgoing(message: Message, content: bytes) -> Outgoing:
    envelope = message.envelope
    return Outgoing(envelope.receiver, envelope.id, digest(envelope.body()), envelope.link, content)
