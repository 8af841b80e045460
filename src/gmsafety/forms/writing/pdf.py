"""Paper as PDF: set by typst, which comes as a wheel (`gmsafety[pdf]`); else LibreOffice prints our Word file."""

import json
import shutil
import subprocess
from importlib.resources import files
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..types.dates import chinese_date
from .paper import BODY_FONT, FALLBACKS, HEAD_FONT, LINE_FONT, MARGINS, TITLE_FONT, Paper, is_day

_FONTS = {"title": TITLE_FONT, "head": HEAD_FONT, "body": BODY_FONT, "line": LINE_FONT}
_SERIF = ("Source Han Serif SC", "Noto Serif CJK SC", "Noto Serif SC", "Songti SC", "STSong")
_SANS = ("Source Han Sans SC", "Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "Heiti SC")
_LAST = ("Noto Sans CJK JP", "AR PL UMing CN", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback")
_PATIENCE = 180


def write_pdf(paper: Paper, to: Path) -> None:
    """Write the PDF; ValueError with a word on what to install where nothing here can."""
    try:
        import typst  # noqa: PLC0415 - an extra, which need not be there
    except ImportError:
        _by_office(paper, to)
        return
    known = typst.Fonts()
    fonts = choose_fonts(set(known.families()))
    template = files(__package__).joinpath("paper.typ").read_bytes()
    told = json.dumps(_told(paper, fonts), ensure_ascii=False)
    to.write_bytes(typst.compile(template, sys_inputs={"paper": told}, font_paths=known))


def choose_fonts(known: set[str]) -> dict[str, list[str]]:
    """The fonts to use for each part, those first that the standard names; ValueError where none has Chinese."""
    found = {}
    for part, name in _FONTS.items():
        others = (*_SANS, *_SERIF) if part == "head" else (*_SERIF, *_SANS)
        found[part] = [f for f in (name, *FALLBACKS[name], *others, *_LAST) if f in known]
        if not found[part]:
            raise ValueError("本机没有中文字体，不能生成PDF；请安装宋体或思源宋体（Noto Serif CJK SC）等字体后重试")
    return found


def _told(paper: Paper, fonts: dict[str, list[str]]) -> dict[str, Any]:
    """What the template is told."""
    layout = paper.layout
    rows = paper.rows if paper.totals is None else chain(paper.rows, [list(paper.totals)])
    return {
        "fonts": fonts,
        "size": layout.size.lower(),
        "landscape": layout.orientation == "landscape",
        "margins": MARGINS[layout.orientation],
        "font_size": layout.font_size,
        "annex": layout.annex,
        "title": paper.title,
        "header": [f"{label}：{value}" for label, value in paper.header],
        "widths": paper.widths,
        "head": [
            {"text": c.text, "x": c.left, "y": c.top, "colspan": c.right - c.left + 1, "rowspan": c.bottom - c.top + 1}
            for c in paper.cells_of_head
        ],
        "cells": _cells(paper, list(rows)),
        "notes": paper.notes,
        "signatures": paper.signatures,
        "guide": [{"about": line.about, "says": line.says} for line in paper.guide],
    }


def _cells(paper: Paper, rows: list[list[Any]]) -> list[dict[str, Any]]:
    heights = {(first, col): last - first + 1 for col, first, last in paper.spans}
    under = {(row, col) for col, first, last in paper.spans for row in range(first + 1, last + 1)}
    return [
        {
            "text": _text(value),
            "x": col,
            "y": number,
            "rowspan": heights.get((number, col), 1),
            "centred": paper.centred[col],
        }
        for number, row in enumerate(rows)
        for col, value in enumerate(row)
        if (number, col) not in under
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return chinese_date(value) if is_day(value) else str(value)


def _by_office(paper: Paper, to: Path) -> None:
    """Have LibreOffice print the Word file."""
    from .wordfile import write_wordfile  # noqa: PLC0415 - only where it is needed

    office = shutil.which("soffice")
    if office is None:
        raise ValueError("生成PDF需要 typst（pip install 'gmsafety[pdf]'）或 LibreOffice，本机都没有")
    with TemporaryDirectory() as folder:
        source = Path(folder) / "form.docx"
        write_wordfile(paper, source)
        profile = f"-env:UserInstallation={(Path(folder) / 'profile').as_uri()}"
        command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE)
            to.write_bytes(source.with_suffix(".pdf").read_bytes())
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError("LibreOffice 未能生成PDF；请改用 pip install 'gmsafety[pdf]'") from error
