"""The call list: one call, one agent, and an end for every notice."""

import datetime as dt

import pytest
from django.urls import reverse

from notifications.calls import services as calls
from notifications.calls.services import CallResult
from notifications.lifecycle import call_states
from notifications.models import Delivery, Notice, ToAskAgain
from staff.errors import Refusal
from staff.models import AuditEvent, User
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import SUNDAY, a_call, a_notice, an_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
NINE = [("2022-05-16 09:00", "cancelled")]
EIGHT = [("2022-05-16 08:00", "cancelled")]


def tries(notice: Notice) -> list[tuple[str, str, str]]:
    """Return (state, failure, address) of each try."""
    return list(notice.deliveries.order_by("id").values_list("state", "failure", "address"))


def test_an_sms_is_no_call_that_could_be_taken_back(agent) -> None:
    with pytest.raises(Refusal, match="Seule la personne"):
        call_states.take_back(delivery_id=an_sms().pk, by=agent)


class TestTheList:
    def test_it_goes_by_urgency_then_by_hour_through_all_of_its_pages(self, agent, client) -> None:
        wanted = []
        for number in range(45):
            hour = NINE if number % 2 else EIGHT
            urgency = 81749 - number // 4
            wanted.append((urgency, hour, a_call(a_notice(items=hour), urgency=urgency).pk))
        wanted.sort()
        client.force_login(agent)
        seen, address = [], reverse("call_list")
        while address:
            page = client.get(address).context["page"]
            seen += [call.pk for call in page]
            following = page.next_cursor
            address = f"{reverse('call_list')}?cursor={following}" if following else ""
        assert seen == [pk for _urgency, _hour, pk in wanted]
        back = client.get(f"{reverse('call_list')}?cursor={page.previous_cursor}").context["page"]
        assert [call.pk for call in back] == seen[:40]


class TestTaking:
    def test_the_earliest_appointment_is_called_first(self, agent) -> None:
        a_call(a_notice(items=NINE))
        urgent = a_call(a_notice(items=EIGHT))
        assert calls.take_next(by=agent) == urgent

    def test_the_more_urgent_call_goes_before_the_earlier_appointment(self, agent) -> None:
        a_call(a_notice(items=EIGHT), urgency=81744)
        surgery = a_call(a_notice(items=NINE), urgency=81740)
        assert calls.take_next(by=agent) == surgery

    def test_of_equal_urgency_the_earlier_appointment_goes_first(self, agent) -> None:
        a_call(a_notice(items=NINE), urgency=81744)
        earlier = a_call(a_notice(items=EIGHT), urgency=81744)
        assert calls.take_next(by=agent) == earlier

    def test_two_agents_get_two_calls_and_the_third_none(self, agent) -> None:
        a_call()
        a_call()
        second, third = a_user("b", "call_agent"), a_user("c", "call_agent")
        taken = {calls.take_next(by=agent), calls.take_next(by=second)}
        assert len(taken) == 2
        assert calls.take_next(by=third) is None

    def test_who_is_too_late_for_many_calls_gets_the_next_that_waits(
        self, agent, monkeypatch
    ) -> None:
        numbers = [a_call().pk for _ in range(2 * calls.CANDIDATES + 5)]
        last, faster, claim = numbers[-1], a_user("b", "call_agent"), calls._claim

        def claimed_behind_others(delivery_id: int, by: User) -> bool:
            if delivery_id != last:
                claim(delivery_id, faster)
            return claim(delivery_id, by)

        monkeypatch.setattr(calls, "_claim", claimed_behind_others)
        taken = calls.take_next(by=agent)
        assert taken
        assert (taken.pk, taken.caller) == (last, agent)

    def test_who_is_too_late_for_every_call_gets_none(self, agent, monkeypatch) -> None:
        a_call()
        monkeypatch.setattr(calls, "_claim", lambda _delivery_id, _by: False)
        assert calls.take_next(by=agent) is None

    def test_who_holds_a_call_gets_it_back_instead_of_a_second_one(self, agent) -> None:
        a_call()
        a_call()
        assert calls.take_next(by=agent) == calls.take_next(by=agent)

    def test_a_call_left_hanging_can_be_taken_over(self, agent, sunday) -> None:
        call = a_call()
        calls.take_next(by=agent)
        sunday.shift(16 * 60)
        other = a_user("b", "call_agent")
        assert calls.take_next(by=other) == call
        call.refresh_from_db()
        assert call.caller == other

    def test_a_call_that_somebody_makes_cannot_be_picked(self, agent) -> None:
        call = a_call()
        calls.take(delivery_id=call.pk, by=agent)
        with pytest.raises(Refusal, match="agent est en train d'appeler"):
            calls.take(delivery_id=call.pk, by=a_user("b", "call_agent"))

    def test_a_notice_reserved_for_its_doctor_waits_for_its_time(self, agent, sunday) -> None:
        call = a_call(not_before=at("2022-05-15 18:00"))
        assert calls.take_next(by=agent) is None
        sunday.move_to(at("2022-05-15 18:00"))
        assert calls.take_next(by=agent) == call

    def test_an_agent_gets_calls_of_their_site_only(self) -> None:
        arlon, virton = a_site("arlon"), a_site("virton")
        a_call(a_notice(site=virton))
        here = a_call(a_notice(site=arlon))
        local = a_user("local", "call_agent", site=arlon)
        assert calls.take_next(by=local) == here
        calls.log(delivery_id=here.pk, by=local, result="reached")
        assert calls.take_next(by=local) is None

    def test_a_withdrawn_notice_is_not_called(self, agent) -> None:
        a_call(a_notice(state="withdrawn", settled_at=SUNDAY))
        assert calls.take_next(by=agent) is None


