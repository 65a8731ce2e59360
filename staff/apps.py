"""Application settings."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Registers the app."""

    name = "staff"
