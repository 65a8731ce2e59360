"""What a withdrawn notice also said is said by phone, for any number of patients at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.lifecycle.follow_up import carry_over
from notifications.models import Delivery, Notice
from tests.builders import a_patient, at
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms

pytestmark = pytest.mark.django_db
BOTH = (("2022-05-16 09:10", "cancelled"), ("2022-05-16 10:10", "cancelled"))
LATER = (("2022-05-16 10:10", "maintained"),)


def withdrawn(number: int = 0) -> Notice:
    """Return what an SMS of unknown fate said of two appointments, and which is withdrawn."""
    patient = a_patient(landline=f"+32631100{number:02}")
    notice = a_notice(items=BOTH, patient=patient)
    an_sms(notice, urgency=30 + number)
    notice.state, notice.settled_at = "withdrawn", SUNDAY
    notice.save()
    return notice


def newer(notice: Notice, **fields) -> Notice:
    """Return the notice that speaks of the second appointment only."""
    made = a_notice(items=LATER, patient=notice.patient, site=notice.site, version=2, **fields)
    made.items.update(subject_id=notice.items.get(starts_at=at("2022-05-16 10:10")).subject_id)
    return made


def said(notice: Notice) -> list[str]:
    return list(notice.items.order_by("starts_at").values_list("word", flat=True))


def test_what_no_newer_notice_says_is_said_by_a_call_of_its_own() -> None:
    old = withdrawn(7)
    carry_over([old.pk], at=SUNDAY)
    new, call = Notice.objects.get(state="open"), Delivery.objects.get(channel="phone")
    assert (new.version, new.first_at, new.site) == (2, at("2022-05-16 09:10"), old.site)
    assert (call.notice, call.state, call.not_before) == (new, "queued", SUNDAY)
    assert (call.address, call.urgency) == ("+3263110007", 37)
    assert said(new) == ["cancelled", "cancelled"]


def test_a_newer_notice_that_waits_says_it_too_and_is_no_longer_for_the_doctor_alone() -> None:
    old = withdrawn()
    waiting = newer(old)
    a_call(waiting)
    carry_over([old.pk], at=SUNDAY)
    waiting.refresh_from_db()
    assert said(waiting) == ["cancelled", "maintained"]
    assert (waiting.first_at, waiting.reserved_for) == (at("2022-05-16 09:10"), None)
    assert Delivery.objects.filter(channel="phone").count() == 1


def test_what_a_newer_notice_says_is_left_to_it() -> None:
    old = withdrawn()
    newer(old, state="told", handed_over_at=SUNDAY, settled_at=SUNDAY)
    carry_over([old.pk], at=SUNDAY)
    assert said(Notice.objects.get(version=3)) == ["cancelled"]


def test_many_patients_cost_as_many_queries_as_one() -> None:
    def queries(number: int, start: int) -> int:
        olds = [withdrawn(start + n) for n in range(number)]
        for old in olds[::2]:
            newer(old)
        with CaptureQueriesContext(connection) as asked:
            carry_over([old.pk for old in olds], at=SUNDAY)
        return len(asked)

    assert queries(2, start=0) == queries(10, start=10)
    assert Delivery.objects.filter(channel="phone").count() == 6
