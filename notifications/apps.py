"""Application settings."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Registers the app."""

    name = "notifications"
