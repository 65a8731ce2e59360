"""Uploaded files: checked, corrected, confirmed, and loaded in the background.

A load waits in the database. One worker claims it with a compare-and-swap; another takes it over
when the lease of that worker is over. The broker only starts a worker.
"""

import datetime as dt
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.db import DatabaseError, transaction
from django.db.models import Q

from appointments.feeds.files.limits import LARGEST_FILE
from appointments.feeds.files.schedule_file import open_schedule
from appointments.feeds.importing.results import (
    Terms,
    Unanswered,
    about_older,
    about_unused,
    codes_of,
)
from appointments.feeds.importing.services import (
    check_exported_at,
    check_source_name,
    evidence_of,
    sha256_of,
    take_in,
    was_loaded_before,
)
from appointments.feeds.records import Declared, export_moment
from appointments.models import AgeFrom, AgeRule, Extent, Feed, ImportState, ScheduleImport
from notifications.sending import switch
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _
from staff.services import audit

DEFAULT_SOURCE = "agenda"
_NOT_CHECKED = _("Ce fichier n'est pas vérifié : déposez-le à nouveau.")
TASK = "appointments.tasks.run_waiting_imports"
LEASE = dt.timedelta(minutes=10)  # a dry run renews it every few hundred rows
UNCONFIRMED_FOR = dt.timedelta(days=3)
_DONE = (ImportState.LOADED, ImportState.UNREADABLE, ImportState.ABANDONED)
logger = logging.getLogger(__name__)


@transaction.atomic
def receive(
    *, upload: "File[Any]", feed_name: str, by: User, file_date: dt.datetime | None = None
) -> ScheduleImport:
    """Store an uploaded file and have it checked; nothing of the schedule is written yet.

    Args:
        upload: the file.
        feed_name: the source.
        by: who gives it.
        file_date: when it was written, by the browser's word, on the real clock.

    Raises:
        Refusal: empty, too large, or the name of the source is unusable.
    """
    check_source_name(feed_name)
    if not upload.size:
        raise Refusal(_("Le fichier est vide (0 octet) : refaites l'export."), field="file")
    if upload.size > LARGEST_FILE:
        limit = LARGEST_FILE // 1024 // 1024
        why = _("Le fichier dépasse %(limit)s Mo : exportez moins de jours à la fois.")
        raise Refusal(why % {"limit": limit}, field="file")
    schedule_import = ScheduleImport(
        feed=Feed.objects.get_or_create(name=feed_name)[0],
        file_name=Path(upload.name or "").name[:200],
        file_date=file_date and clock.of_host(file_date),
        is_dry_run=True,
        started_at=clock.now(),
        started_by=by,
    )
    # The stored name says nothing of the file and cannot be guessed.
    schedule_import.stored_file.save(f"{uuid4().hex}.upload", upload, save=False)
    try:
        schedule_import.file_digest = sha256_of(Path(schedule_import.stored_file.path))
        schedule_import.save()
        audit.record(
            action="schedule.received",
            by=by,
            subject=schedule_import,
            feed=feed_name,
            file_sha256=schedule_import.file_digest,
        )
    except Exception:
        schedule_import.stored_file.delete(save=False)  # nothing would ever find it again
        raise
    switch.ring(TASK)
    return schedule_import


@dataclass(frozen=True)
class FileTerms:
    """What a person says of a checked file: when it was made, and what it is complete for."""

    exported_at: dt.datetime | None
    declared: Declared


@transaction.atomic
def correct(*, schedule_import_id: int, said: FileTerms, by: User) -> bool:
    """Keep what a person says of a checked file; where it changes anything, check it again.

    Returns:
        whether it is checked again.

    Raises:
        Refusal: it was not checked, or the moment is still to come.
    """
    check_exported_at(said.exported_at)
    schedule_import = ScheduleImport.objects.select_for_update().get(pk=schedule_import_id)
    if schedule_import.state != ImportState.CHECKED:
        raise Refusal(_NOT_CHECKED)
    declared = said.declared
    if (schedule_import.exported_at, _declared(schedule_import)) == (said.exported_at, declared):
        return False
    if said.exported_at != schedule_import.exported_at:
        schedule_import.exported_at = said.exported_at
        schedule_import.age_from = AgeFrom.PERSON if said.exported_at else ""
    schedule_import.complete_for = declared.extent
    schedule_import.first_day, schedule_import.last_day = declared.first_day, declared.last_day
    schedule_import.complete_units = sorted(declared.unit_ids)
    _check_again(schedule_import)
    audit.record(
        action="schedule.corrected",
        by=by,
        subject=schedule_import,
        exported_at=said.exported_at,
        complete_for=declared.extent,
        complete_units=codes_of(declared),
    )
    return True


