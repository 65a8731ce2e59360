"""Replies of patients: the sender, what STOP does, and the outcome."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from notifications.gateways import Inbound
from notifications.models import Delivery, Notice, Reply
from notifications.receipts import replies
from patients.models import Patient
from staff.errors import Refusal
from staff.models import AuditEvent
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import RELEASE, SUNDAY, FakeGateway, a_notice, an_sms, send
from tests.notifications.receipts.builders import TAKEN_AT, a_taken_sms, life, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
PHONE = "+32470000042"


def writes(text: str, phone: str = PHONE, **fields) -> Inbound:
    return Inbound(phone=phone, text=text, **fields)


def who(reply: Reply) -> tuple[Patient | None, Notice | None]:
    return reply.patient, reply.notice


class TestWhoWrote:
    def test_the_patient_with_that_mobile_and_the_newest_sms_handed_over(self) -> None:
        patient = a_patient(mobile=PHONE)
        older = a_taken_sms(notice=a_notice(patient=patient), submitted_at=TAKEN_AT)
        newer = a_taken_sms(
            notice=a_notice(patient=patient, version=2, items=[("2022-05-17 09:00", "cancelled")]),
            submitted_at=SUNDAY,
        )
        an_sms(a_notice(patient=patient, items=[("2022-05-18 09:00", "cancelled")]))
        assert receive(writes("Merci")).replies == 1
        reply = Reply.objects.get()
        assert (reply.meaning, who(reply)) == ("other", (patient, newer.notice))
        assert list(newer.notice.replies.all()) == [reply]
        assert list(older.notice.replies.all()) == []

    def test_of_several_with_one_phone_the_one_who_got_the_newest_sms(self) -> None:
        mother, child = a_patient(mobile=PHONE), a_patient(mobile=PHONE)
        a_taken_sms(notice=a_notice(patient=child), submitted_at=SUNDAY)
        a_taken_sms(notice=a_notice(patient=mother), submitted_at=SUNDAY - dt.timedelta(hours=1))
        receive(writes("Merci"))
        assert Reply.objects.get().patient == child

    def test_several_patients_without_any_sms_leave_the_sender_open(self) -> None:
        a_patient(mobile=PHONE)
        a_patient(mobile=PHONE)
        receive(writes("Merci"))
        assert who(Reply.objects.get()) == (None, None)

    def test_an_unknown_number_is_kept(self) -> None:
        receive(writes("STOP", phone="32470999999"))
        reply = Reply.objects.get()
        assert (reply.phone, who(reply)) == ("+32470999999", (None, None))

    def test_the_same_one_again_is_kept_once_and_stops_once(self, sunday) -> None:
        patient = a_patient(mobile=PHONE)
        receive(writes("STOP", key="k1"), writes("STOP", key="k1"))
        Patient.objects.update(sms_opt_out_at=None)
        assert receive(writes("STOP", key="k1")).replies == 0
        patient.refresh_from_db()
        assert (Reply.objects.count(), patient.sms_opt_out_at) == (1, None)

    def test_without_a_key_or_a_moment_it_counts_once_a_day(self, sunday) -> None:
        receive(writes("STOP"), writes("STOP"))
        assert Reply.objects.count() == 1
        sunday.move_to(at("2022-05-16 09:00"))
        receive(writes("STOP"))
        assert Reply.objects.count() == 2

    def test_nothing_that_a_phone_can_send_gets_lost_or_in_the_way(self) -> None:
        receive(writes("Oui\r\nmerci \x00\ud800 😀" + "x" * 5000))
        assert Reply.objects.get().text.startswith("Oui\nmerci")
        assert "😀" in Reply.objects.get().text

    def test_the_number_of_statements_does_not_grow(self, django_assert_max_num_queries) -> None:
        for n in range(40):
            a_taken_sms(notice=a_notice(patient=a_patient(mobile=f"+3247100{n:04d}")))
        many = [writes(("STOP", "Merci")[n % 2], f"+3247100{n:04d}") for n in range(40)]
        with django_assert_max_num_queries(24):
            assert receive(*many).replies == 40


class TestStop:
    def test_it_silences_sms_at_once_and_has_the_patient_called(self) -> None:
        patient = a_patient(mobile=PHONE)
        sms = an_sms(a_notice(patient=patient), state="queued")
        receive(writes("Stop svp"))
        patient.refresh_from_db()
        sms.refresh_from_db()
        assert patient.sms_opt_out_at == SUNDAY
        assert life(sms) == ("open", [("sms", "suppressed"), ("phone", "queued")])
        assert sms.failure == "opted_out"
        event = AuditEvent.objects.get()
        assert (event.action, event.detail) == ("patients.sms_stopped", {"patients": [patient.pk]})

    def test_a_held_sms_becomes_a_call_that_is_not_due_before_its_release(self) -> None:
        release = at("2022-05-15 18:00")
        an_sms(a_notice(patient=a_patient(mobile=PHONE)), not_before=release)
        receive(writes("STOP"))
        assert Delivery.objects.get(channel="phone").not_before == release

    def test_an_sms_that_was_due_becomes_a_call_that_is_due_now(self) -> None:
        an_sms(a_notice(patient=a_patient(mobile=PHONE)), not_before=RELEASE)
        receive(writes("STOP"))
        assert Delivery.objects.get(channel="phone").not_before == SUNDAY

    def test_everybody_with_that_mobile_is_meant(self) -> None:
        for _ in range(2):
            an_sms(a_notice(patient=a_patient(mobile=PHONE)))
        other = an_sms()
        receive(writes("STOP"))
        assert Patient.objects.filter(sms_opt_out_at=SUNDAY).count() == 2
        assert Delivery.objects.filter(state="suppressed").count() == 2
        assert life(other) == ("open", [("sms", "held")])

    def test_what_was_handed_over_is_left_to_its_receipt(self) -> None:
        sms = a_taken_sms(notice=a_notice(patient=a_patient(mobile=PHONE), handed_over_at=SUNDAY))
        receive(writes("STOP"), says("delivered", sms))
        assert life(sms) == ("told", [("sms", "delivered")])

    def test_no_sms_leaves_afterwards(self) -> None:
        an_sms(a_notice(patient=a_patient(mobile=PHONE)))
        receive(writes("STOP"))
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages == []


class TestHandling:
    @pytest.fixture
    def agent(self):
        """An agent of the whole group."""
        return a_user("agent", "call_agent")

    @pytest.fixture
    def reply(self) -> Reply:
        """A STOP of a patient with a notice."""
        a_taken_sms(notice=a_notice(patient=a_patient(mobile=PHONE)))
        receive(writes("STOP"))
        return Reply.objects.get()

    @pytest.mark.parametrize(
        ("outcome", "no_sms", "no_reminders"),
        [
            ("no_sms_at_all", True, False),
            ("no_reminders", False, True),
            ("sms_again", False, False),
            ("seen", True, False),
        ],
    )
    def test_each_outcome_sets_what_the_patient_wants(
        self, agent, reply, outcome, no_sms, no_reminders
    ) -> None:
        replies.handle(reply_id=reply.pk, outcome=outcome, by=agent)
        patient = Patient.objects.get()
        assert bool(patient.sms_opt_out_at) == no_sms
        assert bool(patient.reminder_opt_out_at) == no_reminders
        reply.refresh_from_db()
        assert (reply.outcome, reply.handled_by, reply.handled_at) == (outcome, agent, SUNDAY)
        event = AuditEvent.objects.order_by("-sequence")[0]
        assert (event.action, event.actor) == (f"reply.{outcome}", agent)

    def test_somebody_who_did_not_write_stop_may_ask_for_it_by_phone(self, agent) -> None:
        sms = an_sms(a_notice(patient=a_patient(mobile=PHONE)), state="queued")
        receive(writes("Pourquoi ces messages ?"))
        replies.handle(reply_id=Reply.objects.get().pk, outcome="no_sms_at_all", by=agent)
        assert Patient.objects.get().sms_opt_out_at == SUNDAY
        assert life(sms) == ("open", [("sms", "suppressed"), ("phone", "queued")])

    def test_who_comes_second_reads_who_was_first(self, agent, reply) -> None:
        replies.handle(reply_id=reply.pk, outcome="sms_again", by=agent)
        with pytest.raises(Refusal, match="agent a déjà traité"):
            replies.handle(reply_id=reply.pk, outcome="no_reminders", by=agent)

    def test_another_site_does_not_see_it(self, reply) -> None:
        local = a_user("local", "call_agent", site=a_site("virton"))
        with pytest.raises(Refusal, match="n'existe pas"):
            replies.handle(reply_id=reply.pk, outcome="seen", by=local)

    def test_the_page_asks_which_of_the_two_and_takes_the_answer(self, agent, reply) -> None:
        client = Client()
        client.force_login(agent)
        page = client.get(reverse("replies")).content.decode()
        assert "À traiter (1)" in page
        assert "Seulement plus de rappels" in page
        assert f'href="tel:{PHONE}"' in page
        address = reverse("reply_handle", args=[reply.pk])
        done = client.post(address, {"outcome": "no_reminders"}, follow=True).content.decode()
        assert "C&#x27;est noté : plus de rappels, mais bien les annulations." in done
        assert "Aucune réponse à traiter" in done
        handled = client.get(reverse("replies"), {"show": "handled"}).content.decode()
        assert "noté par agent" in handled
        again = client.post(address, {"outcome": "seen"}, follow=True).content.decode()
        assert "agent a déjà traité cette réponse" in again
        assert client.post(address, {"outcome": "nonsense"}).status_code == 404

    def test_a_site_sees_its_own_and_the_group_those_of_unknown_numbers(self, agent, reply) -> None:
        receive(writes("Qui est-ce ?", phone="+32470999999"))
        by_phone = a_notice(site=a_site("virton"))
        receive(writes("OK", phone=by_phone.patient.mobile))

        def seen(user) -> set[str]:
            client = Client()
            client.force_login(user)
            return {one.text for one in client.get(reverse("replies")).context["page"]}

        assert seen(agent) == {"STOP", "Qui est-ce ?", "OK"}
        assert seen(a_user("a", "call_agent", site=a_site("arlon"))) == {"STOP"}
        assert seen(a_user("v", "call_agent", site=a_site("virton"))) == {"OK"}

    def test_the_number_of_queries_does_not_grow_with_the_replies(
        self, agent, django_assert_max_num_queries
    ) -> None:
        for n in range(30):
            a_taken_sms(notice=a_notice(patient=a_patient(mobile=f"+3247200{n:04d}")))
        receive(*[writes("STOP", f"+3247200{n:04d}") for n in range(30)])
        client = Client()
        client.force_login(agent)
        client.get(reverse("replies"))
        with django_assert_max_num_queries(20):
            assert len(client.get(reverse("replies")).context["page"]) == 30


class TestUnmatched:
    def test_unmatched_receipts_are_shown_to_those_who_see_every_site(self) -> None:
        sms = a_taken_sms()
        receive(
            says("delivered", sms),
            says("failed", provider_ids=("4711", "1267"), failure="barred", remark="err:9"),
        )
        client = Client()
        client.force_login(a_user("chief", "crisis_cell"))
        page = client.get(reverse("unmatched_receipts")).content.decode()
        for word in ("4711", "1267", "numéro bloqué", "err:9"):
            assert word in page
        assert sms.client_reference not in page
        assert [one.state for one in sms.receipts.all()] == ["delivered"]
