"""The reference data offers no second way to the texts: their editor checks and records all."""

import pytest
from django.contrib import admin
from django.core.exceptions import ValidationError

from notifications.models import MessageText


def test_texts_are_edited_in_one_place_alone() -> None:
    assert not admin.site.is_registered(MessageText)


@pytest.mark.django_db
def test_a_text_that_names_an_act_is_no_valid_text_whoever_makes_it() -> None:
    good = "{hospital}: {day} {times} annulé. {number} {reference}"
    MessageText(language="fr", kind="cancelled", body=good).full_clean()
    with pytest.raises(ValidationError, match="retirez irm"):
        MessageText(language="fr", kind="cancelled", body=good + " Votre IRM").full_clean()
