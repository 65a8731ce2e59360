"""Addresses of the schedule and of one appointment."""

from django.urls import path

from appointments.views import schedule

urlpatterns = [
    path("schedule/", schedule.schedule, name="schedule"),
    path("appointments/<int:pk>/", schedule.appointment, name="appointment"),
]
