"""`gmsafety user`: accounts of this installation."""

import typer

app = typer.Typer(help="账号：新建、停用、重设密码、申请令牌。", no_args_is_help=True)
