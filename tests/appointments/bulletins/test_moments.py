"""Moments that make no sense are named, and only those."""

import datetime as dt
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.bulletins.sentences import (
    Doubtful,
    MomentDoubt,
    approval_in_words,
    doubtful_moments,
    in_words,
    release_in_words,
)
from appointments.rules import ClauseTerms
from appointments.vocabulary import KeptBy, Ruling, Tell
from notifications.rules import QuietHours
from notifications.vocabulary import Channel
from tests.appointments.bulletins.builders import a_draft, in_force
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.appointments.clauses import CONSULTATIONS_CANCELLED, OPERATIONS_CASE_BY_CASE, the_clause
from tests.builders import MONDAY, an_appointment, at

NOON = at("2022-05-14 12:00")
RELEASE = at("2022-05-15 18:00")
WEEK = [MONDAY + dt.timedelta(days=number) for number in range(5)]
STARTS = {MONDAY: at("2022-05-16 08:30"), WEEK[2]: at("2022-05-18 07:00")}


def kept_until(text: str, **fields) -> ClauseTerms:
    fields = {"tell": Tell.CANCELLED, "kept_by": KeptBy.DOCTOR, "ruling": Ruling.CANCEL} | fields
    return the_clause("consultation", keep_until=at(text), **fields)


def doubts(
    *clauses: ClauseTerms,
    release: dt.datetime = RELEASE,
    now: dt.datetime = NOON,
    days: list[dt.date] = WEEK,
) -> list[MomentDoubt]:
    found = doubtful_moments(
        days=days, release_at=release, clauses=clauses, first_starts=STARTS, now=now
    )
    return [one.doubt for one in found]


def test_the_bulletin_of_the_day_is_in_order():
    assert doubts(CONSULTATIONS_CANCELLED, OPERATIONS_CASE_BY_CASE) == []


def test_a_release_in_the_past_is_named_where_sms_are_sent():
    assert doubts(CONSULTATIONS_CANCELLED, release=NOON)[0] == MomentDoubt.RELEASE_PAST
    assert doubts(OPERATIONS_CASE_BY_CASE, release=NOON) == []
    by_phone = the_clause(ruling=Ruling.CANCEL, tell=Tell.CANCELLED, channel=Channel.PHONE)
    assert doubts(by_phone, release=NOON) == []
    told_nobody = the_clause(ruling=Ruling.CANCEL)
    assert doubts(told_nobody, release=NOON) == []


def test_a_deadline_in_the_past_is_named_and_nothing_else_of_it():
    assert doubts(kept_until("2022-05-14 12:00")) == [MomentDoubt.KEEP_PAST]


def test_a_deadline_after_the_release_is_named():
    assert doubts(kept_until("2022-05-15 18:00")) == []
    assert doubts(kept_until("2022-05-15 18:01")) == [MomentDoubt.KEEP_AFTER_RELEASE]
    assert doubts(kept_until("2022-05-15 18:01", channel=Channel.PHONE)) == []


def test_a_deadline_after_a_release_in_the_past_is_after_the_sms_that_leave_at_once():
    assert doubts(kept_until("2022-05-15 12:00"), release=at("2022-05-13 12:00")) == [
        MomentDoubt.RELEASE_PAST,
        MomentDoubt.KEEP_AFTER_RELEASE,
    ]


def test_a_deadline_after_the_first_appointment_that_it_is_for_is_named():
    late = at("2022-05-18 20:00")
    assert doubts(kept_until("2022-05-16 08:30"), release=late) == []
    assert doubts(kept_until("2022-05-16 08:31"), release=late) == [
        MomentDoubt.KEEP_AFTER_APPOINTMENTS
    ]
    on_wednesday = kept_until("2022-05-17 20:00", days=frozenset(WEEK[2:3]))
    assert doubts(on_wednesday, release=late) == []
    on_friday = kept_until("2022-05-17 20:00", days=frozenset(WEEK[4:]))
    assert doubts(on_friday, release=late) == []


@pytest.mark.parametrize("fields", [{"kept_by": KeptBy.NOBODY}, {"ruling": Ruling.MAINTAIN}])
def test_a_deadline_that_nobody_can_use_is_of_no_interest(fields):
    assert doubts(kept_until("2022-05-13 12:00", **fields)) == []


def test_a_window_that_is_past_is_named_and_one_that_has_begun():
    assert doubts(now=at("2022-05-21 00:00")) == [MomentDoubt.WINDOW_PAST]
    assert doubts(now=at("2022-05-20 23:59")) == [MomentDoubt.WINDOW_BEGUN]
    assert doubts(now=at("2022-05-16 23:59")) == []


moments = st.integers(0, 11 * 24 * 60).map(
    lambda minutes: at("2022-05-12 00:00") + dt.timedelta(minutes=minutes)
)


@given(release=moments, until=moments, now=moments)
def test_each_odd_moment_is_named_once_and_in_words(release, until, now):
    clause = kept_until("2022-05-15 18:00")
    same = replace(clause, keep_until=until)
    found = doubtful_moments(
        days=WEEK, release_at=release, clauses=[same, same], first_starts=STARTS, now=now
    )
    assert len(set(found)) == len(found)
    sentences = list(map(in_words, found))
    assert len(set(sentences)) == len(found)
    assert (until <= now) == (MomentDoubt.KEEP_PAST in [one.doubt for one in found])
    assert (release <= now) == (MomentDoubt.RELEASE_PAST in [one.doubt for one in found])


