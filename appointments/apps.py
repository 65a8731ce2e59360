"""Application settings."""

from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    """Registers the app."""

    name = "appointments"
