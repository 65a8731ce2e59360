"""Drawing rosters in the background."""

from celery import shared_task

from appointments.services import rosters


@shared_task(name="appointments.tasks.render_roster", acks_late=True)
def render_roster(roster_id: int) -> None:
    """Draw one roster; repeating it changes nothing."""
    rosters.render(roster_id=roster_id)


@shared_task(name="appointments.tasks.sweep_rosters")
def sweep_rosters() -> None:
    """Ring again for rosters that the broker forgot."""
    rosters.sweep()
