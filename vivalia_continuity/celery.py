"""The Celery application.

The broker is a doorbell, never the truth: every task takes ids (or nothing) and reads the
database, so a lost or repeated message changes nothing (DESIGN.md section 6, promise 2).

Nothing here trusts the clock of one host. A bell says when it was rung by the database's clock,
and whoever hears it too late by that clock lets it be (Celery's ``expires`` compares the clocks of
two hosts). Beat counts its seconds with a clock that nobody sets: by the host's clock it would
ring nothing for an hour once that is set back by one.
"""

import datetime as dt
import logging
import os
import sys
from types import TracebackType
from typing import Any

from celery import Celery, Task
from celery.beat import PersistentScheduler
from celery.signals import before_task_publish
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from staff import clock
from vivalia_continuity import folder_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vivalia_continuity.settings")

folder_broker.register()
logger = logging.getLogger(__name__)


class Bell(Task):  # type: ignore[misc]  # Celery has no types
    """A task that does nothing if it was rung too long ago: a later bell does its work."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Run, unless the bell is stale."""
        rung_at = self.request.get("rung_at")
        if rung_at and clock.real() - dt.datetime.fromisoformat(rung_at) > _patience():
            logger.info("%s was rung at %s: too long ago, nothing is done", self.name, rung_at)
            return None
        return super().__call__(*args, **options)


class Continuity(Celery):  # type: ignore[misc]
    """Celery with a clock that goes on evenly from when the process began."""

    _began = dt.datetime.now(dt.UTC)
    _began_at = clock.since_boot()

    def now(self) -> dt.datetime:
        """Return the moment by which beat reckons."""
        passed = dt.timedelta(seconds=clock.since_boot() - self._began_at)
        return (self._began + passed).astimezone(self.timezone)


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc]
    """Beat, for whom everything is due when it starts.

    Its memory may be of a future (the clock was set back meanwhile), and an installation that has
    just begun needs its first anchor at once.
    """

    def setup_schedule(self) -> None:
        """Read it."""
        super().setup_schedule()
        long_ago = self.app.now() - dt.timedelta(days=1)
        for entry in self.schedule.values():
            entry.last_run_at = long_ago


def _patience() -> dt.timedelta:
    return dt.timedelta(seconds=settings.DOORBELL_SECONDS)


@before_task_publish.connect
def _note_when(headers: dict[str, Any], **_other: object) -> None:
    """Note by the database's clock when a bell is rung, here or by beat."""
    headers["rung_at"] = clock.real().isoformat()


app = Continuity("vivalia_continuity", task_cls=Bell)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def _say_what_to_set(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Print a bad setting as one sentence: Celery reads the settings late, out of our reach."""
    if issubclass(kind, ImproperlyConfigured):
        print(f"Configuration : {error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_what_to_set
