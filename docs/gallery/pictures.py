"""`make gallery`: every registered form, blank and filled, as Excel and as Word, printed by LibreOffice into pictures.

What stands in the filled ones is in `filled.yaml` and invented. `docs/gallery.md` is written anew.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from gmsafety import Catalog, load_catalog
from gmsafety.forms import blank, fill
from gmsafety.forms.record import Record
from gmsafety.forms.schema import from_json
from gmsafety.forms.spec import Form

HERE = Path(__file__).parent
PAGE = HERE.parent / "gallery.md"
FILLED = HERE / "filled.yaml"
DOTS_PER_INCH = 80
COLOURS = 16
LARGEST = 100_000
SYSTEM_FONTS = "/etc/fonts/fonts.conf"
SHOWN_AS = {
    "方正小标宋简体": "Noto Serif CJK SC",
    "黑体": "Noto Sans CJK SC",
    "仿宋_GB2312": "Noto Serif CJK SC",
    "楷体_GB2312": "Noto Serif CJK SC",
    "宋体": "Noto Serif CJK SC",
    "Calibri": "Noto Serif CJK SC",
}
UNNAMED = ("宋体", "Calibri")
"""Fonts that decide how wide a column of Excel is, and show no text."""
INTRODUCTION = """# Gallery

Every form of the installed regions, blank and filled, in Excel and in Word.
A checklist that its notice prints with rows out of place is shown in both groupings.
The filled ones are [invented](gallery/filled.yaml); `make gallery` prints all of them anew with LibreOffice.

