"""Packages: what was packed comes out, and whatever somebody did to one is told, all at once, and writes nothing."""

import datetime as dt
import io
import runpy
import struct
import zipfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gmsafety.exchange import PublicKey, SigningKey
from gmsafety.exchange import unpacking as module
from gmsafety.exchange.envelope import opened
from gmsafety.exchange.package import Entry, Manifest, Parcel, SignedManifest, pack
from gmsafety.exchange.signatures import signature_over
from gmsafety.exchange.unpacking import PACKAGE_FAULTS, PackageRefused, opened_package

HERE = Path(__file__).parent
MADE = runpy.run_path(str(HERE / "make_vectors.py"))
COUNTY, CITY, AT, FILE, CHAIN = (MADE[name] for name in ("COUNTY", "CITY", "AT", "FILE", "CHAIN"))
ATTACHED = MADE["ATTACHED"].hash
PACKAGE = (HERE / "vectors/package.gmx").read_bytes()
FIRST = "messages/000001.json"
BLOB = f"blobs/{ATTACHED}"
Parts = dict[str, bytes]


def keys(node: str, moment: dt.datetime) -> Iterable[PublicKey]:
    return {"zezhou": (COUNTY.public,), "jincheng": (CITY.public,)}.get(node, ())


def parts() -> Parts:
    with zipfile.ZipFile(io.BytesIO(PACKAGE)) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def zipped(path: Path, content: Parts | list[tuple[Any, bytes]], how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as package:
        for name, data in content.items() if isinstance(content, dict) else content:
            package.writestr(name, data)
    return path


def relisted(content: Parts, *, key: SigningKey = COUNTY, **changes: Any) -> Parts:
    """The same parts with a manifest that fits them, signed."""
    manifest = MADE["Parcel"]("p", "zezhou", "jincheng", AT)
    listed: dict[str, list[Entry]] = {"messages": [], "answers": [], "blobs": []}
    for name, data in sorted(content.items()):
        if name != "manifest.json":
            listed[name.split("/")[0]].append(Entry(hash=MADE["digest"](data), size=len(data)))
    said: dict[str, Any] = {"id": "p", "sender": manifest.sender, "receiver": manifest.receiver, "made_at": AT}
    told = Manifest(**{**said, **{k: tuple(v) for k, v in listed.items()}, **changes})
    signed = SignedManifest(manifest=told, signatures=(signature_over(told, key),))
    return {**content, "manifest.json": signed.to_bytes()}


def found(path: Path, node: str | None = "jincheng") -> list[tuple[str, str]]:
    with opened_package(path) as package:
        return [(f.kind.slug, f.where) for f in package.faults(keys, node=node)]


# --- what is whole -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_whole_package_is_read(how: int, tmp_path: Path) -> None:
    with opened_package(zipped(tmp_path / "p.gmx", parts(), how)) as package:
        assert () == package.faults(keys, node="jincheng")
        assert [m.to_bytes() for m in CHAIN] == list(package.messages())
        assert FILE == b"".join(package.blob(ATTACHED))
        assert [] == list(package.answers())


def test_the_same_parcel_gives_the_same_bytes(tmp_path: Path) -> None:
    MADE["packages"](tmp_path)

    assert PACKAGE == (tmp_path / "package.gmx").read_bytes()


def test_a_receipt_package_is_carried_back() -> None:
    path = HERE / "vectors/answers.gmx"

    assert [] == found(path, "zezhou")
    with opened_package(path) as package:
        assert [MADE["answers"]()["stored"]] == list(package.answers())


class Endless(io.RawIOBase):
    """A large file that is never whole in memory; remembers the largest piece that was asked for."""

    def __init__(self, size: int) -> None:
        self.left, self.largest = size, 0

    def read(self, size: int = -1) -> bytes:
        self.largest = max(self.largest, size if size >= 0 else 2**62)
        piece = bytes(min(size, self.left))
        self.left -= len(piece)
        return piece


def attached(size: int, hash_: str) -> bytes:
    message = CHAIN[0]
    file = message.envelope.attachments[0].model_copy(update={"size": size, "hash": hash_})
    envelope = message.envelope.model_copy(update={"attachments": (file,)})
    content: bytes = MADE["seal"](envelope, message.payload, COUNTY).to_bytes()
    return content


def test_a_large_file_goes_through_piece_by_piece(tmp_path: Path) -> None:
    size = 40 * 2**20
    source = Endless(size)
    hashed = MADE["hashlib"].sha256(bytes(size)).hexdigest()
    parcel = Parcel("p", "zezhou", "jincheng", AT, messages=[attached(size, hashed)])
    pack(parcel, tmp_path / "p.gmx", keys=(COUNTY,), blob=lambda _: closing(source))

    assert source.largest <= 2**20
    with opened_package(tmp_path / "p.gmx") as package:
        assert () == package.faults(keys)
        assert 2**20 >= max(map(len, package.blob(hashed)))


def test_a_file_that_is_another_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "p.gmx").write_bytes(b"the old one")
    parcel = Parcel("p", "zezhou", "jincheng", AT, messages=[CHAIN[0].to_bytes()])

    with pytest.raises(ValueError, match="与信封所写的不符"):
        pack(parcel, tmp_path / "p.gmx", keys=(COUNTY,), blob=lambda _: closing(io.BytesIO(FILE[:-1] + b"!")))
    assert [(tmp_path / "p.gmx", b"the old one")] == [(p, p.read_bytes()) for p in tmp_path.iterdir()]


