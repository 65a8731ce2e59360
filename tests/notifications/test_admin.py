"""The reference data offers no second way to the texts: their editor checks and records all."""

from django.contrib import admin

from notifications.models import MessageText


def test_texts_are_edited_in_one_place_alone() -> None:
    assert not admin.site.is_registered(MessageText)
