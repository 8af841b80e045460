"""`gmsafety db`: the database of this installation."""

import typer

app = typer.Typer(help="数据库：建立、升级、备份、恢复、核验。", no_args_is_help=True)


@app.command("upgrade")
def upgrade() -> None:
    """建立数据库或升级到最新，并生成签名密钥。"""
    from ..db import Database
    from ..migrations import upgrade as bring_up
    from ..node import open_node
    from .opening import settings_of

    settings = settings_of()
    db = Database(settings.database)
    bring_up(db)
    db.close()
    node = open_node(settings)
    print(f"数据库已就绪：{node.db.url.render_as_string(hide_password=True)}　签名密钥 {node.key.public.key_id}")
    node.db.close()