# --- what somebody did to one ------------------------------------------------------------------------------------


def changed(**entries: bytes) -> Callable[[], Parts]:
    return lambda: {**parts(), **entries}


def link() -> list[tuple[Any, bytes]]:
    info = zipfile.ZipInfo(FIRST)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return [(info, b"/etc/passwd") if name == FIRST else (name, data) for name, data in parts().items()]


def without(name: str) -> Parts:
    return {n: d for n, d in parts().items() if n != name}


def reordered() -> Parts:
    content = parts()
    one, two = "messages/000001.json", "messages/000002.json"
    return relisted({**content, one: content[two], two: content[one]})


def other_message(content: bytes) -> Parts:
    return relisted({**parts(), FIRST: content})


def forged() -> Parts:
    envelope = CHAIN[0].envelope
    content = MADE["seal"](envelope, CHAIN[0].payload, SigningKey.generate("zezhou-2024-1")).to_bytes()
    return other_message(content)


def swapped_payload() -> Parts:
    message = opened(parts()[FIRST])
    return other_message(message.model_copy(update={"payload": {}}).to_bytes())


def answered(content: bytes) -> Parts:
    return relisted({**parts(), "answers/000001.json": content})


DONE: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "a path upward": (changed(**{"../../evil.json": b"{}"}), [("unsafe-name", "../../evil.json"), ("not-listed", "../../evil.json")]),
    "an absolute path": (changed(**{"/tmp/evil": b""}), [("unsafe-name", "/tmp/evil"), ("not-listed", "/tmp/evil")]),
    "a drive": (changed(**{"C:\\evil": b""}), [("unsafe-name", "C:\\evil"), ("not-listed", "C:\\evil")]),
    "a folder": (changed(**{"messages/": b""}), [(slug, "messages/") for slug in ("unsafe-name", "link", "not-listed")]),
    "a bell in a name": (changed(**{"a\x07b": b""}), [("unsafe-name", "a?b"), ("not-listed", "a?b")]),
    "one file more": (changed(**{"messages/000004.json": b"{}"}), [("not-listed", "messages/000004.json")]),
    "a link": (link, [("link", FIRST), ("size-differs", FIRST)]),
    "one message less": (lambda: without(FIRST), [("absent", FIRST)]),
    "a file less": (lambda: without(BLOB), [("absent", BLOB)]),
    "another file": (changed(**{BLOB: FILE[:-1] + b"!"}), [("hash-differs", BLOB)]),
    "a longer file": (changed(**{BLOB: FILE + b"!"}), [("size-differs", BLOB)]),
    "another order": (reordered, [("chain-broken", "messages/000002.json"), ("chain-broken", "messages/000003.json")]),
    "no message": (lambda: other_message(b"{}"), [("no-message", FIRST)]),
    "another payload": (swapped_payload, [("no-message", FIRST)]),
    "a forged message": (forged, [("message-signature", FIRST)]),
    "an unlisted file, in order": (lambda: relisted(without(BLOB)), [("attachment-absent", FIRST)]),
    "no answer": (lambda: answered(b"{}"), [("no-answer", "answers/000001.json")]),
    "an answer of another": (lambda: answered(MADE["answers"]()["stored"]), [("no-answer", "answers/000001.json")]),
    "for another": (lambda: relisted(parts(), receiver="shuozhou"), [
        ("not-for-us", ""), *[("message-astray", f"messages/00000{n}.json") for n in (1, 2, 3)]]),
    "of a stranger": (lambda: relisted(parts(), sender="shuozhou"), [
        ("unknown-signer", "manifest.json"), *[("message-astray", f"messages/00000{n}.json") for n in (1, 2, 3)]]),
    "signed by another key": (lambda: relisted(parts(), key=SigningKey.generate("zezhou-2024-1")), [("bad-signature", "manifest.json")]),
    "signed by an unknown key": (lambda: relisted(parts(), key=SigningKey.generate("x")), [("unknown-signer", "manifest.json")]),
    "a bomb": (lambda: relisted({**parts(), BLOB: bytes(8 * 2**20)}), [("inflates", BLOB), ("not-listed", BLOB)]),
}  # fmt: skip


