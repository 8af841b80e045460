"""`gmsafety node keys`: the keys by which this node signs."""

from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import typer

from .database import Json
from .working import working

app = typer.Typer(help="签名密钥：列出、更换、停用。", no_args_is_help=True)
ACTOR = "gmsafety node"


class Kind(StrEnum):
    """An algorithm, as it is named here."""

    ED25519 = "ed25519"
    SM2 = "sm2"


ALGORITHMS = MappingProxyType({Kind.ED25519: "Ed25519", Kind.SM2: "SM2-SM3"})
Algorithm = Annotated[Kind | None, typer.Option("--algorithm", help="签名算法；sm2（国密）需要 gmsafety[sm]")]


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """列出本节点的密钥。"""
    from gmsafety.cli.output import print_json, print_table
    from gmsafety.exchange.canonical import plain

    from ..mail.stations import own_keys

    with working() as node, node.db.read() as tx:
        found = own_keys(tx)
    if as_json:
        print_json([plain(k.model_dump()) for k in found])
        return
    ends = [f"{k.valid_until:%Y-%m-%d}" if k.valid_until else "在用" for k in found]
    rows = [(k.key_id, k.algorithm, f"{k.valid_from:%Y-%m-%d}", end) for k, end in zip(found, ends, strict=True)]
    print_table("密钥", ["编号", "算法", "起", "止"], rows)


@app.command("rotate")
def rotate(algorithm: Algorithm = None) -> None:
    """更换签名密钥，并告知各节点；运行中的服务器随即改用新的。不写算法则与原来的相同。"""
    from ..features.exchange import introducing

    with working() as node, node.db.write() as tx:
        chosen = ALGORITHMS[algorithm] if algorithm else None
        key = introducing.rotate(tx, node, actor=ACTOR, algorithm=chosen)
    print(f"新密钥 {key.key_id}（{key.algorithm}）。各节点都收到后，停用旧的：gmsafety node keys retire")


@app.command("retire")
def retire(
    key: Annotated[str, typer.Argument(help="密钥编号")],
    revoke: Annotated[bool, typer.Option("--revoke", help="已泄露：请各节点一概不再相信它")] = False,
) -> None:
    """停用一个旧密钥，并告知各节点。"""
    from ..features.exchange import examining, introducing

    with working() as node, node.db.write() as tx:
        strangers = examining.unaware(tx)
        introducing.retire(tx, node, key, revoked=revoke, actor=ACTOR)
    print(f"已停用 {key}。")
    if strangers:
        print(f"注意：{'、'.join(strangers)} 还不知道新密钥，只用新密钥签名的消息它们不收。")
        print("请把新的锚文件（gmsafety node anchor）交给它们登记；")
        print("再用 gmsafety node outbox --standing dead 查看被拒收的，用 --again 重发。")