def _check_again(schedule_import: ScheduleImport) -> None:
    schedule_import.is_dry_run = True
    schedule_import.state = ImportState.WAITING
    schedule_import.rows_done = 0
    schedule_import.save()
    switch.ring(TASK)


@transaction.atomic
def confirm(
    *,
    schedule_import_id: int,
    by: User,
    accepts_older: bool = False,
    accepts_disappeared: bool = False,
) -> ScheduleImport:
    """Have a checked file loaded for good; asking twice loads it once.

    Args:
        schedule_import_id: which.
        by: who answers for it.
        accepts_older: it may undo what a newer file said.
        accepts_disappeared: much of a site and day may have disappeared.

    Raises:
        Refusal: it was not checked, its file is gone, or one of the two is not accepted.
    """
    schedule_import = ScheduleImport.objects.select_for_update().get(pk=schedule_import_id)
    is_confirmed = not schedule_import.is_dry_run and schedule_import.state in {
        ImportState.WAITING,
        ImportState.RUNNING,
        ImportState.LOADED,
    }
    if is_confirmed:
        return schedule_import
    if schedule_import.state != ImportState.CHECKED:
        raise Refusal(_NOT_CHECKED)
    schedule_import.accepts_older = accepts_older
    schedule_import.accepts_disappeared = accepts_disappeared
    if schedule_import.rows_undone and not accepts_older:
        raise Refusal(about_older(schedule_import.rows_undone), field="accepts_older")
    if schedule_import.too_many_missing and not accepts_disappeared:
        raise Refusal(joined(schedule_import.too_many_missing), field="accepts_disappeared")
    schedule_import.is_dry_run = False
    schedule_import.state = ImportState.WAITING
    schedule_import.rows_done = 0
    schedule_import.started_by = by
    schedule_import.save()
    audit.record(
        action="schedule.confirmed",
        by=by,
        subject=schedule_import,
        accepts_older=accepts_older,
        accepts_disappeared=accepts_disappeared,
    )
    switch.ring(TASK)
    return schedule_import


def run_waiting() -> int:
    """Do every load that waits, or whose lease is over; return how many were done."""
    done = 0
    while (claimed := _claim()) is not None:
        _run(claimed)
        done += 1
    return done


def sweep() -> None:
    """Do what waits, give up what nobody confirmed, and delete files no longer needed."""
    run_waiting()
    ScheduleImport.objects.filter(
        state=ImportState.CHECKED, finished_at__lt=clock.now() - UNCONFIRMED_FOR
    ).update(state=ImportState.ABANDONED)
    for finished in ScheduleImport.objects.filter(state__in=_DONE).exclude(stored_file=""):
        _forget_file(finished)


def _claim() -> ScheduleImport | None:
    """Take the oldest load that nobody works on; None when there is none."""
    now = clock.real()  # the real clock: a lease measures time, a drill does not stop it
    # What was claimed in the future was claimed before the clock was set back.
    is_over = Q(claimed_at__lt=now - LEASE) | Q(claimed_at__gt=now + LEASE)
    free = Q(state=ImportState.WAITING) | Q(is_over, state=ImportState.RUNNING)
    for pk in ScheduleImport.objects.filter(free).order_by("id").values_list("pk", flat=True):
        taken = ScheduleImport.objects.filter(free, pk=pk).update(
            state=ImportState.RUNNING, claimed_at=now
        )
        if taken:
            return ScheduleImport.objects.select_related("feed", "started_by").get(pk=pk)
    return None


