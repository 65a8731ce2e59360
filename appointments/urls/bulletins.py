"""Addresses of the bulletins pages."""

from django.urls import path

from appointments.views import bulletin_drafts, bulletins, public_texts

urlpatterns = [
    path("bulletins/", bulletins.listing, name="bulletins"),
    path("bulletins/new/", bulletin_drafts.new, name="bulletin_new"),
    path("bulletins/reach/", bulletin_drafts.reach, name="bulletin_reach"),
    path("bulletins/<int:pk>/", bulletins.detail, name="bulletin"),
    path("bulletins/<int:pk>/edit/", bulletin_drafts.edit, name="bulletin_edit"),
    path("bulletins/<int:pk>/ready/", bulletin_drafts.ready, name="bulletin_ready"),
    path("bulletins/<int:pk>/delete/", bulletin_drafts.delete, name="bulletin_delete"),
    path("bulletins/<int:pk>/preview/", bulletins.preview, name="bulletin_preview"),
    path("bulletins/<int:pk>/approve/", bulletins.approve, name="bulletin_approve"),
    path(
        "bulletins/<int:pk>/text/<str:language>/",
        public_texts.public_text,
        name="bulletin_text",
    ),
    path("bulletins/<int:pk>/withdraw/", bulletins.withdraw, name="bulletin_withdraw"),
]
