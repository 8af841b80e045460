"""`gmsafety serve`: the server of this installation."""

from typing import Annotated, Any

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址（默认 127.0.0.1）")] = None,
    port: Annotated[int | None, typer.Option(help="端口（默认 8000）")] = None,
    workers: Annotated[int | None, typer.Option(help="进程数；多于1个需用 PostgreSQL")] = None,
) -> None:
    """启动服务器。"""
    import uvicorn

    from .opening import settings_of

    settings = settings_of(host=host, port=port, workers=workers)
    options: dict[str, Any] = {"host": settings.host, "port": settings.port, "log_level": "warning"}
    print(f"{settings.title}：http://{settings.host}:{settings.port}/　（Ctrl+C 停止）", flush=True)
    uvicorn.run("gmsafety_server.asgi:app", factory=True, workers=settings.workers, **options)
