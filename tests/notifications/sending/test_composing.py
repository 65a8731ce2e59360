"""Texts that differ only in their reference are written once, and no reader sees a difference."""

import datetime as dt

import pytest

from notifications import sms_text
from notifications.models import MessageText
from notifications.references import reference_of
from notifications.sending import hand_over as composing
from notifications.texts import render as texts
from notifications.texts.render import Line
from tests.builders import at

pytestmark = pytest.mark.django_db
DAY = dt.date(2022, 5, 16)
MORNING = Line(at("2022-05-16 09:10"), "cancelled")
NOON = Line(at("2022-05-16 12:00"), "maintained")


def sms(number: int, **other: object) -> tuple[str, int]:
    """Return the SMS of a notice."""
    facts = {"language": "fr", "day": DAY, "lines": [MORNING], "callback_number": "+3263000000"}
    return composing.sms(**(facts | other), notice_id=number)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
@pytest.mark.parametrize("lines", [[MORNING], [NOON], [MORNING, NOON]])
@pytest.mark.parametrize("number", [1, 2, 987_654_321])
def test_it_is_the_very_text_and_count_of_writing_each_by_itself(language, lines, number) -> None:
    whole = texts.body(
        language=language,
        day=DAY,
        lines=lines,
        callback_number="+3263000000",
        reference=reference_of(number),
    )
    for _twice in range(2):
        assert sms(number, language=language, lines=lines) == (whole, sms_text.count(whole).parts)


def test_what_differs_is_not_mixed_up() -> None:
    assert "09:10" in sms(1)[0]
    assert "12:00" in sms(1, lines=[NOON])[0]
    assert "17/05" in sms(1, day=dt.date(2022, 5, 17))[0]
    assert "+32 84" in sms(1, callback_number="+3284000000")[0]
    assert sms(1)[0] != sms(2)[0]


def test_an_edited_text_is_used_once_the_texts_are_read_again() -> None:
    sms(1)
    MessageText.objects.create(
        language="fr", kind="cancelled", body="Ne venez pas {day} {times}. {number} {reference}"
    )
    texts.forget()
    assert sms(1)[0].startswith("Ne venez pas lun. 16/05 09:10.")
