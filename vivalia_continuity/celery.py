"""The Celery application.

The broker is a doorbell, never the truth: every task takes ids (or nothing) and reads the
database, so a lost or repeated message changes nothing (DESIGN.md section 6, promise 2).
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vivalia_continuity.settings")

app = Celery("vivalia_continuity")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
