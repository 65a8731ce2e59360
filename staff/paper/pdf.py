"""Make a PDF of a page, without reading anything else.

Needs no Django, so that a child process that does only this starts fast and stays small.
WeasyPrint keeps memory for each page that it drew (ADR 0006): many calls belong into short-lived
processes.
"""

import contextlib
import io
import logging
from dataclasses import dataclass

# Tagged for screen readers, as ISO 14289-1 requires.
VARIANT = "pdf/ua-1"

# WeasyPrint warns of each letter without a glyph: letters of patients' names, in a log.
logging.getLogger("weasyprint").setLevel(logging.ERROR)


class PdfUnavailable(Exception):
    """WeasyPrint or its system libraries (Pango) are missing."""


@dataclass(frozen=True)
class Pdf:
    """A finished document."""

    body: bytes
    pages: int


def draw(page: str) -> Pdf:
    """Draw a self-contained page of HTML.

    Args:
        page: HTML whose style sheet is a ``data:`` address; any other address is refused, so
            that drawing never touches the network or a file.

    Raises:
        PdfUnavailable: the libraries are missing.
    """
    try:
        # A failed import prints a banner for each sheet; the caller reports it in one sentence.
        with contextlib.redirect_stdout(io.StringIO()):
            from weasyprint import HTML
            from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:  # OSError: a shared library cannot be loaded
        raise PdfUnavailable(str(error)) from error
    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    document = HTML(string=page, url_fetcher=fetcher).render(pdf_variant=VARIANT)
    target = io.BytesIO()
    document.write_pdf(target, pdf_variant=VARIANT)
    return Pdf(body=target.getvalue(), pages=len(document.pages))
