"""Checking and loading schedule files in the background."""

from celery import shared_task

from appointments.services import importing_queue


@shared_task(name=importing_queue.TASK)
def run_waiting_imports() -> None:
    """Do the loads that wait in the database; repeating it changes nothing."""
    importing_queue.run_waiting()


@shared_task(name="appointments.tasks.sweep_imports")
def sweep_imports() -> None:
    """Do what the broker forgot, and delete files that are no longer needed."""
    importing_queue.sweep()
