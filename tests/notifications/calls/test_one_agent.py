"""One agent calls a patient, once, about all their days."""

import pytest

from notifications.calls import services as calls
from notifications.calls.queries import counts
from notifications.models import Delivery, Notice
from staff.errors import Refusal
from staff.models import AuditEvent
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import a_call, a_notice

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
NINE = [("2022-05-16 09:00", "cancelled")]


def tries(notice: Notice) -> list[tuple[str, str, str]]:
    """Return (state, failure, address) of each try."""
    return list(notice.deliveries.order_by("id").values_list("state", "failure", "address"))


class TestOnePatientOneAgent:
    @pytest.fixture
    def days(self) -> tuple[Delivery, Delivery]:
        """The calls of somebody with Monday and Tuesday cancelled, the landline tried first."""
        patient = a_patient(mobile="+32470000001", landline="+3263000001")
        return (
            a_call(a_notice(patient=patient, items=NINE), urgency=81740),
            a_call(
                a_notice(patient=patient, items=[("2022-05-17 09:00", "cancelled")]), urgency=81750
            ),
        )

    def test_who_takes_one_day_takes_the_other_too(self, agent, days) -> None:
        monday, tuesday = days
        assert calls.take(delivery_id=tuesday.pk, by=agent) == tuesday
        holders = Delivery.objects.filter(state="claimed").values_list(
            "caller__username", flat=True
        )
        assert list(holders) == ["agent", "agent"]

    def test_a_second_agent_does_not_call_the_same_patient(self, agent, days) -> None:
        monday, tuesday = days
        calls.take_next(by=agent)
        other = a_user("b", "call_agent")
        assert calls.take_next(by=other) is None
        assert counts(other) == {
            "open": 2,
            "due": 0,
            "later": 0,
            "without": 0,
            "by_doctors": 0,
        }
        with pytest.raises(Refusal, match="agent est en train d'appeler"):
            calls.take(delivery_id=monday.pk, by=other)

    def test_a_day_that_became_due_meanwhile_waits_for_the_agent_who_calls(
        self, agent, days, sunday
    ) -> None:
        _monday, tuesday = days
        Delivery.objects.filter(pk=tuesday.pk).update(not_before=at("2022-05-15 09:05"))
        calls.take_next(by=agent)
        sunday.move_to(at("2022-05-15 09:05"))
        other = a_user("b", "call_agent")
        assert calls.take_next(by=other) is None
        with pytest.raises(Refusal, match="agent est en train d'appeler"):
            calls.take(delivery_id=tuesday.pk, by=other)

    def test_a_lease_that_ran_out_leaves_all_days_to_the_next(self, agent, days, sunday) -> None:
        calls.take_next(by=agent)
        sunday.shift(16 * 60)
        other = a_user("b", "call_agent")
        assert calls.take_next(by=other)
        assert Delivery.objects.filter(state="claimed", caller=other).count() == 2

    def test_reached_tells_both_days_and_both_are_in_the_trail(self, agent, days) -> None:
        monday, tuesday = days
        calls.take_next(by=agent)
        calls.log(delivery_id=monday.pk, by=agent, result="reached")
        assert set(Notice.objects.values_list("state", "settled_by")) == {("told", agent.pk)}
        logged = AuditEvent.objects.filter(action="call.reached")
        assert set(logged.values_list("object_id", flat=True)) == {
            str(monday.notice_id),
            str(tuesday.notice_id),
        }

    @pytest.mark.parametrize("result", ["no_answer", "wrong_number", "call_back_later"])
    def test_any_other_result_opens_the_next_try_of_both(self, agent, days, result) -> None:
        monday, tuesday = days
        Delivery.objects.filter(pk=tuesday.pk).update(address="+3263000001")
        calls.take_next(by=agent)
        calls.log(delivery_id=monday.pk, by=agent, result=result)
        rung = [tries(day.notice)[0] for day in days]
        assert [(state, address) for state, _failure, address in rung] == [
            ("failed", "+32470000001")
        ] * 2
        following = Delivery.objects.filter(state="queued")
        assert set(following.values_list("notice", "number")) == {
            (monday.notice_id, 2),
            (tuesday.notice_id, 2),
        }
        assert len(set(following.values_list("not_before", "address"))) == 1

    def test_what_is_given_back_is_free_for_the_next_agent(self, agent, days) -> None:
        monday, _tuesday = days
        calls.take_next(by=agent)
        assert calls.give_back(delivery_id=monday.pk, by=agent) == 2
        assert AuditEvent.objects.get().action == "call.given_back"
        assert set(Delivery.objects.values_list("state", "caller", "claimed_by")) == {
            ("queued", None, "")
        }
        assert calls.take_next(by=a_user("b", "call_agent")) == monday

    def test_only_who_holds_a_call_gives_it_back(self, agent, days) -> None:
        monday, _tuesday = days
        calls.take_next(by=agent)
        with pytest.raises(Refusal, match="agent est en train d'appeler"):
            calls.give_back(delivery_id=monday.pk, by=a_user("b", "call_agent"))

    def test_a_call_settled_meanwhile_is_not_given_back(self, agent, days) -> None:
        monday, _tuesday = days
        calls.log(delivery_id=monday.pk, by=agent, result="reached")
        with pytest.raises(Refusal, match="prenez l'appel suivant"):
            calls.give_back(delivery_id=monday.pk, by=agent)

    def test_another_site_of_the_patient_is_not_taken_and_not_called(self, days) -> None:
        monday, tuesday = days
        Notice.objects.filter(pk=tuesday.notice_id).update(site=a_site("virton"))
        here, there = (
            a_user(code, "call_agent", site=a_site(code)) for code in ("arlon", "virton")
        )
        assert calls.take_next(by=here) == monday
        assert calls.take_next(by=there) is None
        tuesday.refresh_from_db()
        assert tuesday.state == "queued"
