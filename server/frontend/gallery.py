"""The gallery shows every macro and three whole pages with invented data, as pages and as pictures.

    .venv/bin/python server/frontend/gallery.py [FOLDER]

It serves the built assets under the server's own content security policy and fails when a page breaks it.
"""

import sys
import tempfile
import threading
from calendar import Calendar
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader
from playwright.sync_api import Page, sync_playwright

from gmsafety_server.templating import environment

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "gmsafety_server"
POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'"
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"desktop": (1366, 800), "phone": (390, 780)}

FRIDAY = datetime(2024, 12, 27, 10, 40, tzinfo=ZoneInfo("Asia/Shanghai"))
NAV = [
    {"label": "工作台", "href": "/desk.html", "icon": "desk", "count": 2, "alarm": True},
    {"label": "报表与文件", "href": "/fill.html", "icon": "forms", "group": "报送"},
    {"label": "审核", "href": "#", "icon": "review", "count": 3, "group": "报送"},
    {"label": "汇总", "href": "#", "icon": "rollup", "group": "报送"},
    {"label": "报送看板", "href": "/board.html", "icon": "board", "group": "报送"},
    {"label": "日程", "href": "#", "icon": "calendar", "group": "报送"},
    {"label": "隐患台账", "href": "/ledger.html", "icon": "hazard", "group": "监管"},
    {"label": "企业", "href": "#", "icon": "enterprise", "group": "监管"},
    {"label": "检查", "href": "/phone.html", "icon": "inspection", "group": "监管"},
    {"label": "复工复产", "href": "#", "icon": "resumption", "group": "监管"},
    {"label": "年度任务", "href": "#", "icon": "quota", "group": "监管"},
    {"label": "上下级交换", "href": "#", "icon": "exchange", "group": "系统"},
    {"label": "管理", "href": "#", "icon": "admin", "group": "系统"},
]
CITY = {
    "node_name": "晋城市应急管理局",
    "node_id": "jincheng",
    "version": "0.1.0",
    "test": False,
    "now": FRIDAY,
    "unit_name": "泽州县应急管理局",
    "user_name": "某某",
    "user_roles": "填报员",
    "user_menu": [{"href": "#", "label": "修改密码", "icon": "key"}],
    "search": {"href": "#", "value": "", "hint": "查找企业、表、文件"},
    "csrf_token": "invented",
    "flashes": [],
    "crumbs": [],
}
UNITS = ["城区", "沁水县", "阳城县", "陵川县", "泽州县", "高平市"]
BOARD_UNITS = [f"{name}应急管理局" for name in UNITS] + [
    "开发区应急管理局",
    "晋城市工业和信息化局",
    "晋城市生态环境局",
    "晋城市市场监督管理局",
    "晋城市人力资源和社会保障局",
    "晋城市消防救援支队",
]


def page_context(active: str, **more: Any) -> dict[str, Any]:
    """What the server gives to every page, with one item of the navigation lit."""
    nav = [item | {"active": item["label"] == active} for item in NAV]
    return CITY | {"nav": nav} | more


def make_findings() -> list[dict[str, str]]:
    """Findings of every severity, in the words of the sketch."""
    source = "晋应急发〔2024〕354号 附件1"
    return [
        {
            "code": "GM-R102",
            "severity": "error",
            "place": "第3行 · 企业自查自改（C4单元格）",
            "message": "已整改12条，多于发现的9条。",
            "remedy": "发现数应不少于已整改数。请核对后改正；若数字确实如此，请在提交时写明原因。",
            "source": source,
            "href": "#f-self-general-fixed",
        },
        {
            "code": "GM-T021",
            "severity": "error",
            "place": "第5行 · 行政处罚（C6单元格）",
            "message": "“3.5万元左右”不是一个数。",
            "remedy": "请只填数字，单位为万元，例如3.5。",
        },
        {
            "code": "GM-R131",
            "severity": "warning",
            "place": "第3行 · 企业自查自改（C4单元格）",
            "message": "累计发现一般隐患由上周的11条减少为9条。",
            "remedy": "累计数一般不会减少。请核对；确有更正的，请在提交时写明。",
            "source": source,
            "reason": "上周误将乡镇复查数计入，本周已核减2条。",
        },
        {
            "code": "GM-E003",
            "severity": "info",
            "place": "表头行",
            "message": "原通知印作“发现发现一般问题隐患”，已按“发现一般问题隐患”读取。",
            "remedy": "",
            "source": source,
        },
    ]


