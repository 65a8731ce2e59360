"""What may not go as the author of a bulletin thinks is said in one sentence each."""

from appointments.bulletins.preview import warnings_of
from notifications.rules import QuietHours
from notifications.sending.estimate import Estimate
from tests.builders import at

NIGHT = QuietHours.parse("21:00-08:00")


def an_estimate(**figures) -> Estimate:
    nothing = dict.fromkeys(
        ("by_phone", "too_late", "without_number", "withdrawn", "already_told"), 0
    )
    return Estimate(**{"by_sms": 10, "parts": 10, "seconds": 1.0, "cap": None} | nothing | figures)


def said(
    release: str,
    *,
    at_night: bool = False,
    hours: QuietHours = NIGHT,
    operations_by_sms: int = 0,
    **figures,
):
    return warnings_of(
        an_estimate(**figures),
        release_at=at(release),
        at_night=at_night,
        hours=hours,
        operations_by_sms=operations_by_sms,
    )


def test_a_release_at_night_waits_for_the_morning():
    (sentence,) = said("2022-05-15 22:00")
    assert sentence.startswith(
        "Les SMS libérés dimanche 15/05 à 22:00 attendront lundi 16/05 à 08:00"
    )
    assert "21:00–08:00" in sentence


def test_a_release_by_day_needs_no_warning():
    assert said("2022-05-15 18:00") == []


def test_with_a_reason_nothing_waits():
    assert said("2022-05-15 22:00", at_night=True) == []


def test_without_quiet_hours_nothing_waits():
    assert said("2022-05-15 22:00", hours=QuietHours()) == []


def test_without_any_sms_nothing_waits():
    assert said("2022-05-15 22:00", by_sms=0, parts=0) == []


def test_an_operation_cancelled_outright_by_sms_is_named_first():
    operation, quiet = said("2022-05-15 22:00", operations_by_sms=1)
    assert operation.startswith("1 opération serait annulée d'office")
    assert "attendront" in quiet
    (several,) = said("2022-05-15 18:00", operations_by_sms=2)
    assert several.startswith("2 opérations seraient annulées d'office")


def test_who_is_called_because_the_sms_would_be_too_late_is_counted():
    waits, late = said("2022-05-15 22:00", by_sms=0, parts=0, too_late=1)
    assert "attendront" in waits
    assert late.startswith("1 patient est compté parmi les appels")
    assert said("2022-05-15 18:00", too_late=12)[0].startswith("12 patients sont comptés")


def test_a_cap_that_does_not_reach_is_named_with_what_is_needed():
    (sentence,) = said("2022-05-15 18:00", parts=1200, cap=1000)
    assert "(1000 parties par jour) ne suffit pas" in sentence
    assert "il en faut 1200" in sentence


def test_a_cap_that_just_reaches_is_none():
    assert said("2022-05-15 18:00", parts=1000, cap=1000) == []
