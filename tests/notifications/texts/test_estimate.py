"""The estimate before approval counts the parts of the texts that will be sent, also of edited
ones; and the very SMS that leaves takes as many."""

import pytest

from appointments.bulletins.preview import preview
from notifications import rules
from notifications.texts import render as texts
from notifications.texts import services
from notifications.texts.queries import fingerprint
from staff.models import Role
from tests.appointments.bulletins.builders import a_draft
from tests.builders import a_patient, a_user, an_appointment, at

pytestmark = pytest.mark.django_db
LONG = "{hospital}: {day} {times} annulé. {number} {reference}" + " Gardez ce message." * 10


@pytest.fixture(autouse=True)
def a_monday(saturday_noon) -> None:
    """Make three patients with a consultation, one of them Dutch, on the day of the bulletin."""
    for language in ("fr", "fr", "nl"):
        an_appointment(patient=a_patient(language=language))


def edit(body: str, language: str = "fr") -> None:
    seen = fingerprint(texts.shipped(language, "cancelled"))
    by = a_user("claire", Role.CRISIS_CELL)
    services.save(language=language, kind="cancelled", body=body, seen=seen, by=by)
    texts.forget()  # which the commit does


def test_a_longer_text_makes_the_estimate_longer_for_those_who_get_it() -> None:
    bulletin = a_draft()
    assert preview(bulletin.pk).sms_parts == 3
    edit(LONG)
    assert preview(bulletin.pk).sms_parts == 2 * 2 + 1


def test_without_a_gateway_that_can_be_read_the_rate_of_the_settings_counts(settings) -> None:
    settings.SMS_GATEWAY_URL = "pigeon://?tps=1&cap=2"
    settings.SMS_PARTS_PER_SECOND = 0.5
    seen = preview(a_draft().pk)
    assert (seen.sms_parts, seen.sms_seconds) == (3, 6.0)


def an_sms(reference: str) -> str:
    """Return the SMS about one cancelled appointment."""
    return texts.body(
        language="fr",
        day=at("2022-05-16 09:10").date(),
        lines=[texts.MessageItem(at("2022-05-16 09:10"), "cancelled")],
        callback_number="+3263000000",
        reference=reference,
    )


def test_a_text_may_say_its_reference_twice_and_hold_any_sign(settings) -> None:
    edit("{hospital} {day} {times} {number} Ref {reference} ($$): citez {reference}.")
    for notice_id in (1, 2):
        reference = rules.reference_of(notice_id, settings.SECRET_KEY)
        text = an_sms(reference)
        assert text.endswith(f"Ref {reference} ($$): citez {reference}.")


def test_the_estimate_agrees_with_the_sms_that_leaves(settings) -> None:
    edit(LONG)
    assert rules.count(an_sms(rules.reference_of(1, settings.SECRET_KEY))).parts == 2


def test_a_gateway_of_latin1_costs_what_it_sends_as_ucs2(settings) -> None:
    edit("{hospital}: {day} {times} annulé, sans frais (0 €). Appelez {number} {reference}")
    assert preview(a_draft().pk).sms_parts == 3
    settings.SMS_GATEWAY_URL = "smpp://u:p@smsc.example.org:2775?alphabet=latin1"
    assert preview(a_draft().pk).sms_parts == 2 * 2 + 1


def test_the_sms_that_leaves_counts_against_the_cap_of_a_latin1_gateway_as_ucs2(settings) -> None:
    edit("{hospital}: {day} {times} annulé, sans frais (0 €). Appelez {number} {reference}")
    text = an_sms(rules.reference_of(1, settings.SECRET_KEY))
    counted = [rules.count(text, alphabet=alphabet).parts for alphabet in ("gsm7", "latin1")]
    assert counted == [1, 2]
