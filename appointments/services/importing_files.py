"""Load one schedule file: open it, take in its rows, remember which file it was."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.feeds.columns import COLUMNS
from appointments.feeds.reading import open_schedule
from appointments.feeds.tables import ScheduleFile
from appointments.models import Feed, ImportState, ScheduleImport
from appointments.services.importing import LoadResult, load_records
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import User

DEFAULT_SOURCE = "agenda"
_SOURCE_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")

Progress = Callable[[int, int], None]  # rows read, rows expected


@dataclass(frozen=True)
class FileLoad:
    """What became of a file.

    Attributes:
        result: counts and faults.
        unused: headings that the reader does not know, as the file writes them.
        file_sha256: hex digest.
    """

    result: LoadResult
    unused: tuple[str, ...]
    file_sha256: str


def load_file(
    *,
    path: Path,
    feed_name: str,
    file_format: str = "auto",
    is_full_export: bool = True,
    dry_run: bool = False,
    by: User | None = None,
    progress: Progress = lambda rows, expected: None,
) -> FileLoad:
    """Load a file for good, or only say what it would do.

    Args:
        path: the file.
        feed_name: the source; letters, digits, ``-`` and ``_``.
        file_format: ``auto``, ``csv`` or ``xlsx``.
        is_full_export: what it does not name, within its days and sites, has disappeared.
        dry_run: nothing at all is written.
        by: who loads; None for the system.
        progress: is told rows read and rows expected, every few hundred.

    Raises:
        Refusal: the file cannot be read, or the name of the source is unusable.
    """
    check_source_name(feed_name)
    file = open_schedule(path, file_format=file_format)
    digest = sha256_of(path)
    if dry_run:
        result = take_in(file, feed_name, is_full_export, progress=progress, dry_run=True)
        return FileLoad(result, file.unused, digest)
    with transaction.atomic():
        lock_rulings(shared=False)  # before any row, in the order of every load
        feed = Feed.objects.get_or_create(name=feed_name)[0]
        schedule_import = ScheduleImport.objects.create(
            feed=feed,
            state=ImportState.RUNNING,
            file_name=path.name[:200],
            file_digest=digest,
            is_full_export=is_full_export,
            message=about_unused(file),
            started_at=clock.now(),
            started_by=by,
        )
        result = take_in(
            file, feed_name, is_full_export, progress=progress, kept_in=schedule_import, by=by
        )
    return FileLoad(result, file.unused, digest)


def take_in(
    file: ScheduleFile,
    feed_name: str,
    is_full_export: bool,
    *,
    progress: Progress = lambda rows, expected: None,
    kept_in: ScheduleImport | None = None,
    dry_run: bool = False,
    by: User | None = None,
) -> LoadResult:
    """Give the rows of an opened file to ``load_records``."""
    return load_records(
        feed_name=feed_name,
        records=file.entries(),
        is_full_export=is_full_export,
        by=by,
        schedule_import=kept_in,
        dry_run=dry_run,
        headings={column.key: file.headings.title_of(column.key) for column in COLUMNS},
        progress=lambda rows: progress(rows, file.rows_expected),
    )


def check_source_name(name: str) -> None:
    """Refuse a name that cannot name a source.

    Raises:
        Refusal: as said.
    """
    if not _SOURCE_NAME.fullmatch(name):
        raise Refusal(
            _("Le nom d'une source compte de 1 à 40 lettres sans accent, chiffres ou tirets."),
            field="source",
        )


def about_unused(file: ScheduleFile) -> str:
    """Return the sentence on columns that were passed over; a misspelt one loses telephones."""
    if not file.unused:
        return ""
    names = ", ".join(file.unused)
    return (_("Colonnes non utilisées : %(names)s.") % {"names": names})[:300]


def about_no_phone() -> str:
    """Return what is said first of a file without any telephone: nobody in it can be told."""
    return _(
        "Aucun numéro de téléphone dans ce fichier : personne ne pourra être prévenu par SMS ni "
        "appelé d'après lui. Vérifiez le titre de la colonne (par exemple « GSM » ou "
        "« Téléphone ») ou demandez un export qui les contient."
    )


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
