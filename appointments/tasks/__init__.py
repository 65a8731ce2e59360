"""Work in the background; Celery finds the tasks of each noun through this package."""

from appointments.tasks import imports, rosters

__all__ = ["imports", "rosters"]
