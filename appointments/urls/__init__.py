"""Addresses of the appointments app, one module a noun."""

from appointments.urls import (
    board,
    bulletins,
    doctor,
    imports,
    incoming,
    operations,
    rosters,
    schedule,
    wards,
)

urlpatterns = [
    *board.urlpatterns,
    *schedule.urlpatterns,
    *doctor.urlpatterns,
    *operations.urlpatterns,
    *bulletins.urlpatterns,
    *imports.urlpatterns,
    *rosters.urlpatterns,
    *incoming.urlpatterns,
    *wards.urlpatterns,
]
