"""Addresses of a doctor's day."""

from django.urls import path

from appointments.views import doctor

urlpatterns = [
    path("my-day/", doctor.doctor_day, name="doctor_day"),
    path("my-day/several/", doctor.several, name="several"),
    path("appointments/<int:pk>/keep/", doctor.keep, name="keep"),
    path("appointments/<int:pk>/let-go/", doctor.let_go, name="let_go"),
    path("appointments/<int:pk>/undo/", doctor.undo_keep, name="undo_keep"),
    path("appointments/<int:pk>/contacted/", doctor.contacted, name="contacted"),
    path("appointments/<int:pk>/not-contacted/", doctor.not_contacted, name="not_contacted"),
]
