"""Forms as PDF: the same paper, page by page; by typst, else by LibreOffice, else with a word on what is missing."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gmsafety import load_catalog
from gmsafety.cli import main
from gmsafety.forms import fill
from gmsafety.forms.spec import Form
from gmsafety.forms.writing import CannotWrite, pdf, write_list
from gmsafety.forms.writing.listing import Listing
from gmsafety.testing import example_record

CATALOG = load_catalog()
FORMS = list(CATALOG.forms.values())
LEDGER, WEEKLY = CATALOG.form("major-hazard-ledger"), CATALOG.form("weekly-dispatch")
TOWNS = CATALOG.form("resumption-weekly")

Pages = Callable[[Path], list[str]]


@pytest.fixture
def pages() -> Pages:
    """The text of every page, without white space."""
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext is not installed (apt-get install poppler-utils)")

    def read(path: Path) -> list[str]:
        told = subprocess.run([tool, str(path), "-"], check=True, capture_output=True, text=True).stdout
        return ["".join(page.split()) for page in told.split("\f")[:-1]]

    return read


def size(path: Path) -> tuple[float, float]:
    """Width and height of the pages in points."""
    told = subprocess.run(["pdfinfo", str(path)], check=True, capture_output=True, text=True).stdout
    width, height = next(line for line in told.split("\n") if line.startswith("Page size")).split()[2:5:2]
    return float(width), float(height)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.ref)
def test_every_form(form: Form, pages: Pages, tmp_path: Path) -> None:
    """Annex, title, header, headings, what is filled in, notes, signatures, page numbers: all of the paper."""
    path = fill(example_record(form, rows=2), tmp_path / "form.pdf")
    told = pages(path)
    whole = "".join(told)
    width, height = size(path)
    expected = [
        *(form.layout.title or (form.title,)),
        *form.notes,
        *(f.label for f in (*form.header, *form.signatures)),
    ]

    assert [] == [words for words in expected if "".join(words.split()) not in whole]
    assert [f"—{n}—" in page for n, page in enumerate(told, 1)] == [True] * len(told)
    assert (form.layout.orientation == "landscape") == (width > height)
    assert {round(width), round(height)} == ({595, 842} if form.layout.size == "A4" else {842, 1191})


def test_headings_stand_on_every_page(pages: Pages, tmp_path: Path) -> None:
    """A head of several rows with its groups, too."""
    long = pages(fill(example_record(TOWNS, rows=80), tmp_path / "towns.pdf"))

    assert len(long) > 2
    assert all("技术指导服务" in page and "整改率" in page for page in long)


def test_merged_cells_say_it_once(pages: Pages, tmp_path: Path) -> None:
    checklist = CATALOG.form("jincheng.checklist")
    whole = "".join(pages(fill(example_record(checklist), tmp_path / "list.pdf")))
    task = next(c.id for c in checklist.columns if c.id in checklist.merged and c.type == "text")
    first = str(checklist.printed_rows[0][task])

    assert 1 == whole.count("".join(first.split()))


def test_text_is_never_markup(pages: Pages, tmp_path: Path) -> None:
    """What a clerk types is shown as typed, whatever it means to the typesetter."""
    odd = '#panic("x") *a* $b$ \\ @c <d> [e] "f" // g'
    path = write_list(Listing("名单", ("名称",), ((odd,),)), tmp_path / "list.pdf")

    assert "".join(odd.split()) in "".join(pages(path))


def test_the_commands(pages: Pages, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, blank = fill(example_record(WEEKLY), tmp_path / "weekly.xlsx"), tmp_path / "blank.pdf"

    assert 0 == main(["forms", "convert", str(source), str(tmp_path / "weekly.pdf")])
    assert 0 == main(["forms", "blank", WEEKLY.id, "--to", str(blank), "--unit", "某某市应急管理局", "--instructions"])
    assert "17家企业制定了自查自改工作方案" in "".join(pages(tmp_path / "weekly.pdf"))
    assert "某某市应急管理局" in pages(blank)[0]
    assert "各栏怎样填" in "".join(pages(blank)[1:])
    capsys.readouterr()


def test_without_typst_libreoffice_prints(
    pages: Pages, office: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    whole = "".join(pages(fill(example_record(WEEKLY), tmp_path / "weekly.pdf")))

    assert "17家企业制定了自查自改工作方案" in whole
    assert "—1—" in whole


def test_without_either_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotWrite, match=r"gmsafety\[pdf\].*LibreOffice"):
        fill(example_record(WEEKLY), tmp_path / "weekly.pdf")

    assert not (tmp_path / "weekly.pdf").exists()


def test_without_a_chinese_font_it_says_so() -> None:
    with pytest.raises(ValueError, match="没有中文字体"):
        pdf.choose_fonts({"DejaVu Sans", "Libertinus Serif"})
    chosen = pdf.choose_fonts({"Noto Serif CJK SC", "SimHei", "仿宋"})

    assert ["Noto Serif CJK SC", "SimHei", "仿宋"] == [chosen[part][0] for part in ("title", "head", "body")]
