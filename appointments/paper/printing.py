"""Draw many rosters at once, in child processes that are thrown away.

WeasyPrint keeps memory for each page it ever drew (ADR 0006); here the children keep it, and
end after a few sheets. A pool per batch does that: ``max_tasks_per_child`` of one pool waits for
ever on Python 3.11 once its children have done their share (CPython issue 115634).
"""

import datetime as dt
import multiprocessing
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from appointments.models import Roster, RosterState
from appointments.paper import services as service
from appointments.paper.content import RosterContent
from appointments.paper.page import self_contained
from appointments.paper.queries import roster_contents
from staff.paper.pdf import Pdf, PdfUnavailable, draw
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

CHILDREN = 2
# After so many sheets the children are replaced. Not by max_tasks_per_child: up to Python 3.14
# that leaves the executor waiting for ever once all have ended (CPython issue 115634).
SHEETS_PER_POOL = 30


@dataclass(frozen=True)
class Printed:
    """One sheet, ready to be written: the PDF, or the page itself where no PDF can be made."""

    file_name: str
    body: bytes
    pages: int
    rows: int
    why_no_pdf: Stored = ""


def print_units(*, unit_ids: Collection[int], day: dt.date) -> Iterator[Printed]:
    """Issue the sheets of a day for the system and yield each as soon as it is drawn.

    Sheets that are drawn already and say what still holds are read from where they are kept.
    """
    rosters = service.issue_many(unit_ids=unit_ids, day=day, by=None, in_background=False)
    contents = roster_contents(unit_ids=unit_ids, day=day)
    sheets = [(roster, contents[roster.unit_id].numbered(roster.version)) for roster in rosters]
    for start in range(0, len(sheets), SHEETS_PER_POOL):
        few = sheets[start : start + SHEETS_PER_POOL]
        with ProcessPoolExecutor(CHILDREN, mp_context=multiprocessing.get_context("spawn")) as pool:
            drawings = [_begin(pool, roster, content) for roster, content in few]
            for (roster, content), drawing in zip(few, drawings, strict=True):
                yield _printed(roster, content, drawing)


def _begin(pool: ProcessPoolExecutor, roster: Roster, content: RosterContent) -> Future[Pdf] | None:
    """Have a sheet drawn; None when its file is there."""
    if roster.state == RosterState.READY:
        return None
    return pool.submit(draw, self_contained(content))


def _printed(roster: Roster, content: RosterContent, drawing: Future[Pdf] | None) -> Printed:
    stem, rows = content.file_stem, len(content.rows)
    if drawing is None:
        with roster.file.open("rb") as file:
            return Printed(f"{stem}.pdf", file.read(), roster.pages, rows)
    try:
        pdf = drawing.result()
    except PdfUnavailable:
        why = service.pdf_is_missing()
    except Exception:  # a child that died, or a page that the library stumbles over
        why = _("Une feuille n'a pas pu être mise en PDF.")
    else:
        service.keep(roster=roster, content=content, pdf=pdf)
        return Printed(f"{stem}.pdf", pdf.body, pdf.pages, rows)
    service.fail(roster=roster, message=why)
    return Printed(f"{stem}.html", self_contained(content).encode(), 0, rows, why)
