"""`gmsafety serve`: the server of this installation."""

import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Config

    from ..node import Node
    from ..settings import Settings
    from .opening import NotReady

FAILURE = 3
GRACE_SECONDS = 30
HUNG_SECONDS = 60


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址（默认 127.0.0.1）")] = None,
    port: Annotated[int | None, typer.Option(help="端口（默认 8000）")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数（默认 1）")] = None,
) -> None:
    """启动服务器。"""
    from .opening import NotReady, opened, settings_of

    given = {"host": host, "port": port, "workers": workers}
    settings = settings_of(**given)
    if settings.demo and settings.workers > 1:
        raise NotReady("演示方式只能用1个进程（workers=1）：各进程的时钟会不一致")
    with opened(settings) as node:  # what is wrong with tables, key or regions is said here, and not in each process
        listening = _listen(settings)
        _end_leases(node)
        for warning in warnings_for(settings):
            typer.echo(f"注意：{warning}", err=True)
        where = f"[{settings.host}]" if ":" in settings.host else settings.host
        print(f"{settings.title}：http://{where}:{listening.getsockname()[1]}/　（Ctrl+C 停止）", flush=True)
        if settings.workers == 1:
            _serve_here(node, listening)
            return
    for name, value in given.items():
        if value is not None:  # each process reads its settings for itself
            os.environ[f"GMSAFETY_{name.upper()}"] = str(value)
    _serve_apart(settings, listening)


def _end_leases(node: "Node") -> None:
    """What a server that was killed had taken to send need not wait: it is no more."""
    from ..features.exchange import repository

    with node.db.write() as tx:
        repository.end_leases(tx)


def warnings_for(settings: "Settings") -> list[str]:
    """What works, but not as well or as safely as it should."""
    found = []
    if settings.workers > 1 and settings.is_sqlite:
        found.append("SQLite 一次只有一个写入者，多进程时忙时会多等；报送多的请改用 PostgreSQL")
    if _only_here(settings.host):
        return found
    if not settings.secure_cookies:
        found.append(
            f"监听 {settings.host} 而没有启用 secure_cookies，密码和令牌在网上不加密；"
            "请在前面加 HTTPS 反向代理，并设 GMSAFETY_SECURE_COOKIES=1"
        )
    if settings.demo:
        found.append("演示方式下时钟可由客户端拨动，不要用于正式报送")
    return found


def _only_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(settings: "Settings") -> socket.socket:
    """The socket, bound before any process starts, so that a port in use is said once."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except (OSError, UnicodeError) as error:
        raise _cannot(settings, error) from error
    try:
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise _cannot(settings, error) from error
    listening.set_inheritable(True)
    return listening


def _cannot(settings: "Settings", error: Exception) -> "NotReady":
    from .opening import NotReady

    reason = getattr(error, "strerror", None) or error
    return NotReady(f"不能监听 {settings.host}:{settings.port}：{reason}。换一个端口用 --port")


def _serve_here(node: "Node", listening: socket.socket) -> None:
    """Serve in this process; requests under way are finished before it ends."""
    import signal

    from uvicorn import Server

    from ..app import create_app, settled

    server = Server(_config(node.settings, settled(create_app(node))))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that begins it in the background has it ignored
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        print("已停止。")
    if not server.started:
        raise typer.Exit(FAILURE)


def _serve_apart(settings: "Settings", listening: socket.socket) -> None:
    """Serve in several processes; one that dies is started again."""
    from uvicorn.supervisors import Multiprocess

    Multiprocess(_config(settings, "gmsafety_server.asgi:app"), sockets=[listening]).run()


def _config(settings: "Settings", app: "FastAPI | str") -> "Config":
    from uvicorn import Config

    from ..logs import log_config

    return Config(
        app,
        factory=isinstance(app, str),
        workers=settings.workers,
        log_config=log_config(settings.log_file, settings.log_format),
        log_level=None,
        access_log=settings.log_file is not None or settings.log_format == "json",
        server_header=False,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_worker_healthcheck=HUNG_SECONDS,
    )
