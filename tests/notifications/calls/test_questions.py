"""A caller is answered, the answer is kept, and a patient told so is not told again."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from notifications.calls import questions
from notifications.calls import services as calls
from notifications.lifecycle import delivery_states
from notifications.models import Delivery, Notice, Question
from notifications.telling.outbox import life_of
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, User
from tests.builders import a_patient, a_site, a_user, at
from tests.notifications.builders import (
    SUNDAY,
    FakeGateway,
    a_call,
    a_notice,
    an_sms,
    claim_due,
    send,
)
from tests.triggers import put_back_triggers_against_emptying

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
SAID = "Votre rendez-vous est annulé."


def tell(notice: Notice, agent: User, **fields) -> Question:
    question = questions.answer_and_tell(notice_id=notice.pk, by=agent, said=SAID, **fields)
    notice.refresh_from_db()
    return question


class TestLogging:
    def test_the_question_and_the_trail_are_written_together(self, agent) -> None:
        question = questions.log(by=agent, answer="not_ours", reference="2222-XXX", remark=" x ")
        assert (question.asked_at, question.answered_by) == (SUNDAY, agent)
        assert (question.reference, question.remark) == ("2222-XXX", "x")
        event = AuditEvent.objects.get()
        assert (event.action, event.object_id) == ("question.answered", str(question.pk))

    def test_who_does_not_work_the_call_list_logs_nothing(self) -> None:
        with pytest.raises(AccessRefused):
            questions.log(by=a_user("nurse", "nurse"), answer="not_found")
        assert not Question.objects.exists()

    @pytest.mark.parametrize("change", ["update", "delete"])
    def test_the_database_lets_nobody_change_or_remove_it(self, agent, change) -> None:
        put_back_triggers_against_emptying()
        questions.log(by=agent, answer="not_found")
        asked = Question.objects.all()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            asked.update(remark="autre") if change == "update" else asked.delete()

    def test_nobody_was_told_without_a_notice(self, agent) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            questions.log(by=agent, answer="told", patient_id=a_patient().pk)


class TestTellingWhoRingsIn:
    @pytest.mark.parametrize("state", ["held", "queued"])
    def test_an_sms_that_has_not_left_does_not_leave_any_more(self, agent, state) -> None:
        sms = an_sms(state=state)
        question = tell(sms.notice, agent, found_by="name", remark="sa fille")
        assert (question.answer, question.said) == ("told", SAID)
        assert (question.patient, question.day) == (sms.notice.patient, sms.notice.day)
        assert (sms.notice.state, sms.notice.settled_by) == ("told", agent)
        ended = list(sms.notice.deliveries.order_by("id").values_list("channel", "state", "caller"))
        assert ended == [("sms", "suppressed", None), ("phone", "delivered", agent.pk)]
        gateway = FakeGateway()
        send(gateway)
        assert gateway.messages == []
        assert calls.take_next(by=agent) is None

    def test_an_sms_that_a_worker_has_claimed_does_not_leave_either(self, agent) -> None:
        sms = an_sms()
        ids = claim_due("w1")
        tell(sms.notice, agent)
        from notifications.sending.handover import hand_over

        assert hand_over(ids=ids, worker="w1", gateway=FakeGateway()) == []
        sms.refresh_from_db()
        assert sms.state == "suppressed"

    def test_a_call_that_waits_counts_as_made(self, agent) -> None:
        call = a_call(not_before=at("2022-05-15 18:00"))
        assert tell(call.notice, agent).answer == "told"
        call.refresh_from_db()
        assert (call.state, call.caller, call.notice.state) == ("delivered", agent, "told")
        assert str(call.remark) == "Le patient a appelé lui-même."

    def test_a_call_that_a_colleague_is_making_counts_as_made(self, agent) -> None:
        call = a_call()
        calls.take_next(by=a_user("b", "call_agent"))
        tell(call.notice, agent)
        call.refresh_from_db()
        assert (call.state, call.caller) == ("delivered", agent)

    @pytest.mark.parametrize("state", ["submitting", "accepted", "unknown"])
    def test_of_what_was_handed_over_only_the_question_is_kept(self, agent, state) -> None:
        sms = an_sms(
            a_notice(handed_over_at=SUNDAY), state=state, lease_until=SUNDAY, client_reference="r1"
        )
        assert tell(sms.notice, agent).answer == "in_force"
        sms.refresh_from_db()
        assert (sms.state, sms.notice.state) == (state, "open")

    def test_an_sms_that_may_have_left_before_is_left_alone(self, agent) -> None:
        sms = an_sms(a_notice(handed_over_at=SUNDAY), state="queued", client_reference="r1")
        assert tell(sms.notice, agent).answer == "in_force"
        sms.refresh_from_db()
        assert sms.state == "queued"

    def test_who_was_unreachable_is_reached(self, agent) -> None:
        notice = a_notice(state="unreachable", settled_at=SUNDAY)
        a_call(notice, state="failed", failure="no_answer", finished_at=SUNDAY)
        assert tell(notice, agent).answer == "told"
        assert (notice.state, notice.deliveries.last().number) == ("told", 2)

    def test_who_is_told_already_hears_it_again_and_that_is_kept(self, agent) -> None:
        notice = a_notice(state="told", settled_at=SUNDAY, handed_over_at=SUNDAY)
        for _ in range(2):
            assert tell(notice, agent).answer == "in_force"
        assert not Delivery.objects.exists()

    def test_twice_in_a_row_tells_once(self, agent) -> None:
        sms = an_sms()
        assert [tell(sms.notice, agent).answer for _ in range(2)] == ["told", "in_force"]
        assert sms.notice.deliveries.filter(state="delivered").count() == 1

    def test_a_notice_withdrawn_or_replaced_meanwhile_is_not_told(self, agent) -> None:
        gone = a_notice(state="withdrawn", settled_at=SUNDAY)
        old = a_notice(handed_over_at=SUNDAY)
        a_notice(patient=old.patient, version=2)
        for notice in (gone, old):
            with pytest.raises(Refusal, match="a changé pendant l'appel"):
                tell(notice, agent)
        assert not Question.objects.exists()

    def test_a_notice_of_another_site_is_not_theirs_to_tell(self) -> None:
        local = a_user("local", "call_agent", site=a_site("virton"))
        with pytest.raises(Refusal, match="sur vos sites"):
            tell(an_sms().notice, local)

    def test_it_stands_in_the_life_of_the_notice(self, agent) -> None:
        notice = an_sms().notice
        question = tell(notice, agent)
        events = life_of(notice).events
        kinds = [event.kind for event in events]
        assert kinds == ["opened", "ended", "called", "closed", "question"]
        assert (events[-1].question, events[-1].person) == (question, agent)


def test_a_claim_that_was_answered_meanwhile_is_not_released_to_be_sent(agent) -> None:
    sms = an_sms()
    ids = claim_due("w1")
    tell(sms.notice, agent)
    delivery_states.unclaim(ids=ids, worker="w1")
    sms.refresh_from_db()
    assert sms.state == "suppressed"
