"""Addresses of the rosters pages."""

import datetime as dt

from django.urls import path, register_converter

from appointments.views import rosters


class DayConverter:
    """A date in an address, written ``2022-05-16``; anything else is not found."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """Read the date."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        """Write the date."""
        return f"{value:%Y-%m-%d}"


register_converter(DayConverter, "roster_day")

urlpatterns = [
    path("rosters/", rosters.roster_list, name="rosters"),
    path("rosters/issue/", rosters.roster_issue, name="roster_issue"),
    path("rosters/<roster_day:day>/progress/", rosters.roster_progress, name="roster_progress"),
    path("rosters/<int:unit_id>/<roster_day:day>/", rosters.roster_print, name="roster_print"),
    path("rosters/files/<int:pk>/", rosters.roster_file, name="roster_file"),
]
