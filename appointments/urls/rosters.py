"""Addresses of the rosters pages."""

from django.urls import path

from appointments.urls import converters  # noqa: F401 - knows <roster_day:…>
from appointments.views import rosters

urlpatterns = [
    path("rosters/", rosters.roster_list, name="rosters"),
    path("rosters/issue/", rosters.roster_issue, name="roster_issue"),
    path("rosters/<roster_day:day>/progress/", rosters.roster_progress, name="roster_progress"),
    path("rosters/<int:unit_id>/<roster_day:day>/", rosters.roster_print, name="roster_print"),
    path("rosters/files/<int:pk>/", rosters.roster_file, name="roster_file"),
]
