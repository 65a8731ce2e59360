"""The health check that a monitor asks for; it says nothing about patients."""

import datetime as dt
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseFailure
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from kombu.exceptions import OperationalError

from appointments.feeds.data_age import data_age
from staff import clock

BROKER_PATIENCE_SECONDS = 2


@dataclass(frozen=True)
class SystemHealth:
    """The result of the health check.

    ``ok`` needs the database at this version. A dead broker is reported but does not make the
    answer unhealthy: people can work, and beat's sweep finds the waiting SMS (DESIGN.md,
    promise 2).
    ``beat_silent_seconds`` is None if beat runs on another host; it saves its state every
    three minutes. ``clock_ahead_seconds``: this host's clock against the database's.
    """

    database: bool
    migrated: bool
    broker: bool
    beat_silent_seconds: int | None
    data_age_hours: int | None
    data_age_unknown: bool
    data_is_old: bool
    drill: bool
    clock_ahead_seconds: int

    @property
    def ok(self) -> bool:
        """Whether people can work."""
        return self.database and self.migrated

    def as_dict(self) -> dict[str, bool | int | None]:
        """Return the answer as JSON."""
        return {"ok": self.ok, **asdict(self)}


def health() -> SystemHealth:
    """Check the database, its version, the broker and the age of the data."""
    try:
        database, migrated = True, _is_migrated()
        age = data_age() if migrated else None
    except DatabaseFailure:  # it may go away between any two questions
        database, migrated, age = False, False, None
    silence = age.silence if age else None
    return SystemHealth(
        database=database,
        migrated=migrated,
        broker=_broker_answers(),
        beat_silent_seconds=_beat_silence(),
        data_age_hours=None if silence is None else silence // dt.timedelta(hours=1),
        data_age_unknown=age.is_unknown if age else False,
        data_is_old=age.is_old if age else True,
        drill=bool(settings.DEMO_TODAY),
        clock_ahead_seconds=round(clock.host_is_ahead().total_seconds()),
    )


def database_trouble() -> str:
    """Return why no command can use the database, and what to do; empty when it is sound."""
    try:
        if _is_migrated():
            return ""
    except DatabaseFailure as error:
        why = str(error).strip().splitlines()[0]
        return (
            f"elle ne répond pas ({why}). Démarrez-la, ou corrigez DATABASE_URL, puis recommencez."
        )
    return (
        "elle n'a pas les tables de cette version. Lancez « manage.py migrate », puis recommencez "
        "(« make run » le fait aussi)."
    )


def _is_migrated() -> bool:
    applied = MigrationRecorder(connections[DEFAULT_DB_ALIAS]).applied_migrations()
    return _newest_migrations() <= applied.keys()


@cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    """Return the last migration of each app; read from disk once, since monitors ask often.

    For a squashed migration these are the ones that it replaces: Django records them in each
    database, made before or after the squash.
    """
    graph = MigrationLoader(None).graph
    return frozenset(
        applied for leaf in graph.leaf_nodes() for applied in graph.nodes[leaf].replaces or [leaf]
    )


def _broker_answers() -> bool:
    if not settings.REDIS_URL:
        return Path(settings.BROKER_DIR).is_dir()
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_PATIENCE_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0)
    except (OperationalError, OSError):
        return False
    return True


def _beat_silence() -> int | None:
    name = Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)
    saved = [
        path.stat().st_mtime for path in name.parent.glob(f"{name.name}*")
    ]  # some add a suffix
    return int(time.time() - max(saved)) if saved else None
