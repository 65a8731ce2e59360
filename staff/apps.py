"""Application settings."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Registers the app."""

    name = "staff"

    def ready(self) -> None:
        """Connect the signals of sign-ins."""
        from staff.sign_in import signals  # noqa: F401
