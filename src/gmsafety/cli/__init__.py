"""The command `gmsafety`: what the library does, for a clerk at a prompt and for other programs (`--json`).

Exit status: 0 clean or remarks only, 1 findings, 2 wrong use, 3 failure.
"""

import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Annotated, Any

import typer

from .. import __version__
from ..errors import GmsafetyError
from . import (
    campaigns,
    checklists,
    diff,
    duties,
    enterprise,
    export,
    files,
    forms,
    order10,
    plugin,
    proof,
    register,
    rollup,
    rules,
    specs,
    writing,
)

USAGE, FAILURE = 2, 3
READER_LEFT = 141  # as a shell says it: 128 + SIGPIPE
_CLICK = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (r"Invalid value for .*?: ", ""),
        (r"(?:File|Path|file|path) '(.*)' does not exist\.", r"没有文件“\1”。"),
        (r"(?:File|file) '(.*)' is a directory\.", r"“\1”是文件夹，不是文件。"),
        (r"'(.*)' does not match the formats? '%Y-%m-%d'\.", r"“\1”不是日期，应写成 2024-12-20 的样子。"),
        (r"No such command '(.*)'\.", r"没有命令“\1”。"),
        (r"Got unexpected extra arguments? \((.*)\)", r"多余的参数：\1。"),
        (r"Did you mean '?(.*?)'?\?", r"是不是“\1”？"),
    )
)

app = typer.Typer(
    help="安全通知的表、期限、核对与汇总。", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.add_typer(plugin.app, name="plugin")
app.add_typer(campaigns.app, name="campaigns")
app.add_typer(forms.app, name="forms")
files.register(forms.app)
writing.register(forms.app)
diff.register(forms.app)
export.register(forms.app)
app.add_typer(specs.app, name="specs")
app.add_typer(checklists.app, name="checklists")
app.add_typer(register.app, name="register")
app.command("duties")(duties.duties)
app.command("rollup")(rollup.rollup)
proof.register(app)
for _command in (enterprise.route, enterprise.gate, rules.tasks, rules.quotas, order10.order10):
    app.command(_command.__name__)(_command)
for _more in sorted(entry_points(group="gmsafety.commands"), key=lambda e: e.name):
    _more.load()(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", help="显示版本", callback=_show_version, is_eager=True)] = False,
) -> None:
    """安全通知的表、期限、核对与汇总。退出码：0 无问题，1 有问题，2 用法不对，3 失败。"""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status, and never shows a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    try:
        return int(app(args=list(args) if args is not None else None, standalone_mode=False) or 0)
    except typer.Exit as leave:
        return leave.exit_code
    except (BrokenPipeError, SystemExit):  # rich leaves so when nobody reads on (… | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_LEFT
    except Exception as error:
        if os.environ.get("GMSAFETY_DEBUG"):
            raise
        text, status = _explain(error)
        print(text, file=sys.stderr)
        return status


def _explain(error: Exception) -> tuple[str, int]:
    """Put a failure into words, and choose the exit status."""
    if isinstance(error, typer.Abort):
        return "已中断。", FAILURE
    if hasattr(error, "format_message"):
        return _in_chinese(error), USAGE
    if isinstance(error, FileNotFoundError):
        return f"找不到文件：{error.filename}", USAGE
    if isinstance(error, GmsafetyError):
        return str(error), USAGE if error.is_usage else FAILURE
    if isinstance(error, PermissionError):
        return f"没有权限读写：{error.filename}", FAILURE
    if isinstance(error, OSError):
        return f"不能读写文件：{error}", FAILURE
    return f"程序出错，未能完成（{type(error).__name__}：{error}）。设置 GMSAFETY_DEBUG=1 可看详情。", FAILURE


def _in_chinese(error: Any) -> str:
    """Say in Chinese what click says of wrong use."""
    parameter = getattr(error, "param", None)
    said = str(error.format_message())
    if parameter is not None:
        shown = parameter.opts[-1] if str(parameter.opts[-1]).startswith("-") else parameter.metavar or parameter.name
        said = f"{shown} 的值不对：{said}" if "Bad" in type(error).__name__ else f"缺少 {shown}。"
    elif hasattr(error, "option_name"):
        said = f"没有选项 {error.option_name}。"
    for pattern, chinese in _CLICK:
        said = pattern.sub(chinese, said)
    return f"{said}\n用 --help 查看用法。"


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())
