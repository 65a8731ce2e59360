"""Loads of a few records, and of a file by the command, for tests."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from appointments.feeds.importing.results import LoadResult, Terms
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import Declared
from appointments.models import Appointment
from appointments.vocabulary import AgeFrom, Extent
from staff import clock

PARTIAL = Declared()
FULL = Declared(Extent.SITES)  # for its sites and days


def terms(*, full: bool = True, **values) -> Terms:
    """Return those of an export of this moment, complete for its sites and days or for nothing."""
    values = {"exported_at": clock.now(), "declared": FULL if full else PARTIAL} | values
    return Terms(age_from=AgeFrom.PERSON if values["exported_at"] else "", **values)


def load(*records, full: bool = True, said: dict | None = None, **options) -> LoadResult:
    """Load records of the source ``agenda``; ``said`` are fields of ``Terms``."""
    said = said or {}
    return load_records(
        feed_name="agenda", records=records, terms=terms(full=full, **said), **options
    )


def numbers(result: LoadResult) -> dict[str, int]:
    """Return the counts that are not zero, without the total."""
    return {name: n for name, n in result.counts().items() if n and name != "rows"}


def the_appointment(source_id: str = "R1") -> Appointment:
    """Return the appointment that the source calls so."""
    return Appointment.objects.get(source_id=source_id)


def run(path: Path, *options: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of ``import_schedule``."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("import_schedule", str(path), *options, stdout=out, stderr=errors)
    return int(ended.value.code or 0), out.getvalue(), errors.getvalue()