def make_receipt(**more: Any) -> dict[str, Any]:
    """The receipt of the sketch."""
    return {
        "kind": "stored",
        "number": "JC-2024-000187",
        "title": "《冶金工贸行业隐患排查整治专项行动周调度统计表》第2周（2024-12-27）第1版",
        "sender": "泽州县应急管理局",
        "receiver": "晋城市应急管理局",
        "received_at": "2024-12-27 11:58:03",
        "late": "截止12:00，按时",
        "hash": "SHA-256 6f1c0a9d27be4415c03f8a7d9e52b1644f0e7c3a18d2965bb0c4e7f1a3d58fe2",
        "key": "Ed25519 jincheng-2024-1",
        "code": "K7QF-2M9D",
        "test": False,
    } | more


def make_board() -> dict[str, Any]:
    """Twelve units by eight weeks, with every state somewhere."""
    dates = ["12-20", "12-27", "01-03", "01-10", "01-17", "01-24", "02-07", "02-14"]
    periods = [{"label": f"第{at}周", "due": f"{day} 12:00", "now": at == 6} for at, day in enumerate(dates, 1)]
    special: dict[tuple[int, int], dict[str, Any]] = {
        (0, 5): {"state": "submitted"},
        (1, 2): {"state": "accepted", "late_minutes": 23},
        (1, 5): {"state": "returned", "hint": "第5行缺完成时间"},
        (2, 4): {"state": "late", "late_minutes": 80},
        (2, 5): {"state": "draft"},
        (3, 3): {"state": "missing"},
        (3, 4): {"state": "missing"},
        (3, 5): {"state": "due"},
        (4, 0): {"state": "superseded"},
        (5, 5): {"state": "submitted", "late_minutes": 0},
        (6, 1): {"state": "late", "late_minutes": 1630},
        (6, 5): {"state": "due"},
        (8, 5): {"state": "nil"},
        (11, 2): {"state": "missing"},
    }
    rows = []
    for at, unit in enumerate(BOARD_UNITS):
        cells: list[dict[str, Any]] = []
        for week in range(8):
            usual = "accepted" if week < 5 else "due" if week == 5 else "not-due"
            if usual == "accepted" and at >= 8:
                usual = "nil"
            cell = {"state": usual} | special.get((at, week), {})
            cells.append({"href": "" if cell["state"] == "not-due" else "#", "hint": f"{unit} 第{week + 1}周"} | cell)
        rows.append({"unit": unit, "href": "#", "cells": cells, "note": f"{100 - at * 3}%"})
    totals = ["12 / 12", "12 / 12", "11 / 12", "11 / 12", "11 / 12", "4 / 12", "", ""]
    return {"periods": periods, "rows": rows, "totals": totals}


HAZARDS = [
    (
        "晋城某某铸造有限公司",
        "泽州县",
        "机械",
        "企业自查",
        "熔炼炉冷却水出水温度与流量差监测报警装置失效",
        "七(四)",
        "整改中",
        "01-15",
    ),
    (
        "泽州县某某铝业有限公司",
        "泽州县",
        "有色",
        "市县联合检查",
        "深井铸造结晶器冷却水系统未设置压力、流量监测报警",
        "五(六)",
        "逾期",
        "12-20",
    ),
    ("高平市某某纺织有限公司", "高平市", "纺织", "企业自查", "保险粉库未采取防水防潮措施", "九(二)", "已销号", "12-10"),
    (
        "阳城县某某陶瓷有限公司",
        "阳城县",
        "建材",
        "市级交叉检查",
        "预混燃气窑炉燃气总管未设置管道压力监测报警",
        "六(五)",
        "整改中",
        "01-20",
    ),
    (
        "沁水县某某木业有限公司",
        "沁水县",
        "轻工",
        "企业自查",
        "砂光机除尘风管未设置火花探测消除装置",
        "十一(八)",
        "待复查",
        "12-25",
    ),
]