class TestLogging:
    def test_a_patient_who_was_reached_is_told_by_that_agent(self, agent) -> None:
        call = a_call()
        calls.take_next(by=agent)
        calls.log(delivery_id=call.pk, by=agent, result=CallResult.REACHED, remark="par sa fille")
        call.refresh_from_db()
        notice = call.notice
        assert (call.state, call.caller, call.remark) == ("delivered", agent, "par sa fille")
        assert (notice.state, notice.settled_by, notice.handed_over_at) == ("told", agent, SUNDAY)
        assert AuditEvent.objects.get().action == "call.reached"

    def test_no_answer_is_tried_again_on_the_other_number_later(self, agent) -> None:
        patient = a_patient(mobile="+32470000001", landline="+3263000001")
        call = a_call(a_notice(patient=patient))
        calls.log(delivery_id=call.pk, by=agent, result="no_answer")
        assert tries(call.notice) == [
            ("failed", "no_answer", "+32470000001"),
            ("queued", "", "+3263000001"),
        ]
        again = Delivery.objects.get(state="queued")
        assert again.not_before == SUNDAY + dt.timedelta(minutes=30)

    def test_three_times_no_answer_is_unreachable_with_the_tries_listed(
        self, agent, sunday
    ) -> None:
        call = a_call()
        for _ in range(3):
            taken = calls.take_next(by=agent)
            assert taken
            calls.log(delivery_id=taken.pk, by=agent, result="no_answer")
            sunday.shift(1801)
        assert calls.take_next(by=agent) is None
        call.notice.refresh_from_db()
        assert call.notice.state == "unreachable"
        assert len(tries(call.notice)) == 3

    def test_a_wrong_number_moves_on_to_the_other_one_at_once(self, agent) -> None:
        patient = a_patient(mobile="+32470000001", landline="+3263000001")
        call = a_call(a_notice(patient=patient))
        calls.log(delivery_id=call.pk, by=agent, result="wrong_number")
        following = calls.take_next(by=agent)
        assert following
        assert following.address == "+3263000001"
        calls.log(delivery_id=following.pk, by=agent, result="wrong_number")
        call.notice.refresh_from_db()
        assert call.notice.state == "unreachable"

    def test_a_patient_without_any_number_ends_unreachable(self, agent) -> None:
        call = a_call(a_notice(patient=a_patient(mobile="")))
        calls.log(delivery_id=call.pk, by=agent, result="no_answer")
        call.notice.refresh_from_db()
        assert call.notice.state == "unreachable"

    def test_a_call_back_is_due_at_the_time_that_was_asked_for(self, agent, sunday) -> None:
        call = a_call()
        noon = at("2022-05-15 12:00")
        calls.log(delivery_id=call.pk, by=agent, result="call_back_later", call_at=noon)
        assert calls.take_next(by=agent) is None
        sunday.move_to(noon)
        assert calls.take_next(by=agent)

    def test_a_notice_withdrawn_during_the_call_counts_as_heard(self, agent) -> None:
        call = a_call()
        calls.take_next(by=agent)
        Delivery.objects.update(state="withdrawn", lease_until=None, finished_at=SUNDAY)
        Notice.objects.update(state="withdrawn", settled_at=SUNDAY)
        calls.log(delivery_id=call.pk, by=agent, result="reached")
        notice = Notice.objects.get()
        assert (notice.state, notice.handed_over_at) == ("withdrawn", SUNDAY)
        assert [state for state, *_more in tries(notice)] == ["delivered"]
        assert ToAskAgain.objects.get().patient_id == notice.patient_id

    def test_and_without_an_answer_nothing_is_noted(self, agent) -> None:
        call = a_call()
        calls.take_next(by=agent)
        Delivery.objects.update(state="withdrawn", lease_until=None, finished_at=SUNDAY)
        Notice.objects.update(state="withdrawn", settled_at=SUNDAY)
        with pytest.raises(Refusal, match="n'est plus à passer"):
            calls.log(delivery_id=call.pk, by=agent, result="no_answer")

    def test_a_try_that_ended_before_the_notice_was_withdrawn_was_not_in_hand(self, agent) -> None:
        call = a_call()
        calls.take_next(by=agent)
        before = SUNDAY - dt.timedelta(minutes=1)
        Delivery.objects.update(state="withdrawn", lease_until=None, finished_at=before)
        Notice.objects.update(state="withdrawn", settled_at=SUNDAY)
        with pytest.raises(Refusal, match="n'est plus à passer"):
            calls.log(delivery_id=call.pk, by=agent, result="reached")

    @pytest.mark.parametrize("result", ["no_answer", "wrong_number", "call_back_later"])
    def test_the_next_try_is_as_urgent_as_the_one_before(self, agent, result) -> None:
        patient = a_patient(landline="+3263012345")
        call = a_call(a_notice(patient=patient), urgency=81740)
        calls.log(delivery_id=call.pk, by=agent, result=result)
        assert Delivery.objects.get(number=2).urgency == 81740

    def test_a_double_click_on_reached_is_refused_kindly(self, agent) -> None:
        call = a_call()
        calls.log(delivery_id=call.pk, by=agent, result="reached")
        with pytest.raises(Refusal, match="déjà réglé"):
            calls.log(delivery_id=call.pk, by=agent, result="reached")

    def test_the_doctor_may_say_reached_while_an_agent_holds_the_call(self, agent) -> None:
        call = a_call()
        calls.take_next(by=agent)
        calls.log(delivery_id=call.pk, by=a_user("doctor", "doctor"), result="reached")
        call.notice.refresh_from_db()
        assert call.notice.state == "told"

    def test_another_agent_may_not_log_a_failure_of_a_call_in_progress(self, agent) -> None:
        call = a_call()
        calls.take_next(by=agent)
        with pytest.raises(Refusal, match="en train d'appeler"):
            calls.log(delivery_id=call.pk, by=a_user("b", "call_agent"), result="no_answer")

    @pytest.mark.parametrize("result", ["reached", "no_answer"])
    def test_a_lease_that_ran_out_lets_a_colleague_log(self, agent, sunday, result) -> None:
        call = a_call()
        calls.take_next(by=agent)
        sunday.shift(16 * 60)
        calls.log(delivery_id=call.pk, by=a_user("b", "call_agent"), result=result)
        call.refresh_from_db()
        assert call.caller.username == "b"

    def test_a_call_back_when_the_patient_may_be_on_the_way_is_refused_with_the_latest_time(
        self, agent
    ) -> None:
        call = a_call(a_notice(items=NINE))
        late = at("2022-05-16 08:31")
        with pytest.raises(Refusal, match="16 mai 08:30") as refused:
            calls.log(delivery_id=call.pk, by=agent, result="call_back_later", call_at=late)
        assert refused.value.field == "call_at"
        in_time = at("2022-05-16 08:30")
        calls.log(delivery_id=call.pk, by=agent, result="call_back_later", call_at=in_time)
        assert Delivery.objects.get(state="queued").not_before == in_time

    def test_a_call_that_does_not_exist_says_where_to_go(self, agent) -> None:
        with pytest.raises(Refusal, match="revenez à la liste"):
            calls.log(delivery_id=4711, by=agent, result="reached")
