"""Addresses of the pages about sending, calls, texts and replies, and of the hooks."""

from django.urls import path

from notifications.calls import views as calls
from notifications.receipts import views as receipts
from notifications.telling import views as telling
from notifications.texts import views as texts

urlpatterns = [
    path("telling/", telling.telling, name="telling"),
    path("telling/live/", telling.telling_live, name="telling_live"),
    path("telling/notices/", telling.notices, name="notices"),
    path("telling/unknown/", telling.queue, {"name": "unknown"}, name="queue_unknown"),
    path("telling/failed/", telling.queue, {"name": "failed"}, name="queue_failed"),
    path("telling/gateways/", telling.gateway_health, name="gateways"),
    path("telling/receipts/", receipts.unmatched, name="unmatched_receipts"),
    path("telling/<str:name>/<str:action>/", telling.settle, name="settle"),
    path("outbox/", telling.outbox, name="outbox"),
    path("outbox/<int:pk>/", telling.message, name="message"),
    path("calls/", calls.call_list, name="call_list"),
    path("calls/take/", calls.call_take, name="call_take"),
    path("calls/print/", calls.call_print, name="call_print"),
    path("calls/sheet/", calls.call_sheet, name="call_sheet"),
    path("calls/<int:pk>/", calls.call, name="call"),
    path("calls/<int:pk>/number/", calls.call_number, name="call_number"),
    path("calls/<int:pk>/back/", calls.call_give_back, name="call_give_back"),
    path("texts/", texts.message_texts, name="message_texts"),
    path("texts/<str:language>/<str:kind>/", texts.message_text, name="message_text"),
    path(
        "texts/<str:language>/<str:kind>/preview/",
        texts.message_text_preview,
        name="message_text_preview",
    ),
    path(
        "texts/<str:language>/<str:kind>/reset/",
        texts.message_text_reset,
        name="message_text_reset",
    ),
    path("replies/", receipts.replies, name="replies"),
    path("replies/<int:pk>/", receipts.reply_handle, name="reply_handle"),
    # Some gateways leave the last slash out, and a POST does not survive a redirect.
    path("hooks/<str:secret>", receipts.hook),
    path("hooks/<str:secret>/", receipts.hook, name="hook"),
    path("sending/pause/", telling.pause, name="sending_pause"),
    path("sending/resume/", telling.resume, name="sending_resume"),
]
