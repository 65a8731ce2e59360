"""Application settings."""

from typing import ClassVar

from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig

from vivalia_continuity.formats import teach_endings


class VivaliaContinuityConfig(AppConfig):
    """Registers the app."""

    name = "vivalia_continuity"

    def ready(self) -> None:
        """Write dates as each language does."""
        teach_endings()


class PageFilesConfig(StaticFilesConfig):
    """Gathers what the pages load and not the other editions that libraries ship.

    Compressing them all takes a minute; these take seconds.
    """

    ignore_patterns: ClassVar[list[str]] = [  # type: ignore[misc]
        *StaticFilesConfig.ignore_patterns,
        *("bootstrap/css/bootstrap-*", "bootstrap/css/bootstrap.css*", "bootstrap/css/*.rtl.*"),
        *("bootstrap/js/bootstrap.js*", "bootstrap/js/bootstrap.[em]*", "bootstrap/js/jquery*"),
        "bootstrap/js/bootstrap.bundle.js*",
        *("django_htmx/ht*-4.*", "django_htmx/ext/*", "django_htmx/htmx-2.js"),
    ]