@pytest.mark.parametrize("case", DONE)
def test_what_was_done_is_told(case: str, tmp_path: Path) -> None:
    make, expected = DONE[case]
    folder = tmp_path / "inner"
    folder.mkdir()
    path = zipped(folder / "p.gmx", make(), zipfile.ZIP_DEFLATED if case == "a bomb" else zipfile.ZIP_STORED)
    actual = found(path)

    assert expected == actual
    assert [folder] == list(tmp_path.iterdir())
    assert [path] == list(folder.iterdir())


def test_everything_is_told_at_once(tmp_path: Path) -> None:
    content = relisted(parts(), receiver="shuozhou", key=SigningKey.generate("x"))
    content |= {"../evil": b"", BLOB: b"short"}

    assert {"not-for-us", "unknown-signer", "unsafe-name", "not-listed", "size-differs", "message-astray"} == {
        slug for slug, _ in found(zipped(tmp_path / "p.gmx", content))
    }


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.gmx", [*parts().items(), (FIRST, parts()[FIRST])])

    assert [("twice", FIRST)] == found(path)


def test_a_locked_entry_is_told(tmp_path: Path) -> None:
    data = bytearray(PACKAGE)
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    (tmp_path / "p.gmx").write_bytes(data)

    assert [("encoded", FIRST)] == found(tmp_path / "p.gmx")


def test_entries_that_overlap_are_told(tmp_path: Path) -> None:
    """Two entries over the same bytes: a package that unpacks to more than it holds."""
    data = bytearray(PACKAGE)
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[second + 42 : second + 46] = struct.pack("<L", 0)
    (tmp_path / "p.gmx").write_bytes(data)

    assert "inflates" in {slug for slug, _ in found(tmp_path / "p.gmx")}


@pytest.mark.parametrize("keep", [0, 1, 21, 22, 200, len(PACKAGE) // 2, len(PACKAGE) - 1])
def test_a_truncated_package_is_none(keep: int, tmp_path: Path) -> None:
    (tmp_path / "p.gmx").write_bytes(PACKAGE[:keep])

    with pytest.raises(PackageRefused) as refused:
        found(tmp_path / "p.gmx")
    assert "no-package" == refused.value.fault.kind.slug


@pytest.mark.parametrize("at", range(0, len(PACKAGE), 61))
def test_a_flipped_byte_is_never_taken(at: int, tmp_path: Path) -> None:
    """Wherever it is; a byte that is no part of any entry's content may change nothing."""
    data = bytearray(PACKAGE)
    data[at] ^= 0x55
    (tmp_path / "p.gmx").write_bytes(data)
    try:
        with opened_package(tmp_path / "p.gmx") as package:
            if not package.faults(keys, node="jincheng"):
                assert [m.to_bytes() for m in CHAIN] == list(package.messages())
                assert FILE == b"".join(package.blob(ATTACHED))
    except PackageRefused:
        pass


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[", b"\xff", None, b'{"manifest":{"format":"gmx","version":2},"signatures":[]}'],
    ids=["empty", "no JSON", "no text", "none", "newer"],
)
def test_without_a_manifest_there_is_no_package(content: bytes | None, tmp_path: Path) -> None:
    changed = without("manifest.json") if content is None else {**parts(), "manifest.json": content}

    with pytest.raises(PackageRefused) as refused:
        found(zipped(tmp_path / "p.gmx", changed))
    assert "no-manifest" == refused.value.fault.kind.slug


def test_a_list_of_entries_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_DIRECTORY", 100)
    (tmp_path / "p.gmx").write_bytes(PACKAGE)

    with pytest.raises(PackageRefused) as refused:
        found(tmp_path / "p.gmx")
    assert "too-large" == refused.value.fault.kind.slug


def test_what_changes_after_it_was_examined_is_not_taken(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.gmx", {**parts(), FIRST: parts()[FIRST][:-1] + b" "})

    with opened_package(path) as package, pytest.raises(PackageRefused):
        list(package.messages())
    with opened_package(path) as package, pytest.raises(PackageRefused):
        list(package.blob("0" * 64))


def test_a_failure_of_the_reader_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "p.gmx").write_bytes(PACKAGE)

    with pytest.raises(ValueError, match="mine"), opened_package(tmp_path / "p.gmx"):
        raise ValueError("mine")


def test_every_fault_has_a_test() -> None:
    told = {slug for _, expected in DONE.values() for slug, _ in expected}
    others = {"no-package", "no-manifest", "twice", "encoded", "too-large", "answer-signature"}

    assert set(PACKAGE_FAULTS) == told | others


def test_an_answer_signed_by_another_is_told(tmp_path: Path) -> None:
    answer = {"answers/000001.json": MADE["answers"]()["stored"]}
    path = zipped(tmp_path / "p.gmx", relisted(answer, sender="jincheng", receiver="zezhou", key=CITY))

    assert [] == found(path, "zezhou")
    with opened_package(path) as package:
        other = [SigningKey.generate(CITY.key_id).public]
        slugs = [f.kind.slug for f in package.faults(lambda *_: other)]
    assert ["bad-signature", "answer-signature"] == slugs
