"""`gmsafety demo`: three weeks of six counties, played on a real server, which then stays open to be looked at."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .demo.scenario import Scenario
    from .demo.stage import Stage
    from .demo.telling import Teller


def demo(
    folder: Annotated[Path, typer.Option(help="数据库所在的文件夹")] = Path("out/demo"),
    out: Annotated[Path, typer.Option(help="正式表放在哪里")] = Path("out"),
    fresh: Annotated[bool, typer.Option("--fresh/--continue", help="从头演，或接着看上次的")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口；被占用则用下一个")] = 8000,
    leave: Annotated[bool, typer.Option("--exit", help="演完就退出")] = False,
) -> None:
    """演示：六县三周的报送、审核、汇总、上报，演完留下服务器供查看。"""
    import signal

    from .demo.scenario import read_scenario
    from .demo.stage import performing, prepare
    from .demo.telling import Teller

    for asked in (signal.SIGINT, signal.SIGTERM):  # also in the background, where a shell has Ctrl+C ignored
        signal.signal(asked, signal.default_int_handler)
    teller = Teller()
    scenario = read_scenario()
    settings = prepare(folder, fresh=fresh)
    try:
        with performing(settings, port, fresh=fresh) as stage:
            if fresh:
                _play(stage, scenario, teller, out)
            stage.turn_to(scenario.ends)
            stage.clock.run()
            _tell_how_to_look(stage, teller, port)
            if not leave:
                _stay(stage)
    except KeyboardInterrupt:
        teller.say("\n演示已停止。")


def _play(stage: "Stage", scenario: "Scenario", teller: "Teller", out: Path) -> None:
    from .demo.cast import Cast
    from .demo.story import Story

    out.mkdir(parents=True, exist_ok=True)
    cast = Cast(stage, scenario, teller, out)
    try:
        Story(stage, scenario, cast, teller).play()
    finally:
        cast.close()
    teller.say(f"\n共{len(cast.receipts)}张回执，已离线用公钥逐张核对，签名全部有效。")
    teller.say(f"晋城市的正式表{len(cast.written)}份，已从服务器下载到 {out}：")
    for path in cast.written:
        teller.say(f"  {path}")


def _tell_how_to_look(stage: "Stage", teller: "Teller", port: int) -> None:
    from importlib.resources import files

    from .demo.people import PASSWORD, PEOPLE, TOWN_CLERK

    if stage.moved:
        teller.say(f"\n端口 {port} 已被占用，改用下一个。")
    teller.say(f"\n[bold]服务器在 {stage.address}/[/]　演示时间 {stage.shown_time}，从此照常走。")
    if not (files("gmsafety_server") / "static" / "manifest.json").is_file():
        teller.say("[yellow]网页的样式还没有生成，请先运行 make assets，再刷新网页。[/]")
    teller.say(f"账号如下，密码都是 [bold]{PASSWORD}[/]")
    with stage.node.db.read() as tx:
        units = stage.node.directory(tx)
    rows = [(p.login, units.name(p.unit), "、".join(r.chinese for r in p.roles), p.does) for p in (*PEOPLE, TOWN_CLERK)]
    teller.table(("账号", "单位", "角色", "做什么"), rows)


def _stay(stage: "Stage") -> None:
    import threading

    print("按 Ctrl+C 停止。下次加 --continue 接着看，不加则从头演示。", flush=True)
    never = threading.Event()
    while not never.wait(1):  # a wait without end cannot be interrupted everywhere
        pass
