"""Addresses of the outbox, the call list and the switch."""

from django.urls import path

from notifications.views import calls, outbox, sending

urlpatterns = [
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/", outbox.message, name="message"),
    path("calls/", calls.call_list, name="call_list"),
    path("calls/take/", calls.call_take, name="call_take"),
    path("calls/reference/", calls.reference_check, name="reference_check"),
    path("calls/<int:pk>/", calls.call, name="call"),
    path("sending/pause/", sending.pause, name="sending_pause"),
    path("sending/resume/", sending.resume, name="sending_resume"),
    path("sending/release/", sending.release, name="sending_release"),
]
