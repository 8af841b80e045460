"""`gmsafety user`: accounts of this installation.

Passwords come from a prompt or from standard input, never from the command line, where others could read them.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .working import Refused, unit_ref, working

if TYPE_CHECKING:
    from ..features.accounts.administration import Given
    from ..node import Node

app = typer.Typer(help="账号：新建、停用、重设密码、申请令牌。", no_args_is_help=True)
Login = Annotated[str, typer.Argument(help="账号名", metavar="LOGIN")]
Json = Annotated[bool, typer.Option("--json", help="输出JSON（数组）")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="从标准输入读密码（第一行）")]
Generated = Annotated[bool, typer.Option("--generate", help="由系统生成密码，显示一次")]
Final = Annotated[bool, typer.Option("--final", help="不要求下次登录时更改密码")]
Role = Annotated[
    list[str], typer.Option("--role", help="角色，可写多次：clerk、reviewer、leader、administrator、auditor")
]


@app.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="姓名")],
    unit: Annotated[str, typer.Option(help="单位的编号、名称或行政区划代码")],
    role: Role,
    password_stdin: FromInput = False,
    generate: Generated = False,
    final: Final = False,
) -> None:
    """新建账号。"""
    from ..features.accounts import administration
    from ..features.accounts.schemas import UserIn

    with working() as node:
        with node.db.read() as tx:
            ref = unit_ref(node, tx, unit)
        told = UserIn.model_validate({"login": login, "name": name, "unit": ref, "roles": role})
        given, shown = _password(from_input=password_stdin, generate=generate, final=final)
        with node.db.write() as tx:
            administration.add(tx, node, None, told, given)
    print(f"已新建账号：{login}" + (f"　初始密码 {shown}（只显示这一次）" if shown else ""))


def _password(*, from_input: bool, generate: bool, final: bool) -> tuple["Given", str | None]:
    """The password, hashed; and as it is to be shown where it was made here."""
    from ..auth import hash_password
    from ..features.accounts.administration import Given, new_password

    if from_input and generate:
        raise Refused("--password-stdin 和 --generate 不能同时用，请只写一个。")
    if generate:
        made = new_password()
        return Given(hash_password(made), not final), made
    if from_input:
        word = sys.stdin.readline().rstrip("\r\n")
    else:
        word = typer.prompt("密码", hide_input=True, confirmation_prompt="再输一遍")
    return Given(hash_password(word), not final), None


@app.command("list")
def show_all(
    unit: Annotated[str | None, typer.Option(help="只列这个单位的")] = None,
    role: Annotated[str | None, typer.Option(help="只列有这个角色的")] = None,
    as_json: Json = False,
) -> None:
    """列出账号。"""
    from gmsafety.cli.output import print_json, print_table

    from ..features.accounts import administration
    from ..web import Paging

    with working() as node, node.db.read() as tx:
        asked = {"unit": unit_ref(node, tx, unit) if unit else None, "role": role}
        found: list[dict[str, Any]] = []
        for page in range(1, 100_000):
            part, total = administration.listed(tx, node, None, asked, Paging(page=page, size=500))
            found += part
            if len(found) >= total or not part:
                break
        now = node.clock.now()
    if as_json:
        print_json([{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in u.items()} for u in found])
        return
    rows = [(u["login"], u["name"], u["unit_name"], "、".join(u["roles"]), _standing(u, now)) for u in found]
    print_table("账号", ["账号", "姓名", "单位", "角色", "状态"], rows)


def _standing(user: dict[str, Any], now: Any) -> str:
    if user["disabled_at"]:
        return "已停用"
    if user["locked_until"] and user["locked_until"] > now:
        return "已锁定"
    return "初始密码" if user["must_change"] else "在用"


def _change(node: "Node", login: str, given: "Given | None" = None, **told: Any) -> None:
    from ..features.accounts import administration
    from ..features.accounts.schemas import UserChange

    with node.db.write() as tx:
        administration.change(tx, node, None, login, UserChange.model_construct(**told), given)


@app.command("passwd")
def passwd(login: Login, password_stdin: FromInput = False, generate: Generated = False, final: Final = False) -> None:
    """重设密码；会话和令牌随即失效，锁定随即解除。"""
    from ..features.accounts import administration

    with working() as node:
        with node.db.read() as tx:
            administration.find(tx, node, None, "user.change", login)
        given, shown = _password(from_input=password_stdin, generate=generate, final=final)
        _change(node, login, given)
    print(f"已重设密码：{login}" + (f"　新密码 {shown}（只显示这一次）" if shown else ""))


@app.command("disable")
def disable(login: Login) -> None:
    """停用账号；会话和令牌随即失效。"""
    with working() as node:
        _change(node, login, disabled=True)
    print(f"已停用：{login}")


@app.command("enable")
def enable(login: Login) -> None:
    """启用账号，并解除锁定。"""
    with working() as node:
        _change(node, login, disabled=False, unlock=True)
    print(f"已启用：{login}")


@app.command("token")
def token(
    login: Login,
    name: Annotated[str, typer.Option(help="用途")] = "命令行",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="权限范围，可写多次：read、file、review、rollup、account、admin、audit；默认前五项"),
    ] = None,
    days: Annotated[int, typer.Option(help="有效天数，不超过365")] = 30,
    as_json: Json = False,
) -> None:
    """为账号申请令牌，显示一次。"""
    from gmsafety.cli.output import print_json

    from .. import auth
    from ..features.accounts import service
    from ..features.accounts.schemas import USUAL_SCOPES, TokenAsked

    with working() as node:
        asked = TokenAsked.model_validate({"name": name, "scopes": scope or list(USUAL_SCOPES), "days": days})
        with node.db.write() as tx:
            viewer = auth.viewer_of_user(auth.find_user(tx, login), node.directory(tx))
            if viewer is None:
                raise Refused(f"没有可用的账号“{login}”")
            made = service.make_token(tx, node, viewer, asked)
    if as_json:
        print_json([{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in made.items()}])
    else:
        print(made["token"])
