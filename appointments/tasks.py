"""Work in the background: loads and sheets. Each task calls one service."""

from celery import shared_task

from appointments.feeds.importing import uploads
from appointments.paper import services as rosters


@shared_task(name=uploads.TASK)
def run_waiting_imports() -> None:
    """Do the loads that wait in the database; repeating it changes nothing."""
    uploads.run_waiting()


@shared_task(name="appointments.tasks.sweep_imports")
def sweep_imports() -> None:
    """Do loads whose task was lost, and delete files that are no longer needed."""
    uploads.sweep()


@shared_task(name=rosters.TASK, acks_late=True)
def render_roster(roster_id: int) -> None:
    """Draw one roster; repeating it changes nothing."""
    rosters.render(roster_id=roster_id)


@shared_task(name="appointments.tasks.sweep_rosters")
def sweep_rosters() -> None:
    """Send the tasks of waiting rosters again."""
    rosters.sweep()
