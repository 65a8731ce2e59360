"""Put rosters on paper under a version, and draw them in the background."""

import datetime as dt
import logging
import multiprocessing
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from celery import current_app
from django.core.files.base import ContentFile
from django.db import transaction
from kombu.exceptions import OperationalError

from appointments.models import Roster, RosterState
from appointments.paper.content import RosterContent
from appointments.paper.queries import latest_rosters, printable_units, roster_contents
from appointments.paper.words import self_contained
from staff import clock
from staff.access import Capability, require
from staff.errors import AccessRefused
from staff.models import Unit, User
from staff.paper.pdf import Pdf, PdfUnavailable, draw
from staff.sentences import Stored
from staff.sentences import gettext_stored as _
from staff.services import audit

logger = logging.getLogger(__name__)

# Of a machine without the libraries of WeasyPrint.
PDF_IS_MISSING = _(
    "Cette machine ne peut pas faire de PDF (la bibliothèque Pango manque). "
    "Imprimez la page depuis le navigateur."
)
# The task of a roster that has waited longer was probably lost.
TASK = "appointments.tasks.render_roster"
FORGOTTEN_AFTER = dt.timedelta(seconds=20)
CHILDREN = 2
# After so many sheets the children are replaced. Not by max_tasks_per_child: up to Python 3.14
# that leaves the executor waiting for ever once all have ended (CPython issue 115634).
SHEETS_PER_POOL = 30


@transaction.atomic
def issue_many(
    *, unit_ids: Collection[int], day: dt.date, by: User | None, in_background: bool = True
) -> list[Roster]:
    """Give each unit's sheet its version, and have drawn what is not drawn yet.

    Unchanged content keeps its version, whoever asks and however often; changed content gets
    the next one. A sheet that is still waiting is not printed yet, so it keeps its number and
    takes up the change when it is drawn.

    Args:
        unit_ids: units, all inside what ``by`` may print.
        day: the day in Europe/Brussels.
        by: who asks; None for the system.
        in_background: whether Celery draws them; else the caller does.

    Returns:
        The latest version of each unit, in the order of site and unit.

    Raises:
        AccessRefused: a unit lies outside what ``by`` may print.
    """
    _require_units(unit_ids, by)
    # Two clerks wait for each other: the second finds the version of the first. The unique key on
    # (unit, day, version) stands behind this lock.
    list(Unit.objects.select_for_update(no_key=True).filter(id__in=unit_ids).order_by("id"))
    latest = latest_rosters(unit_ids, day)
    rosters, fresh = [], {}
    for unit_id, content in roster_contents(unit_ids=unit_ids, day=day).items():
        roster = latest.get(unit_id)
        is_printed = roster is not None and roster.state != RosterState.WAITING
        if roster is None or (is_printed and roster.content_digest != content.content_digest):
            roster = fresh[content.unit_code] = _next_version(content, after=roster, by=by)
        rosters.append(roster)
    Roster.objects.bulk_create(fresh.values())
    failed = [roster for roster in rosters if roster.state == RosterState.FAILED]
    for roster in failed:
        roster.state, roster.message = RosterState.WAITING, ""
    again = Roster.objects.filter(pk__in=[roster.pk for roster in failed])
    again.update(state=RosterState.WAITING, message="")
    if in_background:
        waiting = [roster.pk for roster in rosters if roster.state == RosterState.WAITING]
        transaction.on_commit(lambda: enqueue(waiting))
    if fresh:
        versions = {code: roster.version for code, roster in fresh.items()}
        audit.record(action="roster.issued", by=by, day=day, versions=versions)
    return rosters


def content_of(roster: Roster) -> RosterContent:
    """Return what holds now for the unit and day of a roster, under its version."""
    contents = roster_contents(unit_ids=[roster.unit_id], day=roster.day)
    return contents[roster.unit_id].numbered(roster.version)


