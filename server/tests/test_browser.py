"""The pages in a real browser: from the upload to a number of the city that opens down to the county's cell."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gmsafety import Catalog
from gmsafety.duties import BEIJING
from gmsafety.forms import fill, read
from world import CITY, PASSWORD, ZEZHOU, Person, StandingClock

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (requirements/dev.txt)")

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SAMPLE = Path(__file__).parents[2] / "tests" / "samples" / "should_fail" / "rectified_over_found.xlsx"
PERIOD, WEEKLY = "2025-01-10", "shanxi.weekly-dispatch"
SIZES = {"office": (1366, 768), "phone": (390, 844)}

pytestmark = [
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason=f"Chromium is not at {CHROMIUM} (Debian: apt-get install chromium)"
    ),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for all tests of this module."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """Somebody with a window of their own; whatever the browser complains of is kept."""

    def __init__(self, chromium: Any, address: str, person: Person) -> None:
        self.complaints: list[str] = []
        context = chromium.new_context(
            base_url=address, locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1366, "height": 768}
        )
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto("/login")
        self.page.fill("[name=login]", person.login)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url("**/")

    def _hear(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {said.text}")

    def press(self, name: str, *, confirm: str = "", within: str = "main") -> None:
        """Press a button, and in the question that follows the one that confirms; wait for the next page."""
        button = self.page.locator(f"{within} button", has_text=name).first
        if not confirm:
            with self.page.expect_navigation():
                button.click()
            return
        button.click()
        with self.page.expect_navigation():
            self.page.click(f"dialog[open] button:has-text('{confirm}')")

    def words(self, css: str) -> list[str]:
        return [" ".join(t.split()) for t in self.page.locator(css).all_inner_texts()]

    def upload(self, path: Path) -> None:
        self.page.set_input_files("input[name='file.form']", path)
        self.press("上传并核对")

    def fits(self) -> bool:
        """No page is wider than the window, in the office and on a phone."""
        wider = []
        for width, height in SIZES.values():
            self.page.set_viewport_size({"width": width, "height": height})
            wider.append(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
        self.page.set_viewport_size({"width": 1366, "height": 768})
        return not any(wider)


@pytest.fixture
def visitor(chromium: Any, address: str, person: Callable[..., Person]) -> Iterator[Callable[..., Visitor]]:
    """Somebody of a unit at a browser; at the end nobody may have had a complaint."""
    visitors: list[Visitor] = []

    def make(unit: str, *roles: str) -> Visitor:
        visitors.append(Visitor(chromium, address, person(unit, *roles)))
        return visitors[-1]

    yield make
    assert [] == [c for v in visitors for c in v.complaints]
    for one in visitors:
        one.page.context.close()


@pytest.fixture
def mended(catalog: Catalog, tmp_path: Path) -> Path:
    """The sample with the number put right."""
    record = read(SAMPLE, catalog).record
    assert record is not None
    right = replace(record, values={**record.values, "self.general.fixed": 101})
    return fill(right, tmp_path / "泽州县周调度表（更正）.xlsx")


def test_from_the_upload_to_the_cell_of_the_citys_number(
    visitor: Callable[..., Visitor], clock: StandingClock, mended: Path
) -> None:
    clock.set(datetime(2025, 1, 10, 10, 40, tzinfo=BEIJING))
    clerk, city = visitor(ZEZHOU, "clerk"), visitor(CITY, "clerk", "reviewer")

    # The clerk uploads; the finding stands at its cell, and each leads to the other.
    clerk.page.goto(f"/file?item={WEEKLY}&period={PERIOD}")
    slot = clerk.page.url
    assert "距截止" in clerk.words(".countdown")[0]
    assert clerk.fits()
    clerk.upload(SAMPLE)
    first = clerk.page.url
    clerk.page.click(".finding-place a")
    assert ["109", "112"] == clerk.words("td:target .fill")[1:3]
    clerk.page.click("td:target .flag")
    assert "“企业自查自改”已整改112条，多于发现的109条。" in clerk.words(".finding:target")[0]
    assert clerk.fits()

    # It is filed with a reason: receipts.
    clerk.page.fill("[name=reason]", "含上月结转3条")
    clerk.press("附说明报送", confirm="报送")
    assert ["已报送，回执在下面。"] == clerk.words(".flash-words")
    assert 2 == len(clerk.words(".receipt-code-small"))

    # The reviewer returns it with the finding as the reason.
    city.page.goto("/review")
    assert city.fits()
    with city.page.expect_navigation():
        city.page.click("tbody .actions a")
    assert ["含上月结转3条"] == city.words(".card.warn .quote")
    city.page.click("summary:has-text('退回')")
    city.page.check("[name=finding]")
    city.page.fill("[name=note]", "请改后重报")
    city.press("退回", confirm="退回", within="#return")
    assert "已退回" in city.words(".flash-words")[0]
    assert city.fits()

    # The clerk sees it at the cell, and files the second revision.
    clerk.page.goto(first)
    assert 1 == clerk.page.locator("td .flag.is-returned").count()
    assert ["请改后重报"] == clerk.words("#returned .quote")
    with clerk.page.expect_navigation():
        clerk.page.click("text=修改后重报")
    assert slot == clerk.page.url
    clerk.upload(mended)
    clerk.press("报送", confirm="报送", within="form[action$='/submit']")
    second = clerk.page.url
    assert "第 2 行 · 企业自查自改 一般问题隐患整改数 改了 112 101" in clerk.words("#changes tbody tr")

    # The reviewer accepts, and the city rolls up: its number opens down to the county's cell.
    city.page.goto(second)
    city.press("接受", within="#decide")
    assert "已接受" in city.words(".flash-words")[0]
    city.page.goto("/rollups")
    with city.page.expect_navigation():
        city.page.locator("tr", has_text="周调度统计表").filter(has_text="1月10日").locator("button").click()
    assert city.fits()
    number = city.page.locator("a.fill[title='一般问题隐患整改数']").first
    assert "101" == number.inner_text()
    number.click()
    city.page.get_by_text("泽州县周调度表（更正）.xlsx，工作表“周调度统计表”C6单元格").first.wait_for()


def test_a_file_is_dropped_and_refused_in_words(visitor: Callable[..., Visitor], tmp_path: Path) -> None:
    """What cannot be taken is said before it travels; what travels and cannot be read is said with the reason."""
    clerk = visitor(ZEZHOU, "clerk")
    clerk.page.goto(f"/file?item={WEEKLY}&period=2024-12-27")
    picture = tmp_path / "表.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    clerk.page.set_input_files("input[name='file.form']", picture)
    assert "不是可收的文件类型" in clerk.words(".upload-file.bad")[0]
    broken = tmp_path / "表.xlsx"
    broken.write_bytes(SAMPLE.read_bytes()[:3000])
    clerk.upload(broken)
    assert ["文件不能读取，没有收下"] == clerk.words("#refused h2")
    assert "已原样留存备查" in clerk.words("#refused")[0]
    assert clerk.fits()
    clerk.press("零报告", confirm="报送零报告")
    assert ["零报告已报送，回执在下面。"] == clerk.words(".flash-words")


def test_without_a_script(chromium: Any, address: str, person: Callable[..., Person]) -> None:
    """Everything works without JavaScript."""
    clerk = person(ZEZHOU, "clerk")
    page = chromium.new_context(base_url=address, java_script_enabled=False).new_page()
    page.goto("/login")
    page.fill("[name=login]", clerk.login)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.goto(f"/file?item={WEEKLY}&period=2024-12-27")
    page.click("text=零报告")
    assert "零报告已报送" in page.inner_text(".flash-words")
