"""The project: settings, urls, Celery, the shell pages and the all-in-one process."""

from vivalia_continuity.celery import app as celery_app

__all__ = ["celery_app"]
