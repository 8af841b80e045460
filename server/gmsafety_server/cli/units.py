"""`gmsafety unit`: units of this installation, and what happens to them."""

import typer

app = typer.Typer(help="单位：列出、设立、撤销、划转、拆分、合并。", no_args_is_help=True)
