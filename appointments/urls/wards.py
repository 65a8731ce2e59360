"""Addresses of wards and reception."""

from django.urls import path

from appointments.urls import converters  # noqa: F401 - knows <roster_day:…>
from appointments.views import wards, wards_paper

urlpatterns = [
    path("wards/", wards.wards, name="wards"),
    path("wards/<int:unit_id>/<roster_day:day>/", wards.ward_day, name="ward_day"),
    path("wards/<int:unit_id>/<roster_day:day>/counts/", wards.ward_counts, name="ward_counts"),
    path("wards/<int:unit_id>/<roster_day:day>/paper/", wards_paper.paper, name="ward_paper"),
    path("wards/<int:pk>/tick/", wards.tick, name="ward_tick"),
]
