"""Application settings."""

from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    """Registers the app, what patients are owed, and where the trail speaks of them."""

    name = "appointments"

    def ready(self) -> None:
        """Answer what other apps ask whose own imports cannot point here."""
        from appointments.decisions.rulings import align_again
        from appointments.trail import traces_of
        from notifications.lifecycle import notice_states
        from staff.queries import find_patients_with

        notice_states.answer_with(align_again)
        find_patients_with(traces_of)
