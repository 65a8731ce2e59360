"""A patient told over a phone, although its answer got lost on the way."""

import json
from typing import Any

import pytest
import time_machine
from aiohttp import web

from notifications.gateways import Accepted, Gateway, HookRequest, gateway_from_url
from notifications.models import Delivery, GatewayState
from notifications.receipts import receive as receiving
from notifications.sending import limits
from notifications.sending import sweep as sweeping
from tests.notifications.builders import SUNDAY, a_notice, an_sms, send
from tests.notifications.gateways.android_phone import APhone, event, url_to
from tests.notifications.gateways.conformance import NOW
from tests.notifications.gateways.http_peers import HttpPeer
from tests.notifications.receipts.builders import a_taken_sms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]
PHONE = gateway_from_url(url_to(8080))


class AForgetfulPhone(APhone):
    """Takes each message, and hangs up before its first answer."""

    def __init__(self) -> None:
        super().__init__()
        self.has_hung_up = False

    async def __call__(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Do what is asked; say so from the second time on."""
        answer = await super().__call__(request, body)
        if not self.has_hung_up:
            self.has_hung_up = True
            assert request.transport
            request.transport.close()
        return answer


def report(gateway: Gateway, said: dict[str, Any]) -> None:
    """Have the phone call its webhook."""
    request = HookRequest("POST", {}, {}, json.dumps(said).encode(), NOW)
    receiving.receive(gateway=gateway.name, reports=gateway.read_hook(request))


def test_a_message_of_unknown_fate_is_submitted_again_and_sent_once() -> None:
    sms = an_sms()
    with HttpPeer(AForgetfulPhone()) as phone:
        gateway = gateway_from_url(url_to(phone.port))
        send(gateway)
        sms.refresh_from_db()
        assert sms.state == "unknown"

        sweeping.sweep(gateways=[gateway])
        send(gateway, "w2")

        app: Any = phone.answer
        assert list(app.messages) == [sms.client_reference]
        posted = [json.loads(asked.body)["id"] for asked in phone.asked if asked.method == "POST"]
    sms.refresh_from_db()
    assert posted == [sms.client_reference] * 2
    assert (sms.state, sms.notice.state) == ("accepted", "open")

    report(gateway, event("sms:delivered", messageId=sms.client_reference, recipient=sms.address))
    sms.refresh_from_db()
    sms.notice.refresh_from_db()
    assert (sms.state, sms.notice.state) == ("delivered", "told")


def test_or_the_phone_is_asked_and_the_patient_told_by_its_answer() -> None:
    sms = an_sms()
    with HttpPeer(AForgetfulPhone()) as phone:
        gateway = gateway_from_url(url_to(phone.port))
        send(gateway)
        app: Any = phone.answer
        app.state = "Delivered"
        receiving.forget()
        send(gateway)
    sms.refresh_from_db()
    assert (sms.state, sms.notice.state) == ("delivered", "told")


NO_SERVICE = "Send result: RESULT_ERROR_NO_SERVICE (Failed)"
NO_CREDIT = "Send result: RESULT_ERROR_GENERIC_FAILURE (Failed)"


def given_to_a_phone(*, parts: int = 1, **fields: Any) -> Delivery:
    """Return an SMS that a phone took."""
    notice = a_notice(handed_over_at=SUNDAY, **fields)
    return a_taken_sms(notice=notice, gateway=PHONE.name, parts=parts)


def fail(sms: Delivery, reason: str) -> None:
    """Have the phone say that it could not send a message."""
    report(PHONE, event("sms:failed", messageId=sms.client_reference, reason=reason))


def arrive(sms: Delivery) -> None:
    """Have the phone say that a message arrived."""
    report(PHONE, event("sms:delivered", messageId=sms.client_reference, recipient=sms.address))


def tries(sms: Delivery) -> list[tuple[str, str, str]]:
    """Return (channel, state, failure) of each try."""
    found = sms.notice.deliveries.order_by("id")
    return list(found.values_list("channel", "state", "failure"))


class TestTroubleThatPasses:
    def test_is_no_reason_to_call_the_sms_is_tried_again_later(self) -> None:
        sms = given_to_a_phone()
        fail(sms, NO_SERVICE)
        assert tries(sms) == [("sms", "failed", "rejected"), ("sms", "queued", "")]
        again = sms.notice.deliveries.get(number=2)
        assert 45 <= (again.not_before - SUNDAY).total_seconds() <= 75
        assert (again.client_reference, again.address) == ("", sms.address)
        sms.notice.refresh_from_db()
        assert sms.notice.handed_over_at is None  # a doctor may keep the patient again

    def test_said_twice_is_tried_again_once(self) -> None:
        sms = given_to_a_phone()
        fail(sms, NO_SERVICE)
        fail(sms, NO_SERVICE)
        assert [channel for channel, _state, _failure in tries(sms)] == ["sms", "sms"]

    def test_has_the_patient_called_where_a_later_sms_is_of_no_use(self) -> None:
        sms = given_to_a_phone(items=[("2022-05-15 09:30", "cancelled")])
        fail(sms, NO_SERVICE)
        assert tries(sms) == [("sms", "failed", "rejected"), ("phone", "queued", "")]

    def test_of_a_long_sms_that_may_have_left_in_part_has_the_patient_called(self) -> None:
        sms = given_to_a_phone(parts=2)
        fail(sms, NO_SERVICE)
        assert tries(sms) == [("sms", "failed", "rejected"), ("phone", "queued", "")]

    def test_of_a_notice_that_was_replaced_meanwhile_withdraws_it(self) -> None:
        sms = given_to_a_phone()
        a_notice(patient=sms.notice.patient, version=2)
        fail(sms, NO_SERVICE)
        sms.notice.refresh_from_db()
        assert (sms.notice.state, len(tries(sms))) == ("withdrawn", 1)


def test_what_the_phone_could_not_send_without_a_cause_is_called() -> None:
    sms = given_to_a_phone()
    fail(sms, NO_CREDIT)
    assert tries(sms) == [("sms", "failed", "rejected"), ("phone", "queued", "")]


class TestAPhoneInTrouble:
    @pytest.mark.parametrize("reason", [NO_SERVICE, NO_CREDIT])
    def test_is_left_alone_after_three_in_a_row_although_it_accepts_what_it_is_given(
        self, reason: str, sunday: time_machine.Traveller
    ) -> None:
        messages = [given_to_a_phone() for _ in range(4)]
        for sms in messages[:2]:
            fail(sms, reason)
        assert limits.standing(PHONE).is_usable
        fail(messages[2], reason)
        limits.note_answers(PHONE, [Accepted("p")])
        assert not limits.standing(PHONE).is_usable
        assert reason in GatewayState.objects.get().complaint
        sunday.shift(61)
        assert limits.standing(PHONE).is_usable
        fail(messages[3], reason)
        sunday.shift(61)
        assert not limits.standing(PHONE).is_usable  # longer each time

    def test_is_in_no_trouble_while_others_arrive(self) -> None:
        for _ in range(4):
            fail(given_to_a_phone(), NO_CREDIT)
            arrive(given_to_a_phone())
        assert limits.standing(PHONE).is_usable

    def test_is_in_no_trouble_because_of_patients_numbers(self) -> None:
        for _ in range(4):
            fail(given_to_a_phone(), "sendSMS: Invalid phone number type")
        assert limits.standing(PHONE).is_usable
