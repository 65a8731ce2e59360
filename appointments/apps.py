"""Application settings."""

from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    """Registers the app, and that it knows what patients are owed."""

    name = "appointments"

    def ready(self) -> None:
        """Answer what the app that tells asks again; its own imports cannot point here."""
        from appointments.services.rulings import align_again
        from notifications.services import looking_again

        looking_again.answer_with(align_again)
