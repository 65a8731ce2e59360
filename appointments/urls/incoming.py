"""Addresses for those who answer people who ring in."""

from django.urls import path
from django.views.generic import RedirectView

from appointments.views import incoming

urlpatterns = [
    path("calls/incoming/", incoming.incoming, name="incoming"),
    path("calls/incoming/unanswered/", incoming.incoming_unanswered, name="incoming_unanswered"),
    path("calls/incoming/<int:patient>/", incoming.incoming_patient, name="incoming_patient"),
    path("calls/incoming/<int:patient>/answer/", incoming.incoming_answer, name="incoming_answer"),
    # Where references were checked before: agents have it among their bookmarks.
    path("calls/reference/", RedirectView.as_view(pattern_name="incoming")),
]