def render(*, roster_id: int) -> None:
    """Draw one waiting roster and keep the file; does nothing when that is done already.

    Runs without a transaction while it draws: on SQLite that would keep every writer waiting.
    """
    roster = Roster.objects.select_related("unit__site").get(id=roster_id)
    if roster.state != RosterState.WAITING:
        return
    content = content_of(roster)
    try:
        pdf = draw(self_contained(content))
    except PdfUnavailable as error:
        logger.warning("no PDF: %s", error)
        fail(roster=roster, message=PDF_IS_MISSING)
    except Exception:  # whatever the paper's library stumbles over, the ward gets its page
        logger.exception("roster %s cannot be drawn", roster_id)
        fail(
            roster=roster,
            message=_("Le PDF n'a pas pu être créé. Imprimez la page depuis le navigateur."),
        )
    else:
        keep(roster=roster, content=content, pdf=pdf)


def keep(*, roster: Roster, content: RosterContent, pdf: Pdf) -> bool:
    """Store a drawn roster, with the digests of what was really drawn.

    Returns:
        Whether it was still waiting; of two workers that drew the same one, the first wins.
    """
    name = Roster.file.field.generate_filename(roster, f"{content.file_stem}.pdf")
    stored = roster.file.storage.save(name, ContentFile(pdf.body))
    with transaction.atomic():
        won = Roster.objects.filter(pk=roster.pk, state=RosterState.WAITING).update(
            state=RosterState.READY,
            file=stored,
            pages=pdf.pages,
            content_digest=content.content_digest,
            plan_digest=content.plan_digest,
        )
        if won:
            audit.record(action="roster.drawn", by=None, subject=roster, pages=pdf.pages)
    if not won:
        roster.file.storage.delete(stored)
    return bool(won)


def fail(*, roster: Roster, message: Stored) -> None:
    """State why a waiting roster has no PDF."""
    Roster.objects.filter(pk=roster.pk, state=RosterState.WAITING).update(
        state=RosterState.FAILED, message=message
    )


def enqueue(roster_ids: Collection[int]) -> None:
    """Send a drawing task for each roster; without a broker the sweep finds them later."""
    try:
        for roster_id in roster_ids:
            current_app.send_task(TASK, args=[roster_id], retry=False)
    except (OperationalError, OSError) as error:  # the database remembers
        logger.warning("no broker for rosters, the sweep will find them: %s", error)


def sweep() -> int:
    """Send the tasks again of rosters that wait too long; return how many."""
    limit = clock.now() - FORGOTTEN_AFTER
    waiting = Roster.objects.filter(state=RosterState.WAITING, made_at__lt=limit)
    forgotten = list(waiting.order_by("id").values_list("id", flat=True)[:200])
    enqueue(forgotten)
    return len(forgotten)


def _require_units(unit_ids: Collection[int], by: User | None) -> None:
    if by is None:
        return
    require(by, Capability.PRINT_ROSTERS)
    allowed = printable_units(by).filter(id__in=unit_ids).count()
    if allowed != len(set(unit_ids)):
        raise AccessRefused(_("Une de ces unités n'est pas la vôtre : sa feuille reste chez elle."))


def _next_version(content: RosterContent, *, after: Roster | None, by: User | None) -> Roster:
    return Roster(
        unit_id=content.unit_id,
        day=content.day,
        version=after.version + 1 if after else 1,
        content_digest=content.content_digest,
        plan_digest=content.plan_digest,
        made_at=clock.now(),
        made_by=by,
    )


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
    rosters = issue_many(unit_ids=unit_ids, day=day, by=None, in_background=False)
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
        why = PDF_IS_MISSING
    except Exception:  # a child that died, or a page that the library stumbles over
        why = _("Une feuille n'a pas pu être mise en PDF.")
    else:
        keep(roster=roster, content=content, pdf=pdf)
        return Printed(f"{stem}.pdf", pdf.body, pdf.pages, rows)
    fail(roster=roster, message=why)
    return Printed(f"{stem}.html", self_contained(content).encode(), 0, rows, why)
