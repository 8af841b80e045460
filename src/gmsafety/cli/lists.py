"""How a list is given out: as a table on the screen, as JSON, and on paper (`--to FILE.xlsx|.docx`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import console, print_json, print_table
from .target import may_write

if TYPE_CHECKING:
    from ..campaigns import Campaign
    from ..catalog import Catalog
    from ..forms.writing import Listing
    from ..provenance import Citation, Document

ToPaper = Annotated[Path | None, typer.Option("--to", help="写成可打印的表（.xlsx 或 .docx）")]


def give_out(
    listing: "Listing", data: Sequence[Any], *, json: bool, to: Path | None, beside: Path | None = None
) -> None:
    """Print a list, or write it to a file, or both as JSON and to a file; never over the file read `beside` it."""
    put_on_paper(listing, to, beside, quiet=json)
    if json:
        print_json(data)
    elif to is None:
        print_table(listing.title, listing.headings, listing.rows)
        for note in listing.notes:
            console().print(note, markup=False)


def put_on_paper(listing: "Listing", to: Path | None, beside: Path | None = None, *, quiet: bool = False) -> None:
    """Write a list to a file, where one was named, and say so."""
    from ..forms.writing import write_list

    if to is not None:
        may_write(to, beside)
        write_list(listing, to)
        if not quiet:
            console().print(f"已写入：{to}", markup=False)


class Sources:
    """The documents that a list rests on, numbered in the order in which its rows cite them."""

    def __init__(self, catalog: "Catalog") -> None:
        self.catalog = catalog
        self.numbers: dict[str, int] = {}

    def cite(self, citation: "Citation", campaign: "Campaign") -> str:
        """The clause after the number of its document, 〔1〕四（三）; an interpretation of ours says that it is one."""
        return self.clause(citation, campaign.document, campaign.plugin)

    def clause(self, citation: "Citation", document: str | None, plugin: str) -> str:
        """The same for what belongs to no campaign."""
        name = citation.document or document or ""
        known = self.catalog.documents.get(f"{plugin}.{name}") or self.catalog.documents.get(name)
        number = self.numbers.setdefault(_printed(known) if known else name, len(self.numbers) + 1)
        return f"〔{number}〕{citation.clause}{'（解读）' if citation.reading else ''}"

    @property
    def notes(self) -> tuple[str, ...]:
        """The documents, as notes below the list."""
        told = [f"〔{number}〕{document}" for document, number in self.numbers.items()]
        return ("依据：" + "；".join(told) + "。",) if told else ()


def _printed(document: "Document") -> str:
    return f"《{document.title}》" + (f"（{document.number}）" if document.number else "")


def counted(rows: Sequence[object], unit: str = "项") -> tuple[str, str]:
    """How much there is, for the line above a list."""
    return "共", f"{len(rows)}{unit}"
