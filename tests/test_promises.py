"""The thirteen promises of DESIGN.md section 6: each named, and each tried to break.

The first six, about telling, are here; the other seven in ``test_promises_of_data.py``.

More of them is tried elsewhere: races on PostgreSQL (``*/test_*races.py``), killed processes
(``faults/``), every page with the wrong role (``*/views``). Here each is tried from end to end.
"""

import datetime as dt
from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from appointments.bulletins import services as bulletins
from appointments.decisions import keeping
from appointments.rules import ClauseTerms
from appointments.vocabulary import Service
from notifications.gateways import Unknown
from notifications.models import Delivery, Notice, Word, notice_id_of
from notifications.sending import handover
from notifications.sending import switch as sending
from notifications.sending.sweep import sweep
from notifications.texts import render as texts
from notifications.texts.forbidden_words import medical_words_in
from patients.models import Language
from tests import test_promises_of_data
from tests.appointments.bulletins.builders import (
    RELEASE,
    approved,
    in_force,
    somebody_in_the_crisis_cell,
)
from tests.builders import MONDAY, a_patient, a_practitioner, a_site, a_unit, an_appointment, at
from tests.notifications.builders import FakeGateway, claim_due, send
from vivalia_continuity.promises import PROMISES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def everything_is_kept() -> bool:
    """Whether the data breaks no promise."""
    return not any(promise.faults() for promise in PROMISES)


def test_the_promises_are_the_thirteen_of_the_design():
    assert [promise.number for promise in PROMISES] == list(range(1, 14))
    tried = [*globals(), *vars(test_promises_of_data)]
    named = [name for name in tried if name.startswith("test_promise_")]
    assert {int(name.split("_")[2]) for name in named} == set(range(1, 14))


def test_promise_1_told_once_whatever_is_clicked_sent_or_swept_twice(saturday_noon):
    people = [an_appointment(starts=f"2022-05-16 {hour:02}:00").patient for hour in range(8, 18)]
    an_appointment(patient=people[0], service="radiology", starts="2022-05-16 16:00")
    bulletin = in_force()
    approved(bulletin)  # a double click
    bulletins.approve(bulletin_id=bulletin.pk, by=somebody_in_the_crisis_cell("crise3"))
    sending.release_now(by=somebody_in_the_crisis_cell("crise1"))
    gateway = FakeGateway()
    for worker in ("w1", "w2", "w1"):
        send(gateway, worker=worker, limit=4)
        sweep(gateways=[gateway])
        send(gateway, worker=worker)
    assert Counter(message.to for message in gateway.messages) == Counter(
        person.mobile for person in people
    )
    assert everything_is_kept()


def test_promise_1_the_database_itself_refuses_a_second_notice_and_a_second_try():
    an_appointment()
    in_force()
    for row in (Notice.objects.get(), Delivery.objects.get()):
        row.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_promise_2_nobody_is_lost_when_the_broker_is_dead(saturday_noon, monkeypatch):
    def dead(*args, **kwargs):
        raise OSError("no broker")

    monkeypatch.setattr("notifications.sending.switch.current_app.send_task", dead)
    for landline in ("", "+3263012345"):
        an_appointment(patient=a_patient(landline=landline))
        an_appointment(patient=a_patient(landline=landline, mobile=""))
    in_force()
    saturday_noon.move_to(RELEASE)
    sweep(gateways=[FakeGateway()])
    send(FakeGateway())
    assert Notice.objects.filter(state="told").count() == 2
    assert Delivery.objects.filter(channel="phone", state="queued").count() == 2
    assert everything_is_kept()


def test_promise_2_a_worker_that_dies_with_its_claims_leaves_them_to_the_next(saturday_noon):
    an_appointment()
    in_force()
    saturday_noon.move_to(RELEASE)
    assert claim_due("dies")
    assert send(FakeGateway(), worker="next").claimed == 0
    saturday_noon.shift(dt.timedelta(minutes=5))
    sweep(gateways=[FakeGateway()])
    assert send(FakeGateway(), worker="next").accepted == 1
    assert everything_is_kept()


@pytest.mark.parametrize("is_claimed", [False, True])
def test_promise_3_no_sms_to_a_kept_patient_that_was_not_handed_over(
    saturday_noon, doctor, is_claimed
):
    kept = an_appointment(practitioner=doctor.practitioner)
    in_force(
        ClauseTerms(
            "cancel",
            "cancelled",
            kept_by="doctor",
            keep_until=RELEASE + dt.timedelta(hours=1),
            services=("consultation",),
        )
    )
    saturday_noon.move_to(RELEASE)
    gateway = FakeGateway()
    claimed = claim_due("w1") if is_claimed else []
    keeping.keep(appointment_id=kept.pk, by=doctor)
    assert not handover.hand_over(ids=claimed, worker="w1", gateway=gateway)
    send(gateway)
    assert gateway.messages == []
    assert everything_is_kept()


def test_promise_4_what_a_silent_gateway_may_have_sent_is_not_asked_again(saturday_noon):
    an_appointment()
    in_force()
    saturday_noon.move_to(RELEASE)
    gateway = FakeGateway(Unknown("no answer"))
    for _ in range(3):
        send(gateway)
        sweep(gateways=[gateway])
        saturday_noon.shift(dt.timedelta(minutes=2))
    assert len(gateway.messages) == 1
    assert Delivery.objects.get().state == "unknown"
    assert everything_is_kept()


def test_promise_5_stop_holds_what_is_left_and_loses_nothing(saturday_noon):
    for _ in range(6):
        an_appointment()
    in_force()
    saturday_noon.move_to(RELEASE)
    boss = somebody_in_the_crisis_cell("crise1")
    send(FakeGateway(), limit=2)
    sending.pause(by=boss)
    saturday_noon.shift(dt.timedelta(seconds=10))
    assert send(FakeGateway()).held_up
    assert Notice.objects.filter(state="told").count() == 2
    assert everything_is_kept()
    sending.resume(by=boss)
    assert send(FakeGateway()).accepted == 4


@pytest.mark.parametrize("language", Language.values)
@pytest.mark.parametrize("words", [("cancelled",), ("maintained",), ("cancelled", "maintained")])
def test_promise_6_no_text_says_anything_medical_and_each_can_be_checked(language, words):
    patient = a_patient(language=language)
    notice = Notice.objects.create(
        patient=patient, day=MONDAY, version=1, site=a_site(), first_at=RELEASE, created_at=RELEASE
    )
    lines = [
        texts.MessageItem(at(f"2022-05-16 {9 + n:02}:10"), Word(w)) for n, w in enumerate(words)
    ]
    body = texts.of_notice(notice, lines)
    reference = next(word for word in body.split() if notice_id_of(word.strip(".")) == notice.pk)
    assert medical_words_in(body.replace(reference, "")) == []
    assert "+32 63 00 00 00" in body


@pytest.mark.parametrize("service", Service)
def test_promise_6_whatever_is_cancelled_the_sms_does_not_say_what_it_was(saturday_noon, service):
    unit = a_unit("arlon-oncologie")
    doctor = a_practitioner("collignon")
    an_appointment(service=service, unit=unit, practitioner=doctor, act="Chimiothérapie")
    in_force(ClauseTerms("cancel", "cancelled"))
    saturday_noon.move_to(RELEASE)
    gateway = FakeGateway()
    send(gateway)
    assert len(gateway.messages) == (service != Service.EMERGENCY)
    for message in gateway.messages:
        assert not {"oncologie", "collignon", "chimio", service.value} & set(
            message.text.lower().split()
        )
    assert PROMISES[5].faults() == []
