"""Application settings."""

from django.apps import AppConfig


class VivaliaContinuityConfig(AppConfig):
    """Registers the app."""

    name = "vivalia_continuity"
