"""Loads asked for on the screens: kept in the database, done by whichever worker comes first.

The broker only wakes a worker up. A load waits in the database, is claimed by one worker with a
compare-and-swap, and is taken over by another when that worker fell silent.
"""

import datetime as dt
import logging
from pathlib import Path
from uuid import uuid4

from django.core.files.base import File
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments.feeds.limits import LARGEST_FILE
from appointments.feeds.reading import open_schedule
from appointments.models import Feed, ImportState, ScheduleImport
from appointments.services.importing_files import (
    about_unused,
    check_source_name,
    sha256_of,
    take_in,
)
from notifications.services import doorbell
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

TASK = "appointments.tasks.run_waiting_imports"
LEASE = dt.timedelta(minutes=10)  # a dry run is heard of every few hundred rows
UNCONFIRMED_FOR = dt.timedelta(days=3)
_DONE = (ImportState.LOADED, ImportState.UNREADABLE, ImportState.ABANDONED)

logger = logging.getLogger(__name__)


@transaction.atomic
def receive(*, upload: File, feed_name: str, is_full_export: bool, by: User) -> ScheduleImport:
    """Store an uploaded file and have it checked; nothing of the schedule is written yet.

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
        is_full_export=is_full_export,
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
    doorbell.ring(TASK)
    return schedule_import


@transaction.atomic
def confirm(*, schedule_import_id: int, by: User) -> ScheduleImport:
    """Have a checked file loaded for good; asking twice loads it once.

    Raises:
        Refusal: it was not checked, or its file is gone.
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
        raise Refusal(_("Ce fichier n'est pas vérifié : déposez-le à nouveau."))
    schedule_import.is_dry_run = False
    schedule_import.state = ImportState.WAITING
    schedule_import.rows_done = 0
    schedule_import.started_by = by
    schedule_import.save()
    audit.record(action="schedule.confirmed", by=by, subject=schedule_import)
    doorbell.ring(TASK)
    return schedule_import


def run_waiting() -> int:
    """Do every load that waits, or whose worker fell silent; return how many were done."""
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
    now = timezone.now()  # the real clock: a lease measures time, a drill does not stop it
    free = Q(state=ImportState.WAITING) | Q(state=ImportState.RUNNING, claimed_at__lt=now - LEASE)
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
    except Refusal as refusal:
        _give_up(schedule_import, refusal.message)
    except DatabaseError:
        raise  # the file is not to blame: the sweep tries again when the lease is over
    except Exception:
        logger.exception("schedule import %s failed", schedule_import.pk)
        _give_up(
            schedule_import,
            _("Erreur inattendue à la lecture : rien n'a été chargé. Prévenez l'informatique."),
        )


def _check(schedule_import: ScheduleImport) -> None:
    file = open_schedule(Path(schedule_import.stored_file.path))
    schedule_import.message = about_unused(file)

    def keep_progress(rows: int, expected: int) -> None:
        ScheduleImport.objects.filter(pk=schedule_import.pk).update(
            rows_done=rows, rows_total=max(rows, expected), claimed_at=timezone.now()
        )

    take_in(
        file,
        schedule_import.feed.name,
        schedule_import.is_full_export,
        progress=keep_progress,
        kept_in=schedule_import,
        dry_run=True,
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
        schedule_import.is_full_export,
        kept_in=schedule_import,
        by=schedule_import.started_by,
    )
    transaction.on_commit(lambda: _forget_file(schedule_import))


def _give_up(schedule_import: ScheduleImport, message: str) -> None:
    ScheduleImport.objects.filter(pk=schedule_import.pk).update(
        state=ImportState.UNREADABLE, message=message[:300], finished_at=clock.now()
    )
    _forget_file(schedule_import)


def _forget_file(schedule_import: ScheduleImport) -> None:
    """Delete the stored file: it holds patient data; digest and counts stay."""
    if schedule_import.stored_file:
        schedule_import.stored_file.delete(save=False)
    ScheduleImport.objects.filter(pk=schedule_import.pk).update(stored_file="")
