"""The Celery application.

The broker is a doorbell, never the truth: every task takes ids (or nothing) and reads the
database, so a lost or repeated message changes nothing (DESIGN.md section 6, promise 2).
"""

import os
import sys
from types import TracebackType

from celery import Celery
from django.core.exceptions import ImproperlyConfigured

from vivalia_continuity import folder_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vivalia_continuity.settings")

folder_broker.register()
app = Celery("vivalia_continuity")
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
