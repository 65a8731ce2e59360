"""Load one schedule file: open it, take in its rows, remember which file it was."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import transaction

from appointments.feeds.files import export_moment
from appointments.feeds.files.export_moment import Evidence, ExportMoment
from appointments.feeds.files.headings import COLUMNS, shortened
from appointments.feeds.files.reading import open_schedule
from appointments.feeds.files.tables import ScheduleFile
from appointments.feeds.importing.results import LoadResult, Terms
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import ScheduleRecord
from appointments.models import AgeRule, Feed, ImportState, ScheduleImport
from staff import clock
from staff.database import lock_rulings
from staff.errors import Refusal
from staff.models import Unit, User
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

DEFAULT_SOURCE = "agenda"
UNATTENDED = Terms()
_SOURCE_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")

Progress = Callable[[int, int], None]  # rows read, rows expected


@dataclass(frozen=True)
class FileLoad:
    """What became of a file.

    Attributes:
        result: counts and faults.
        unused: headings that the reader does not know, as the file writes them.
        file_sha256: hex digest.
        terms: what the load went by; how old the file is.
        proposal: what the age would be if the date of the file were believed.
    """

    result: LoadResult
    unused: tuple[str, ...]
    file_sha256: str
    terms: Terms
    proposal: ExportMoment


def load_file(
    *,
    path: Path,
    feed_name: str,
    file_format: str = "auto",
    terms: Terms = UNATTENDED,
    dry_run: bool = False,
    by: User | None = None,
    progress: Progress = lambda rows, expected: None,
) -> FileLoad:
    """Load a file for good, or only say what it would do.

    Args:
        path: the file.
        feed_name: the source; letters, digits, ``-`` and ``_``.
        file_format: ``auto``, ``csv`` or ``xlsx``.
        terms: how old it is and what it is complete for; what they leave open is taken from the
            file and the source's rules.
        dry_run: nothing at all is written.
        by: who loads; None for the system.
        progress: is told rows read and rows expected, every few hundred.

    Raises:
        Refusal: the file cannot be read, the name of the source is unusable, or the moment of
            the export is still to come.
        Unanswered: it would undo newer word, or much would disappear, and nobody accepted it.
    """
    check_source_name(feed_name)
    file = open_schedule(path, file_format=file_format)
    digest = sha256_of(path)
    evidence = evidence_of(file, path, file_name=path.name, file_date=written_at(path))
    known = Feed.objects.filter(name=feed_name).first()
    terms = replace(terms, was_loaded_before=known is not None and was_loaded_before(known, digest))
    if terms.exported_at is None and not terms.age_is_unknown:
        rule = AgeRule(known.age_rule) if known else AgeRule.FILE
        found = export_moment.found(evidence, now=clock.now(), rule=rule)
        terms = replace(terms, exported_at=found.at, age_from=found.found_in)
    check_exported_at(terms.exported_at)
    proposal = export_moment.proposed(evidence, now=clock.now())
    if dry_run:
        result = take_in(file, feed_name, terms, progress=progress, dry_run=True)
        return FileLoad(result, file.unused, digest, terms, proposal)
    with transaction.atomic():
        lock_rulings(shared=False)  # before any row, in the order of every load
        feed = Feed.objects.get_or_create(name=feed_name)[0]
        schedule_import = ScheduleImport.objects.create(
            feed=feed,
            state=ImportState.RUNNING,
            file_name=path.name[:200],
            file_digest=digest,
            file_date=evidence.file_date,
            exported_at=terms.exported_at,
            age_from=terms.age_from,
            accepts_older=terms.accepts_older,
            accepts_disappeared=terms.accepts_disappeared,
            message=about_unused(file.unused),
            started_at=clock.now(),
            started_by=by,
        )
        result = take_in(file, feed_name, terms, progress=progress, kept_in=schedule_import, by=by)
    return FileLoad(result, file.unused, digest, terms, proposal)


def take_in(
    file: ScheduleFile,
    feed_name: str,
    terms: Terms,
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
        terms=terms,
        by=by,
        schedule_import=kept_in,
        dry_run=dry_run,
        headings={column.key: file.headings.title_of(column.key) for column in COLUMNS},
        sheets=file.sheets,
        progress=lambda rows: progress(rows, file.rows_expected),
    )


def evidence_of(
    file: ScheduleFile, path: Path, *, file_name: str, file_date: dt.datetime | None
) -> Evidence:
    """Return what a file shows of the moment at which it was made.

    A file with a column of changes is read once more for its newest: the rows of ``file`` are
    still to be read by the load.
    """
    newest = None
    if any("changed_at" in table.headings.places for table in file.tables):
        changes = (
            entry.changed_at
            for entry in open_schedule(path).entries()
            if isinstance(entry, ScheduleRecord) and entry.changed_at
        )
        newest = max(changes, default=None)
    return Evidence(file.titles, file_name, newest, file_date)


def written_at(path: Path) -> dt.datetime:
    """Return when a file was written, on the hospital's clock."""
    return clock.of_host(dt.datetime.fromtimestamp(path.stat().st_mtime, tz=dt.UTC))


def was_loaded_before(feed: Feed, digest: str) -> bool:
    """Whether this very file was loaded, and another one since: it then is the older one."""
    loaded = ScheduleImport.objects.filter(feed=feed, state=ImportState.LOADED).order_by("-id")
    newest = loaded.values_list("file_digest", flat=True).first()
    return newest != digest and loaded.filter(file_digest=digest).exists()


def check_exported_at(moment: dt.datetime | None) -> None:
    """Refuse an export that is still to be made.

    Raises:
        Refusal: as said.
    """
    if moment is not None and moment > clock.now() + export_moment.AHEAD:
        raise Refusal(
            _("L'export ne peut pas dater de l'avenir : vérifiez le jour et l'heure."),
            field="exported_at",
        )


def units_called(codes: Sequence[str]) -> frozenset[int]:
    """Return the units of these codes, by number.

    Raises:
        Refusal: there is no such unit; says which.
    """
    found = dict(Unit.objects.filter(code__in=codes).values_list("code", "id"))
    unknown = sorted(set(codes) - found.keys())
    if unknown:
        raise Refusal(
            _("Unité inconnue : %(codes)s. Écrivez le code des données de référence.")
            % {"codes": ", ".join(unknown)},
            field="units",
        )
    return frozenset(found.values())


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


def about_unused(names: Sequence[str]) -> Stored:
    """Return the sentence on columns that were passed over; a misspelt one loses telephones."""
    if not names:
        return ""
    return _("Colonnes non utilisées : %(names)s.") % {"names": shortened(", ".join(names), 250)}


def about_no_phone() -> Stored:
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