def make_month() -> list[list[dict[str, Any]]]:
    """January 2025 with its Fridays, New Year's Day and the working Sunday before the Spring Festival."""
    due = {
        3: [("周调度表 第3周", "accepted"), ("重大隐患台账 第3周", "accepted")],
        8: [("交叉检查情况", "late")],
        10: [("周调度表 第4周", "returned"), ("重大隐患台账 第4周", "submitted")],
        17: [("周调度表 第5周", "due"), ("重大隐患台账 第5周", "draft")],
        24: [("周调度表 第6周", "not-due")],
        31: [("周调度表 第7周", "not-due")],
    }
    notes = {1: "元旦", 26: "班"} | dict.fromkeys([28, 29, 30, 31], "春节")

    def make_day(day: date) -> dict[str, Any]:
        here = day.month == 1
        items = due.get(day.day, []) if here else []
        return {
            "number": day.day,
            "words": f"{day.month}月{day.day}日 周{'一二三四五六日'[day.weekday()]}",
            "other": not here,
            "off": here and (day.weekday() > 4 or day.day in notes) and day.day != 26,
            "today": here and day.day == 17,
            "note": notes.get(day.day, "") if here else "",
            "items": [{"text": text, "state": state, "href": "#", "hint": text} for text, state in items],
        }

    return [[make_day(day) for day in week] for week in Calendar().monthdatescalendar(2025, 1)]


def render(folder: Path) -> list[str]:
    """Write every page into the folder and return their names."""
    loader = FileSystemLoader([PACKAGE / "templates", HERE / "gallery"])
    templates = environment().overlay(loader=loader)
    city = {"unit_name": "晋城市应急管理局", "user_roles": "审核员、管理员"}
    pages: dict[str, dict[str, Any]] = {
        "desk": page_context("工作台"),
        "board": page_context("报送看板", **city, board=make_board()),
        "ledger": page_context("隐患台账", **city, hazards=HAZARDS),
        "fill": page_context("报表与文件", findings=make_findings()),
        "receipt": page_context(
            "报表与文件", receipt=make_receipt(), trial=make_receipt(test=True, kind="decided", outcome="已接受")
        ),
        "phone": page_context("检查", test=True),
        "macros": page_context(
            "",
            test=True,
            findings=make_findings(),
            weeks=make_month(),
            flashes=[
                {"kind": "success", "text": "已报送，回执 K7QF-2M9D。", "href": "#", "label": "看回执"},
                {"kind": "warning", "text": "本周重大隐患台账尚未报送。"},
                {"kind": "danger", "text": "没有保存：这张表刚被别人改过。"},
                {"kind": "info", "text": "2025年春节假期安排已更新，日程据此重算。"},
            ],
        ),
        "login": CITY | {"node_name": "晋城市应急管理局"},
        "problem": {"node_name": "晋城市应急管理局", "version": "0.1.0", "test": True},
    }
    for name, context in pages.items():
        text = templates.get_template(f"{name}.html").render(context)
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return list(pages)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve the folder, and the assets as the server does, on a port of this machine."""

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            path = path.partition("?")[0]
            root = PACKAGE if path.startswith("/static/") else folder
            return str(root / path.lstrip("/"))

        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", POLICY)
            super().end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def photograph(page: Page, address: str, name: str, folder: Path) -> list[str]:
    """Take the page's pictures, and return what the browser or its width complains about."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{name}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(f"{name}: {error}"))
    for kind, (width, height) in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{address}/{name}.html", wait_until="networkidle")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wider > 0:
            complaints.append(f"{name}: {wider} px wider than the {kind}")
        page.screenshot(path=folder / f"{name}-{kind}.png", full_page=True)
    page.pdf(path=folder / f"{name}.pdf", prefer_css_page_size=True, print_background=False)
    return complaints


def main() -> None:
    """Render, photograph, and fail on any complaint."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="gallery-"))
    folder.mkdir(parents=True, exist_ok=True)
    names = render(folder)
    complaints: list[str] = []
    with serve(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        for name in names:
            page = browser.new_page(locale="zh-CN", timezone_id="Asia/Shanghai")
            complaints += photograph(page, address, name, folder)
            page.close()
        browser.close()
    print(f"{len(names)} pages in {folder}")
    if complaints:
        sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
