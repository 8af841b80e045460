"""`gmsafety verify` and `gmsafety receipt`: what another node signed, checked and printed without asking anybody."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import Json, print_json

if TYPE_CHECKING:
    from ..exchange.keyring import KeyRing
    from ..exchange.verified import Verified

Further = Callable[[Path, "KeyRing"], "Verified | None"]
"""Verifies a file of a kind that the core does not know; None for one that it does not know either."""
_further: list[Further] = []

Keys = Annotated[
    list[Path] | None,
    typer.Option("--keys", help="公钥：锚文件、公钥文件，或放它们的文件夹；可多次", exists=True),
]


def also(verifier: Further) -> None:
    """Let `gmsafety verify` know another kind of file."""
    _further.append(verifier)


def register(app: typer.Typer) -> None:
    """Add the commands to `gmsafety`."""
    app.command("verify")(verify)
    app.command("receipt")(receipt)


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="要核验的文件")],
    keys: Keys = None,
    node: Annotated[str | None, typer.Option("--node", help="包应是发给这个节点的")] = None,
    code: Annotated[str | None, typer.Option("--code", help="纸上印的验证码")] = None,
    as_json: Json = False,
) -> None:
    """离线核验：包文件、回执（JSON、几份在一起的，或打印的docx）、答复、消息、归档、审计记录、备份。不成立时退出码为1。"""
    from ..exchange.keyring import KeyRing
    from ..exchange.verifying import verify_files, with_code

    ring = KeyRing.read(*(keys or ()))
    found = verify_files(files, ring, node=node, further=_by_others)
    if code is not None:
        found = with_code(found, code)
    if as_json:
        print_json([v.to_json() for v in found])
    else:
        for each in found:
            _print(each)
    if not all(v.holds for v in found):
        raise typer.Exit(1)


def receipt(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="回执（JSON）")],
    to: Annotated[Path, typer.Option("--to", help="写到哪里：.docx 或 .pdf")],
    keys: Keys = None,
) -> None:
    """把签名的回执打印成文。给出公钥时先核验，不成立就不打印。"""
    from ..exchange import SignedReceipt
    from ..exchange.keyring import KeyRing
    from ..exchange.paper import print_receipt
    from ..exchange.verifying import verify_file

    if keys:
        found = verify_file(file, KeyRing.read(*keys))
        if not found.holds:
            _print(found)
            raise typer.Exit(1)
    print(f"已写入：{print_receipt(SignedReceipt.from_json(file.read_bytes()), to)}")


def _by_others(path: Path, ring: "KeyRing") -> "Verified | None":
    return next((found for verifier in _further if (found := verifier(path, ring)) is not None), None)


def _print(found: "Verified") -> None:
    from ..exchange.verified import KINDS

    print(f"{'成立' if found.holds else '不成立'}　{found.file}：{KINDS[found.kind]}")
    for label, text in found.facts:
        print(f"　　{label}：{text}".replace("\n", "\n　　　　"))
    for signed in found.signed:
        print(f"　　签名：节点 {signed.node}，密钥 {signed.key_id}（{signed.algorithm}），{signed.words}")
    for fault in found.faults:
        print(f"　　不符：{fault}")