def _run(schedule_import: ScheduleImport) -> None:
    try:
        if schedule_import.is_dry_run:
            _check(schedule_import)
        else:
            _load(schedule_import)
    except Unanswered:
        # Since it was checked, a newer file came in: somebody looks again.
        _check_again(ScheduleImport.objects.get(pk=schedule_import.pk))
    except Refusal as refusal:
        _give_up(schedule_import, refusal.sentence)
    except DatabaseError:
        raise  # the file is not to blame: the sweep tries again when the lease is over
    except Exception:
        logger.exception("schedule import %s failed", schedule_import.pk)
        _give_up(
            schedule_import,
            _("Erreur inattendue à la lecture : rien n'a été chargé. Prévenez l'informatique."),
        )


def _check(schedule_import: ScheduleImport) -> None:
    path = Path(schedule_import.stored_file.path)
    file = open_schedule(path)
    schedule_import.message = about_unused(file.unused)
    is_first_reading = not schedule_import.complete_for
    if is_first_reading:
        evidence = evidence_of(
            file, path, file_name=schedule_import.file_name, file_date=schedule_import.file_date
        )
        found = export_moment(evidence, now=clock.now(), rule=AgeRule.FILE_DATE)
        schedule_import.exported_at, schedule_import.age_from = found.at, found.found_in

    def keep_progress(rows: int, expected: int) -> None:
        ScheduleImport.objects.filter(pk=schedule_import.pk).update(
            rows_done=rows, rows_total=max(rows, expected), claimed_at=clock.real()
        )

    take_in(
        file,
        schedule_import.feed.name,
        replace(_terms(schedule_import), proposes=is_first_reading),
        progress=keep_progress,
        kept_in=schedule_import,
        dry_run=True,
    )


def _terms(schedule_import: ScheduleImport) -> Terms:
    """Return what was said of a file and accepted of its effect."""
    return Terms(
        exported_at=schedule_import.exported_at,
        age_from=schedule_import.age_from,
        declared=_declared(schedule_import),
        accepts_older=schedule_import.accepts_older,
        accepts_disappeared=schedule_import.accepts_disappeared,
        shown=frozenset(schedule_import.disappeared_rows.values_list("appointment_id", flat=True)),
        was_loaded_before=was_loaded_before(schedule_import.feed, schedule_import.file_digest),
    )


def _declared(schedule_import: ScheduleImport) -> Declared | None:
    """Return what somebody said that a file is complete for; None while nobody did."""
    if not schedule_import.complete_for:
        return None
    return Declared(
        Extent(schedule_import.complete_for),
        schedule_import.first_day,
        schedule_import.last_day,
        frozenset(schedule_import.complete_units),
    )


@transaction.atomic
def _load(schedule_import: ScheduleImport) -> None:
    lock_rulings(shared=False)
    # Another worker may have taken over from this one and be done already.
    is_ours = (
        ScheduleImport.objects.select_for_update()
        .filter(
            pk=schedule_import.pk,
            state=ImportState.RUNNING,
            claimed_at=schedule_import.claimed_at,
        )
        .exists()
    )
    if not is_ours:
        return
    file = open_schedule(Path(schedule_import.stored_file.path))
    take_in(
        file,
        schedule_import.feed.name,
        _terms(schedule_import),
        kept_in=schedule_import,
        by=schedule_import.started_by,
    )
    transaction.on_commit(lambda: _forget_file(schedule_import))


def _give_up(schedule_import: ScheduleImport, message: Stored) -> None:
    ScheduleImport.objects.filter(pk=schedule_import.pk).update(
        state=ImportState.UNREADABLE, message=message, finished_at=clock.now()
    )
    _forget_file(schedule_import)


def _forget_file(schedule_import: ScheduleImport) -> None:
    """Delete the stored file: it holds patient data; digest and counts stay."""
    if schedule_import.stored_file:
        schedule_import.stored_file.delete(save=False)
    ScheduleImport.objects.filter(pk=schedule_import.pk).update(stored_file="")


@transaction.atomic
def set_source(*, feed_name: str, age_rule: str, complete_for: str, by: User) -> None:
    """Keep what holds for every file of a source when nobody says otherwise."""
    feed = Feed.objects.select_for_update().get(name=feed_name)
    feed.age_rule, feed.complete_for = age_rule, complete_for
    feed.save(update_fields=["age_rule", "complete_for"])
    audit.record(
        action="source.set", by=by, subject=feed, age_rule=age_rule, complete_for=complete_for
    )