The forms name the fonts of GB/T 9704:
方正小标宋简体 for the title, 黑体 for headings, 仿宋_GB2312 for the text, 楷体_GB2312 for the header line.
They are licensed and not part of gmsafety; where they are not installed, the office suite takes another.
These pictures show {fonts}.
"""


@dataclass(frozen=True)
class Look:
    """One form in one grouping: what its pictures are called, and what is in them."""

    name: str
    words: str
    form: Form
    record: Record


def looks(catalog: Catalog) -> Iterator[Look]:
    """Every form; a checklist whose printed grouping is not the meant one in both."""
    told = yaml.safe_load(FILLED.read_text("utf-8"))
    for form in catalog.forms.values():
        checklist = catalog.checklists.get(form.ref)
        record = _record(form, told[form.ref])
        if checklist is None or checklist.as_printed == checklist.form:
            yield Look(form.ref, "", form, record)
            continue
        yield Look(form.ref, "in the grouping that is meant", form, record)
        printed = checklist.as_printed
        yield Look(
            f"{form.ref}-printed", "in the grouping that the notice prints", printed, _regrouped(printed, record)
        )


def _record(form: Form, told: dict[str, Any]) -> Record:
    """The record of a form; the rows of a checklist are those that are printed, with the answers."""
    if form.fixed:
        others, answers = told.get("others", {}), told["rows"]
        rows = [{**row, **others, **answers.get(n, {})} for n, row in enumerate(form.printed_rows, 1)]
        told = {**told, "rows": rows}
    return from_json(told, form)


def _regrouped(form: Form, record: Record) -> Record:
    """The same answers in another grouping of the questions."""
    filled = {row["ask"]: row for row in record.rows}
    open_ = [c.id for c in form.columns if c.id not in form.fixed]
    none = {"answer": "不涉及"}
    rows = [{**row, **{c: filled.get(row.get("ask"), none).get(c) for c in open_}} for row in form.printed_rows]
    return Record(form, record.header, rows=type(record.rows).of(rows, form), signatures=record.signatures)


def files(look: Look, folder: Path) -> Iterator[Path]:
    """Write the four files of a form."""
    for suffix in ("xlsx", "docx"):
        (folder / suffix).mkdir(exist_ok=True)
        yield blank(look.form, folder / suffix / f"{look.name}-blank.{suffix}")
        yield fill(look.record, folder / suffix / f"{look.name}-filled.{suffix}")


def printed(written: list[Path], folder: Path) -> Iterator[tuple[str, Path]]:
    """Have LibreOffice print the files, one call for each format: the name of a picture, and its PDF."""
    office = shutil.which("soffice")
    if office is None:
        raise SystemExit("LibreOffice is not installed (apt-get install libreoffice-calc libreoffice-writer)")
    for suffix in ("xlsx", "docx"):
        of_this = [path for path in written if path.suffix == f".{suffix}"]
        to = folder / f"{suffix}-pdf"
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(to), *map(str, of_this)]
        fonts = {**os.environ, "FONTCONFIG_FILE": str(_font_choice(folder))}
        subprocess.run(command, check=True, capture_output=True, timeout=600, env=fonts)
        for path in of_this:
            yield f"{path.stem}-{suffix}", to / f"{path.stem}.pdf"


def _font_choice(folder: Path) -> Path:
    """Say which fonts stand for the licensed ones, so that the pictures are the same on every machine."""
    named = "".join(
        f'<match><test name="family"><string>{name}</string></test>'
        f'<edit name="family" mode="assign" binding="strong"><string>{other}</string></edit></match>'
        for name, other in SHOWN_AS.items()
    )
    to = folder / "fonts.conf"
    to.write_text(f'<fontconfig><include ignore_missing="yes">{SYSTEM_FONTS}</include>{named}</fontconfig>', "utf-8")
    return to


def pictures(pdf: Path, name: str) -> None:
    """Draw every page of a PDF as a small picture."""
    import pypdfium2  # noqa: PLC0415 - `make gallery` brings it, the tests need it not
    from PIL import Image  # noqa: PLC0415 - as above

    document = pypdfium2.PdfDocument(pdf)
    for number, sheet in enumerate(document, 1):
        picture = sheet.render(scale=DOTS_PER_INCH / 72).to_pil().convert("RGB")
        small = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        to = HERE / f"{name}-{number}.png"
        small.save(to, optimize=True)
        if to.stat().st_size > LARGEST:
            raise SystemExit(f"{to.name} has {to.stat().st_size} bytes")


def page(catalog: Catalog) -> str:
    """The page that shows the pictures which are there."""
    shown_as = "、".join(f"{other} for {name}" for name, other in SHOWN_AS.items() if name not in UNNAMED)
    lines = [INTRODUCTION.format(fonts=shown_as)]
    shown = ""
    for look in looks(catalog):
        if shown != look.form.ref:
            lines += [f"## {look.form.title}", "", f"`{look.form.ref}`, {_source(look.form, catalog)}", ""]
        shown = look.form.ref
        lines += [f"{look.words[:1].upper()}{look.words[1:]}:", ""] if look.words else []
        for state in ("blank", "filled"):
            for suffix, program in (("xlsx", "Excel"), ("docx", "Word")):
                drawn = sorted(
                    HERE.glob(f"{look.name}-{state}-{suffix}-*.png"), key=lambda p: int(p.stem.rpartition("-")[2])
                )
                title = f"{look.form.title}, {state}, {program}"
                lines += [f"{state.capitalize()}, {program}:", ""]
                lines += [f"![{title}, page {n}](gallery/{path.name})" for n, path in enumerate(drawn, 1)]
                lines.append("")
    return "\n".join(lines)


def _source(form: Form, catalog: Catalog) -> str:
    document = catalog.documents.get(form.source.document) or catalog.documents[f"{form.plugin}.{form.source.document}"]
    return f"{document.number or ''}《{document.title}》{form.source.clause or ''}"


def main() -> None:
    """Draw everything anew."""
    catalog = load_catalog()
    for old in HERE.glob("*.png"):
        old.unlink()
    with TemporaryDirectory() as name:
        folder = Path(name)
        written = [path for look in looks(catalog) for path in files(look, folder)]
        for picture, pdf in printed(written, folder):
            pictures(pdf, picture)
    PAGE.write_text(page(catalog), "utf-8")
    drawn = list(HERE.glob("*.png"))
    print(f"{len(drawn)} pictures, {sum(p.stat().st_size for p in drawn) / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