def test_the_sentence_names_both_moments():
    one = Doubtful(MomentDoubt.KEEP_AFTER_APPOINTMENTS, at("2022-05-16 18:00"), STARTS[MONDAY])
    assert "(lundi 16/05 à 18:00)" in in_words(one)
    assert "(lundi 16/05 à 08:30)" in in_words(one)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["bulletin", "bulletin_edit", "bulletin_preview", "bulletin_approve"]
)
def test_draft_preview_and_approval_warn(name, saturday_noon):
    an_appointment(starts_at=at("2022-05-16 09:00"))
    draft = a_draft()
    assert "ne sont pas retenus" not in text_of(page(crisis(), name, draft.pk))
    saturday_noon.move_to(at("2022-05-15 18:30"))
    shown = unescape(text_of(page(crisis(), name, draft.pk)))
    assert "les SMS ne sont pas retenus après l'approbation" in shown
    assert "Le délai pour garder des patients (dimanche 15/05 à 18:00) est passé" in shown


NIGHT = QuietHours.parse("21:00-08:00")


@pytest.mark.parametrize(
    ("release", "now", "hours", "said"),
    [
        (
            "2022-05-15 18:00",
            "2022-05-14 12:00",
            NIGHT,
            "partent à partir du dimanche 15/05 à 18:00",
        ),
        ("2022-05-15 22:00", "2022-05-14 12:00", NIGHT, "partent à partir du lundi 16/05 à 08:00"),
        ("2022-05-13 18:00", "2022-05-14 12:00", NIGHT, "les SMS partent aussitôt"),
        ("2022-05-14 12:00", "2022-05-14 12:00", NIGHT, "les SMS partent aussitôt"),
        (
            "2022-05-13 18:00",
            "2022-05-14 23:00",
            NIGHT,
            "qui partent à partir du dimanche 15/05 à 08",
        ),
        ("2022-05-13 18:00", "2022-05-14 23:00", QuietHours(), "les SMS partent aussitôt"),
    ],
)
def test_what_approving_does_is_true_of_every_release_hour(release, now, hours, said):
    words = {"release_at": at(release), "hours": hours, "now": at(now)}
    assert said in approval_in_words(sends=True, **words)
    assert "SMS" not in approval_in_words(sends=False, **words)


@given(release=moments, now=moments)
def test_only_what_still_lies_ahead_can_still_be_held(release, now):
    text = approval_in_words(release_at=release, sends=True, hours=NIGHT, now=now)
    assert ("jusque-là ils peuvent encore être retenus" in text) == (release > now)


@pytest.mark.parametrize(
    ("fields", "now", "said"),
    [
        ({}, "2022-05-14 12:00", "SMS à partir du dimanche 15 mai à 18:00"),
        ({}, "2022-05-15 18:00", "SMS non retenus après l'approbation : l'heure d'envoi"),
        ({"approved_at": NOON}, "2022-05-14 13:00", "SMS à partir du dimanche 15 mai à 18:00"),
        ({"approved_at": NOON}, "2022-05-15 19:00", "SMS depuis le dimanche 15 mai à 18:00"),
        (
            {"approved_at": at("2022-05-15 19:00")},
            "2022-05-15 19:30",
            "SMS non retenus : l'heure d'envoi (dimanche 15 mai à 18:00) était passée",
        ),
        (
            {"approved_at": NOON, "released_at": at("2022-05-14 13:00")},
            "2022-05-14 14:00",
            "SMS partis dès le samedi 14 mai à 13:00, au lieu du dimanche 15 mai à 18:00",
        ),
        (
            {"approved_at": NOON, "has_ended": True},
            "2022-05-14 14:00",
            "SMS prévus à partir du dimanche 15 mai à 18:00",
        ),
        (
            {"approved_at": NOON, "has_ended": True},
            "2022-05-16 14:00",
            "SMS prévus à partir du dimanche 15 mai à 18:00",
        ),
    ],
)
def test_when_sms_leave_is_true_before_and_after(fields, now, said):
    facts = {"approved_at": None, "released_at": None, "has_ended": False} | fields
    assert release_in_words(release_at=RELEASE, now=at(now), **facts).startswith(said)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["bulletin", "bulletin_edit", "bulletin_preview", "bulletin_approve"]
)
def test_no_page_speaks_of_a_past_moment_as_one_to_come(name, saturday_noon):
    an_appointment(starts_at=at("2022-05-16 09:00"))
    draft = a_draft()
    to_come = ("SMS à partir du", "partent à partir du", "peut garder jusqu'au", "peuvent encore")
    before = unescape(text_of(page(crisis(), name, draft.pk)))
    assert name == "bulletin_edit" or all(words in before for words in to_come[::2])
    saturday_noon.move_to(at("2022-05-15 18:30"))
    shown = unescape(text_of(page(crisis(), name, draft.pk)))
    assert [words for words in to_come if words in shown] == []
    if name != "bulletin_edit":
        assert "ne peut plus garder : le délai (dimanche 15/05 à 18:00) est passé" in shown
        assert "SMS non retenus après l'approbation" in shown


@pytest.mark.django_db
def test_a_bulletin_in_force_says_that_its_moments_are_past(saturday_noon):
    an_appointment(starts_at=at("2022-05-16 09:00"))
    bulletin = in_force()
    saturday_noon.move_to(at("2022-05-15 18:30"))
    shown = unescape(text_of(page(crisis(), "bulletin", bulletin.pk)))
    assert "SMS depuis le dimanche 15 mai à 18:00" in shown
    assert "ne peut plus garder" in shown
