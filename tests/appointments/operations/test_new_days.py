"""A patient is asked whether the day given instead suits; a "no" goes back to the director."""

import datetime as dt

import pytest
from django.urls import reverse

from appointments.operations import services as operations
from appointments.operations.queries import (
    awaiting_ruling,
    days_refused,
    operations_for,
    with_opinions,
)
from notifications.calls import services as calls
from notifications.calls.sheet import rows
from notifications.lifecycle import call_states
from notifications.models import Delivery, NoticeItem
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import in_force
from tests.builders import a_unit, a_user, an_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
FIRST_DAY, SECOND_DAY = dt.date(2022, 5, 24), dt.date(2022, 5, 25)


@pytest.fixture
def director():
    """Who rules on operations."""
    return a_user("direction", "medical_director")


@pytest.fixture
def agent():
    """Who calls."""
    return a_user("agent", "call_agent")


@pytest.fixture
def operation(director):
    """An operation that the director postponed to the first day."""
    theatre = a_unit("arlon-bloc", kind="operating_theatre")
    planned = an_appointment(service="surgery", unit=theatre)
    in_force()
    postpone(planned, director, FIRST_DAY)
    return planned


def postpone(operation, by, day) -> None:
    """Rule that the operation takes place on another day."""
    operations.rule(appointment_id=operation.pk, by=by, outcome="cancelled", postponed_to=day)
    operation.refresh_from_db()


def answered(agent, suits: bool) -> Delivery:
    """Reach the patient and note what they said to the new day."""
    taken = calls.take_next(by=agent)
    assert taken
    item = taken.notice.items.get()
    return calls.log(delivery_id=taken.pk, by=agent, result="reached", new_days={item.pk: suits})


def waiting(director) -> list[int]:
    """Return the operations on the director's list."""
    return [one.pk for one in awaiting_ruling(operations_for(director))]


def test_a_no_goes_back_to_the_directors_list_and_says_why(operation, director, agent, client):
    assert waiting(director) == []
    call = answered(agent, suits=False)
    assert waiting(director) == [operation.pk]
    assert days_refused(operations_for(director)) == 1
    client.force_login(director)
    page = client.get(reverse("operations"), {"show": "awaiting"}).content.decode()
    assert "Le patient ne peut pas venir le mardi 24 mai" in " ".join(page.split())
    call.notice.refresh_from_db()
    assert call.notice.state == "told"
    event = AuditEvent.objects.get(action="call.reached")
    assert event.detail["new_days_refused"] == ["2022-05-24"]


def test_a_yes_leaves_the_list_alone(operation, director, agent):
    answered(agent, suits=True)
    assert waiting(director) == []
    assert NoticeItem.objects.get().new_day_suits is True


def test_another_day_clears_the_list_and_is_told_in_turn(operation, director, agent):
    answered(agent, suits=False)
    postpone(operation, director, SECOND_DAY)
    assert waiting(director) == []
    (now,) = with_opinions(operations_for(director), director)
    assert not now.is_day_refused
    following = calls.take_next(by=agent)
    assert following
    assert following.notice.items.get().postponed_to == SECOND_DAY


def test_who_takes_the_call_back_takes_the_answer_back(operation, director, agent):
    call = answered(agent, suits=False)
    call_states.take_back(delivery_id=call.pk, by=agent)
    assert waiting(director) == []
    assert NoticeItem.objects.get().new_day_suits is None


class TestThePage:
    @pytest.mark.parametrize(("word", "suits"), [("yes", True), ("no", False)])
    def test_it_asks_yes_or_no(self, operation, agent, client, word, suits):
        call = calls.take_next(by=agent)
        client.force_login(agent)
        address = reverse("call", args=[call.pk])
        assert "Le mardi 24 mai convient-il" in client.get(address).content.decode()
        item = NoticeItem.objects.get()
        answer = client.post(address, {"result": "reached", f"day_{item.pk}": word})
        assert answer.status_code == 302
        item.refresh_from_db()
        assert item.new_day_suits is suits

    def test_told_without_the_answer_is_asked_for_it(self, operation, agent, client):
        call = calls.take_next(by=agent)
        client.force_login(agent)
        answer = client.post(reverse("call", args=[call.pk]), {"result": "reached"})
        assert answer.status_code == 422
        assert "notez oui ou non" in answer.content.decode()
        call.notice.refresh_from_db()
        assert call.notice.state == "open"

    def test_who_was_not_reached_was_not_asked(self, operation, agent, client):
        call = calls.take_next(by=agent)
        client.force_login(agent)
        answer = client.post(reverse("call", args=[call.pk]), {"result": "no_answer"})
        assert answer.status_code == 302

    def test_the_sheet_has_a_box_for_each_answer(self, operation, agent, client):
        calls.take_on_paper(by=agent, number=1)
        assert rows(agent)[0].new_days == [FIRST_DAY]
        client.force_login(agent)
        page = " ".join(client.get(reverse("call_sheet")).content.decode().split())
        assert "le 24/05 : oui" in page
        assert "le 24/05 : non" in page
