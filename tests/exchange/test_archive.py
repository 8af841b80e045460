"""Archives as the core writes and reads them: what was done to one is named; nothing of it is held in memory."""

import json
import runpy
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gmsafety.exchange.archive import ArchiveManifest, ArchiveWriter, Counts, header_of
from gmsafety.exchange.canonical import digest
from gmsafety.exchange.keyring import KeyRing
from gmsafety.exchange.peers import PeerKey
from gmsafety.exchange.verified import Verified
from gmsafety.exchange.verifying import verify_files

HERE = Path(__file__).parent
MADE = runpy.run_path(str(HERE / "make_vectors.py"))
CITY, AT = MADE["CITY"], MADE["AT"]
RING = KeyRing((("jincheng", PeerKey.of(CITY.public, AT)),))
RECEIPTS = [
    bytes.fromhex(case["bytes_hex"]) for case in json.loads((HERE / "vectors/receipts.json").read_text("utf-8"))
]
FILE = b"a form" * 100
FOLDER = "submissions/00000001"


def submission() -> dict[str, Any]:
    """What the receipts are about."""
    told = json.loads(RECEIPTS[0])["receipt"]
    same = {n: told[n] for n in ("campaign", "item", "revision", "message_id", "nil", "test", "period")}
    return {**same, "uid": told["submission"], "unit_name": told["sender"]["name"], "payload_hash": told["payload_hash"],
            "files": [], "receipts": len(RECEIPTS)}  # fmt: skip


def write(to: Path, *, number: int = 1, previous: str | None = None, files: int = 0, size: int = 600) -> str:
    """An archive of one submission and its receipts, and as many files as are asked for; returns its hash."""
    counts = {"submissions": 1, "receipts": len(RECEIPTS), "files": files}
    with to.open("wb") as file:
        writer = ArchiveWriter(file)
        writer.add(f"{FOLDER}/submission.json", json.dumps(submission()).encode())
        for n, content in enumerate(RECEIPTS, 1):
            writer.add(f"{FOLDER}/receipt-{n}.json", content)
        for n in range(files):
            writer.add_pieces(f"submissions/{n + 2:08}/file-1.xlsx", size, (bytes(size // 100) for _ in range(100)))
        manifest = ArchiveManifest(
            node="jincheng", title="整治", campaign="shanxi.year-end", number=number, previous=previous, made_at=AT,
            counts=Counts(**counts), audit=None, index=writer.index(),
        )  # fmt: skip
        return writer.finish(manifest, (CITY,)).manifest.hash


def parts(path: Path) -> list[tuple[str, bytes]]:
    """The entries, read without the program."""
    content, at, found = path.read_bytes(), 0, []
    while content[at : at + 512] != bytes(512):
        name, size = content[at : at + 100].rstrip(b"\0").decode(), int(content[at + 124 : at + 135], 8)
        found.append((name, content[at + 512 : at + 512 + size]))
        at += 512 + size + -size % 512
    return found


def verify(*paths: Path) -> list[Verified]:
    return verify_files(paths, RING)


def test_it_holds(tmp_path: Path) -> None:
    hashed = write(tmp_path / "a.tar", files=2)
    [found] = verify(tmp_path / "a.tar")

    assert ((), "archive", hashed) == (found.faults, found.kind, found.hash)
    assert {"证明", "不证明"} <= dict(found.facts).keys()
    index = [json.loads(line) for line in dict(parts(tmp_path / "a.tar"))["index.jsonl"].splitlines()]
    assert [(n, len(c), digest(c)) for n, c in parts(tmp_path / "a.tar")[:-2]] == [
        (i["name"], i["size"], i["hash"]) for i in index
    ]


Entries = list[tuple[str, bytes]]
DONE: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "missing": (lambda e: [*e[:1], *e[2:]], f"{FOLDER}/receipt-1.json：缺失"),
    "changed": (
        lambda e: [(n, c.replace(b"03:58:03Z", b"03:57:03Z") if n.endswith("receipt-1.json") else c) for n, c in e],
        f"{FOLDER}/receipt-1.json（",
    ),
    "in another order": (lambda e: [e[0], e[2], e[1], *e[3:]], f"{FOLDER}/receipt-1.json：次序被改动"),
    "twice": (lambda e: [e[0], e[1], *e[1:]], f"{FOLDER}/receipt-1.json：有2份"),
    "put in": (lambda e: [*e[:-2], ("messages/00000001.json", b"{}"), *e[-2:]], "messages/00000001.json：索引里没有"),
    "without an index": (lambda e: [x for x in e if x[0] != "index.jsonl"], "没有索引"),
    "another index": (
        lambda e: [(n, c.replace(b'"size":', b'"size" :') if n == "index.jsonl" else c) for n, c in e],
        "索引与清单的校验值不符",
    ),
    "another manifest": (
        lambda e: [(n, c.replace(b'"number":1', b'"number":2') if n == "manifest.json" else c) for n, c in e],
        "签名不符，可能被改动过",
    ),
    "without a manifest": (lambda e: e[:-1], "没有清单"),
}


@pytest.mark.parametrize("what", DONE)
def test_what_was_done_to_an_archive_is_named(what: str, tmp_path: Path) -> None:
    write(tmp_path / "a.tar")
    change, said = DONE[what]
    entries = change(parts(tmp_path / "a.tar"))
    made = [header_of(name, len(content)) + content + bytes(-len(content) % 512) for name, content in entries]
    (tmp_path / "b.tar").write_bytes(b"".join(made) + bytes(1024))
    [found] = verify(tmp_path / "b.tar")

    assert any(said in fault for fault in found.faults), found.faults


def test_each_names_the_one_before(tmp_path: Path) -> None:
    first = write(tmp_path / "a.tar")
    write(tmp_path / "b.tar", number=2, previous=first)
    write(tmp_path / "c.tar", number=2, previous=digest(b"another"))
    good = verify(tmp_path / "b.tar", tmp_path / "a.tar")

    assert [(), ()] == [v.faults for v in good]
    assert "接 a.tar" == dict(good[0].facts)["衔接"]
    assert verify(tmp_path / "a.tar", tmp_path / "c.tar")[1].faults[0].startswith("不接 a.tar：写明的上一份是")
    assert any("都是第2份归档" in f for v in verify(tmp_path / "b.tar", tmp_path / "c.tar") for f in v.faults)


def test_memory_does_not_grow_with_it(tmp_path: Path) -> None:
    """Sixty times as much in the file is not twice as much in memory."""
    peaks = []
    for files, size in ((4, 20_000), (40, 200_000), (40, 1_200_000)):
        tracemalloc.start()
        write(tmp_path / "a.tar", files=files, size=size)
        assert verify(tmp_path / "a.tar")[0].holds
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[2] < peaks[0] + 6 * 2**20
