"""Application settings."""

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """Registers the app."""

    name = "patients"
