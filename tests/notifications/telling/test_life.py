"""One notice's life: everything that happened, in order, and what is waited for."""

import datetime as dt

import pytest
from django.urls import reverse

from notifications.models import Notice, Receipt, Reply
from notifications.telling.outbox import life_of
from tests.builders import a_user, at
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def kinds(notice: Notice) -> list[str]:
    return [event.kind for event in life_of(notice).events]


def a_receipt(sms, state: str, at_: dt.datetime, **fields) -> Receipt:
    key = f"{sms.pk}-{state}"
    return Receipt.objects.create(
        gateway="smsc", key=key, delivery=sms, state=state, received_at=at_, **fields
    )


def test_an_sms_that_failed_and_a_call_that_reached_are_told_in_order() -> None:
    notice = a_notice(handed_over_at=SUNDAY)
    sms = an_sms(
        notice,
        state="failed",
        submitted_at=at("2022-05-14 18:01"),
        finished_at=at("2022-05-14 18:05"),
    )
    a_receipt(sms, "failed", at("2022-05-14 18:05"), failure="unreachable")
    a_call(notice, state="failed", finished_at=at("2022-05-14 19:00"), failure="no_answer")
    a_call(notice, state="delivered", number=2, finished_at=at("2022-05-14 20:00"))
    Notice.objects.update(state="told", settled_at=at("2022-05-14 20:00"))
    notice.refresh_from_db()
    expected = ["opened", "submitted", "receipt", "ended", "called", "called", "closed"]
    assert kinds(notice) == expected


@pytest.mark.parametrize("state", ["held", "queued"])
def test_what_did_not_leave_is_waited_for_at_the_end(state: str) -> None:
    sms = an_sms(state=state)
    assert kinds(sms.notice) == ["opened", "waiting"]


def test_an_unknown_one_is_unsettled_until_its_limit() -> None:
    limit = SUNDAY + dt.timedelta(minutes=15)
    sms = an_sms(state="unknown", submitted_at=SUNDAY, lease_until=limit)
    events = life_of(sms.notice).events
    assert [event.kind for event in events] == ["opened", "submitted", "unsettled"]
    assert events[-1].at == limit


def test_over_a_gateway_without_receipts_the_hand_over_is_the_end() -> None:
    sms = an_sms(state="accepted", submitted_at=SUNDAY, finished_at=SUNDAY)
    assert kinds(sms.notice) == ["opened", "submitted"]


def test_what_the_patient_writes_back_is_there() -> None:
    sms = an_sms(state="delivered", submitted_at=SUNDAY, finished_at=SUNDAY)
    Reply.objects.create(
        gateway="smsc",
        key="1",
        phone=sms.address,
        text="Merci",
        meaning="other",
        notice=sms.notice,
        received_at=SUNDAY + dt.timedelta(minutes=5),
    )
    assert kinds(sms.notice) == ["opened", "submitted", "ended", "reply"]


def test_it_takes_the_same_few_queries_however_long_it_was(django_assert_num_queries) -> None:
    notice = a_notice()
    for number in range(1, 6):
        sms = an_sms(notice, number=number, state="failed", finished_at=SUNDAY)
        a_receipt(sms, "failed", SUNDAY)
    with django_assert_num_queries(7):
        assert len(life_of(notice).events) == 11


def test_the_page_shows_all_of_it_and_leads_to_the_notices_before_and_after(client) -> None:
    first = a_notice(state="told", handed_over_at=SUNDAY, settled_at=SUNDAY)
    earlier = an_sms(first, state="delivered", finished_at=SUNDAY)
    second = a_notice(patient=first.patient, items=[("2022-05-16 09:10", "maintained")], version=2)
    sms = an_sms(
        second,
        state="unknown",
        submitted_at=SUNDAY,
        gateway="smsc",
        client_reference="r42",
        provider_id="p42",
        claimed_by="w1:7",
        lease_until=SUNDAY + dt.timedelta(minutes=15),
        remark="l'opérateur n'a rien répondu",
        body="Votre rendez-vous est maintenu.",
        parts=2,
    )
    a_receipt(sms, "on_its_way", SUNDAY, remark="stat:ENROUTE")
    client.force_login(a_user("chief", "crisis_cell"))
    page = client.get(reverse("message", args=[sms.pk])).content.decode()
    for words in (
        "avis n° 2",
        "Avis n° 1",
        "remis à smsc",
        "r42",
        "p42",
        "w1:7",
        "2 parties",
        "stat:ENROUTE",
    ):
        assert words in page
    assert "version" not in page.partition("<main")[2]
    assert "sans nouvelle d" in page
    assert reverse("message", args=[earlier.pk]) in page
    assert "avant celui-ci" in page
