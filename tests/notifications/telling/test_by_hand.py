"""What a person decides about SMS that did not arrive, or of which nobody knows."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import translation

from notifications.models import Delivery, Notice
from notifications.telling import by_hand as settling_by_hand
from notifications.telling.by_hand import MOST_AT_ONCE, Settled, call_instead, count_as_told, resend
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, User
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import SUNDAY, FakeGateway, a_call, a_notice, an_sms, send
from tests.pages import signed_in
from vivalia_continuity.promises import told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
LEASE = SUNDAY + dt.timedelta(minutes=15)


@pytest.fixture
def agent() -> User:
    """A call agent of Arlon."""
    return a_user("agent", "call_agent", site=a_site("arlon"))


def unknown(notice: Notice | None = None, **fields) -> Delivery:
    """Return an SMS that may have left."""
    notice = notice or a_notice(handed_over_at=SUNDAY)
    values = {
        "state": "unknown",
        "lease_until": LEASE,
        "submitted_at": SUNDAY,
        "client_reference": f"r{notice.pk}",
        "urgency": 81740,
    }
    return an_sms(notice, **(values | fields))


def failed(**fields) -> tuple[Delivery, Delivery]:
    """Return an SMS that failed and the call that waits in its place."""
    sms = an_sms(**{"state": "failed", "failure": "unreachable", "finished_at": SUNDAY} | fields)
    return sms, a_call(sms.notice)


def states(notice: Notice) -> list[tuple[str, int, str]]:
    tries = Delivery.objects.filter(notice=notice).order_by("id")
    return list(tries.values_list("channel", "number", "state"))


@pytest.mark.parametrize(
    ("language", "sent", "called"),
    [
        ("fr", "Renvoyé par chief : Storing", "Appelé à la place par chief : Storing"),
        ("nl", "Opnieuw verzonden door chief: Storing", "In plaats daarvan gebeld door chief:"),
        ("de", "Erneut gesendet von chief: Storing", "Stattdessen angerufen von chief:"),
        ("en", "Sent again by chief: Storing", "Called instead by chief: Storing"),
    ],
)
def test_a_remark_is_read_in_the_language_of_the_reader(chief, language, sent, called) -> None:
    one, other = unknown(), unknown(a_notice(patient=a_patient(), handed_over_at=SUNDAY))
    with translation.override("nl"):
        resend(delivery_ids=[one.pk], by=chief, reason="Storing")
        call_instead(delivery_ids=[other.pk], by=chief, reason="Storing")
    client = signed_in(a_user("lecteur", "crisis_cell", language=language))
    for sms, said in ((one, sent), (other, called)):
        page = client.get(reverse("message", args=[sms.pk])).content.decode()
        assert said in page


class TestSendingAgain:
    def test_an_unknown_one_leaves_again_under_another_reference(self, chief) -> None:
        sms = unknown(ignores_quiet_hours=True)
        settled = resend(delivery_ids=[sms.pk], by=chief, reason="Coupure")
        assert settled == Settled(done=1, changed=0)
        old, new = Delivery.objects.order_by("id")
        assert (old.state, old.failure, old.lease_until) == ("failed", "unknown", None)
        assert str(old.remark) == "Renvoyé par chief : Coupure"
        assert (new.state, new.number, new.urgency) == ("queued", 2, 81740)
        assert (new.not_before, new.ignores_quiet_hours) == (SUNDAY, True)
        gateway = FakeGateway()
        send(gateway)
        (message,) = gateway.messages
        assert message.reference not in {"", old.client_reference}
        assert Notice.objects.get().state == "told"

    def test_no_promise_is_broken_by_it(self, chief) -> None:
        sms = unknown()
        resend(delivery_ids=[sms.pk], by=chief, reason="Coupure")
        send(FakeGateway())
        assert list(told.two_sms_handed_over()) == []
        Delivery.objects.filter(pk=sms.pk).update(state="delivered", failure="")
        assert list(told.two_sms_handed_over()) == []

    def test_the_waiting_call_of_a_failed_one_is_withdrawn(self, chief) -> None:
        sms, _call = failed()
        Notice.objects.update(handed_over_at=None)
        resend(delivery_ids=[sms.pk], by=chief, reason="Réseau rétabli")
        sms.refresh_from_db()
        assert (sms.state, sms.failure) == ("failed", "unreachable")
        assert states(sms.notice) == [
            ("sms", 1, "failed"),
            ("phone", 1, "withdrawn"),
            ("sms", 2, "queued"),
        ]

    def test_it_goes_to_the_number_that_the_patient_has_now(self, chief) -> None:
        sms, _call = failed(failure="invalid_number")
        sms.notice.patient.mobile = "+32470000001"
        sms.notice.patient.save()
        resend(delivery_ids=[sms.pk], by=chief, reason="Numéro corrigé")
        assert Delivery.objects.get(state="queued").address == "+32470000001"

    def test_a_patient_whom_an_agent_is_calling_is_left_to_the_agent(self, chief) -> None:
        sms, call = failed()
        Delivery.objects.filter(pk=call.pk).update(
            state="claimed", claimed_by="agent", lease_until=LEASE
        )
        assert resend(delivery_ids=[sms.pk], by=chief, reason="x") == Settled(done=0, changed=1)
        assert states(sms.notice) == [("sms", 1, "failed"), ("phone", 1, "claimed")]

    def test_an_sms_too_late_or_opted_out_or_replaced_stays(self, chief, sunday) -> None:
        late = unknown(a_notice(items=[("2022-05-15 09:20", "cancelled")], handed_over_at=SUNDAY))
        patient = a_patient(sms_opt_out_at=SUNDAY)
        unwanted = unknown(a_notice(patient=patient, handed_over_at=SUNDAY))
        replaced = unknown()
        a_notice(
            patient=replaced.notice.patient,
            items=[("2022-05-16 09:10", "maintained")],
            version=2,
        )
        ids = [late.pk, unwanted.pk, replaced.pk]
        settled = resend(delivery_ids=ids, by=chief, reason="x")
        assert settled == Settled(done=0, changed=0, useless=3)
        assert Delivery.objects.filter(state="unknown").count() == 3
        assert not AuditEvent.objects.exists()

    def test_an_agent_may_not(self, agent) -> None:
        with pytest.raises(AccessRefused):
            resend(delivery_ids=[unknown().pk], by=agent, reason="x")


class TestCallingInstead:
    def test_the_patient_is_on_the_call_list_at_once(self, agent) -> None:
        sms = unknown()
        assert call_instead(delivery_ids=[sms.pk], by=agent) == Settled(done=1, changed=0)
        old, call = Delivery.objects.order_by("id")
        assert (old.state, old.failure) == ("failed", "unknown")
        assert str(old.remark) == "Appelé à la place par agent."
        assert (call.channel, call.state, call.not_before) == ("phone", "queued", SUNDAY)

    def test_of_a_failed_one_the_call_is_open_already(self, chief) -> None:
        sms, _call = failed()
        assert call_instead(delivery_ids=[sms.pk], by=chief) == Settled(done=0, changed=1)
        assert len(states(sms.notice)) == 2

    def test_one_that_a_newer_notice_replaces_is_withdrawn_without_a_call(self, chief) -> None:
        sms = unknown()
        a_notice(patient=sms.notice.patient, items=[("2022-05-16 09:10", "maintained")], version=2)
        call_instead(delivery_ids=[sms.pk], by=chief)
        assert states(sms.notice) == [("sms", 1, "failed")]
        assert Notice.objects.get(version=1).state == "withdrawn"


class TestCountingAsTold:
    def test_an_unknown_one_counts_as_received(self, agent) -> None:
        sms = unknown()
        settled = count_as_told(delivery_ids=[sms.pk], by=agent, reason="Il a rappelé")
        assert settled == Settled(done=1, changed=0)
        sms.refresh_from_db()
        assert (sms.state, sms.finished_at, sms.lease_until) == ("delivered", SUNDAY, None)
        assert str(sms.remark) == "Compté comme prévenu par agent : Il a rappelé"
        notice = Notice.objects.get()
        assert (notice.state, notice.settled_by, notice.settled_at) == ("told", agent, SUNDAY)

    def test_of_a_failed_one_the_waiting_call_counts_as_made(self, agent) -> None:
        sms, call = failed()
        count_as_told(delivery_ids=[sms.pk], by=agent, reason="Venu à l'accueil")
        call.refresh_from_db()
        assert (call.state, call.caller) == ("delivered", agent)
        assert "Venu à l'accueil" in str(call.remark)
        notice = Notice.objects.get()
        assert (notice.state, notice.handed_over_at) == ("told", SUNDAY)
        assert list(told.told_without_a_hand_over()) == []

    def test_when_somebody_is_ringing_it_is_theirs_to_say(self, agent) -> None:
        sms, call = failed()
        Delivery.objects.filter(pk=call.pk).update(
            state="claimed", claimed_by="other", lease_until=LEASE
        )
        settled = count_as_told(delivery_ids=[sms.pk], by=agent, reason="x")
        assert settled == Settled(done=0, changed=1)
        assert Notice.objects.get().state == "open"

    @pytest.mark.parametrize("settle", [resend, count_as_told])
    def test_it_says_why_or_nothing_happens(self, settle, chief) -> None:
        sms = unknown()
        with pytest.raises(Refusal, match="Dites pourquoi"):
            settle(delivery_ids=[sms.pk], by=chief, reason="  ")
        assert states(sms.notice) == [("sms", 1, "unknown")]


class TestMany:
    def test_what_changed_meanwhile_is_left_alone_and_counted(self, chief) -> None:
        still = unknown()
        received = unknown(state="delivered", lease_until=None)
        Notice.objects.filter(pk=received.notice_id).update(state="told", settled_at=SUNDAY)
        ids = [still.pk, received.pk, 999_999]
        assert call_instead(delivery_ids=ids, by=chief) == Settled(done=1, changed=2)
        received.refresh_from_db()
        assert received.state == "delivered"

    def test_an_older_try_is_not_touched_while_a_newer_one_is_under_way(self, chief) -> None:
        old = an_sms(state="failed", finished_at=SUNDAY)
        an_sms(old.notice, number=2, state="queued")
        assert resend(delivery_ids=[old.pk], by=chief, reason="x") == Settled(done=0, changed=1)

    def test_one_event_names_them_all(self, chief) -> None:
        ids = [unknown().pk for _ in range(3)]
        resend(delivery_ids=ids, by=chief, reason="Coupure")
        event = AuditEvent.objects.get()
        assert (event.action, event.actor) == ("sms.resent", chief)
        assert event.detail == {"deliveries": sorted(ids), "reason": "Coupure"}

    def test_twice_the_same_click_moves_them_once(self, chief) -> None:
        ids = [unknown().pk, unknown().pk]
        resend(delivery_ids=ids, by=chief, reason="Coupure")
        assert resend(delivery_ids=ids, by=chief, reason="Coupure").done == 0
        assert Delivery.objects.filter(state="queued").count() == 2

    def test_other_sites_are_not_theirs(self, agent) -> None:
        there = unknown(a_notice(site=a_site("virton"), handed_over_at=SUNDAY))
        settled = count_as_told(delivery_ids=[there.pk], by=agent, reason="x")
        assert settled == Settled(done=0, changed=1)
        local = a_user("local", "crisis_cell", site=a_site("arlon"))
        assert resend(delivery_ids=[there.pk], by=local, reason="x").done == 0

    def test_an_agent_settles_one_at_a_time(self, agent) -> None:
        ids = [unknown().pk, unknown().pk]
        with pytest.raises(Refusal, match="un par un"):
            call_instead(delivery_ids=ids, by=agent)

    def test_an_auditor_only_looks(self) -> None:
        auditor = a_user("auditor", "auditor")
        for settle in (resend, call_instead, count_as_told):
            with pytest.raises(AccessRefused):
                settle(delivery_ids=[1], by=auditor, reason="x")

    def test_too_many_at_once_are_refused(self, chief) -> None:
        with pytest.raises(Refusal, match=str(MOST_AT_ONCE)):
            resend(delivery_ids=range(1, MOST_AT_ONCE + 2), by=chief, reason="x")

    @pytest.mark.parametrize("name", ["resend", "call_instead", "count_as_told"])
    def test_the_number_of_queries_does_not_grow(
        self, name: str, chief, django_assert_max_num_queries
    ) -> None:
        ids = [unknown().pk for _ in range(15)] + [failed()[0].pk for _ in range(15)]
        with django_assert_max_num_queries(30):
            getattr(settling_by_hand, name)(delivery_ids=ids, by=chief, reason="x")

    def test_a_long_reason_fits(self, chief) -> None:
        sms = unknown(a_notice(items=[("2022-05-17 09:10", "cancelled")], handed_over_at=SUNDAY))
        call_instead(delivery_ids=[sms.pk], by=chief, reason="é" * 300)
        sms.refresh_from_db()
        assert str(sms.remark) == f"Appelé à la place par chief : {'é' * 200}"
        assert sms.finished_at < at("2022-05-17 09:10")
