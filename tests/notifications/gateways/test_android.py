"""The phone as a gateway, against a server that behaves as android-sms-gateway does."""

import contextlib
import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import (
    Accepted,
    Gateway,
    Message,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
    gateway_from_url,
)
from notifications.gateways.android import from_url
from notifications.gateways.http import HttpAnswer
from notifications.models import Failure
from tests.notifications.gateways.android_phone import (
    DEVICE,
    HOOK,
    KEY,
    QUEUE,
    APhone,
    url_to,
)
from tests.notifications.gateways.conformance import (
    PHONE,
    REFERENCE,
    Behaviour,
    ConformsOverANetwork,
    check,
    some_messages,
    submit,
)
from tests.notifications.gateways.http_peers import (
    BAD,
    Answerer,
    HttpPeer,
    always,
    in_any_order,
    port_of_a_peer,
)


async def accept_no_odd_number(_request: web.Request, body: bytes) -> web.StreamResponse:
    """Take the message, but no odd number, as a server does that checks numbers."""
    message = json.loads(body)
    await in_any_order()
    if int(message["phoneNumbers"][0][-1]) % 2:
        return web.Response(status=400, text='{"message": "invalid phone number"}')
    return web.json_response({"id": message["id"]}, status=202)


ANSWERS: dict[Behaviour, Answerer] = BAD | {
    Behaviour.REJECTS: always(400, '{"message": "not mobile phone number"}'),
    Behaviour.REJECTS_FOR_NOW: always(503, json.dumps(QUEUE)),
    Behaviour.REJECTS_ODD_NUMBERS: accept_no_odd_number,
    Behaviour.THROTTLES: always(503, json.dumps(QUEUE)),
    Behaviour.LETS_NOBODY_IN: always(401, ""),
}


class TestAndroid(ConformsOverANetwork):
    secrets = ("s3cret", KEY, HOOK)
    waits_for = 30.0

    @contextlib.contextmanager
    def gateway_to(self, behaviour: Behaviour) -> Iterator[Gateway]:
        """Return a gateway whose phone behaves so."""
        answers = {Behaviour.ACCEPTS: APhone(), **ANSWERS}
        with port_of_a_peer(behaviour, answers) as port:
            yield gateway_from_url(url_to(port, f"hook={HOOK}&key={KEY}"))

    def test_what_is_rejected_for_now_may_be_tried_again(self) -> None:
        """A phone refuses nothing for now: its full queue asks to wait, with nothing taken."""
        assert isinstance(self.answer_of(Behaviour.REJECTS_FOR_NOW), Throttled)


def read_answer(status: int, headers: dict[str, str], body: bytes) -> Result:
    """Return what an answer to the message ``REFERENCE`` means."""
    gateway = from_url(url_to(8080))
    return gateway.read(HttpAnswer(status, headers, body), Message(REFERENCE, PHONE, "x"))


class TestASubmission:
    def test_has_all_that_the_phone_needs(self, phone: HttpPeer) -> None:
        gateway = gateway_from_url(url_to(phone.port, "sim=2&device=phone-1&ttl=600"))
        submit(gateway, [Message(REFERENCE, PHONE, "Ne venez pas. É€")])
        (asked,) = phone.asked
        assert (asked.method, asked.path) == ("POST", "/messages")
        assert asked.headers["Authorization"] == f"Basic {b64encode(b'sms:s3cret').decode()}"
        assert json.loads(asked.body) == {
            "id": REFERENCE,
            "textMessage": {"text": "Ne venez pas. É€"},
            "phoneNumbers": [PHONE],
            "withDeliveryReport": True,
            "ttl": 600,
            "simNumber": 2,
            "deviceId": "phone-1",
        }

    def test_does_not_wait_in_the_phone_for_longer_than_it_is_of_use(self, phone: HttpPeer) -> None:
        submit(
            gateway_from_url(url_to(phone.port, "ttl=600")),
            [Message(f"r{lasts}", PHONE, "Non", lasts=lasts) for lasts in (120, 900)],
        )
        assert sorted(json.loads(asked.body)["ttl"] for asked in phone.asked) == [120, 600]

    def test_that_comes_twice_is_accepted_twice_and_sent_once(self, phone: HttpPeer) -> None:
        gateway = gateway_from_url(url_to(phone.port))
        answers = [submit(gateway, some_messages(1))[0][1] for _ in range(2)]
        assert answers == [Accepted("ref0000")] * 2
        assert len(phone.answer.messages) == 1  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("status", "words", "result"),
        [
            (400, "failed to parse phone number: x", Refused(Failure.INVALID_NUMBER)),
            (400, "Text message is empty", Refused(Failure.REJECTED)),
            (400, "Invalid device ID", NotSent(answered=True)),
            (400, "record not found", NotSent(answered=True)),
            (404, "", NotSent(answered=True)),
            (301, "", NotSent()),
            (408, "", Unknown()),
            (502, "", Unknown()),
            (503, "upstream connect error", Unknown()),
        ],
    )
    def test_each_other_answer_has_its_meaning(
        self, status: int, words: str, result: object
    ) -> None:
        said = json.dumps({"message": words}).encode()
        answer = read_answer(status, {}, said)
        assert not isinstance(answer, Accepted | Throttled)
        assert replace(answer, remark="") == result

    def test_waits_for_the_time_that_is_named(self) -> None:
        said = json.dumps(QUEUE).encode()
        assert read_answer(503, {"Retry-After": "90"}, said) == Throttled(90.0)
        assert read_answer(503, {}, said) == Throttled(30.0)

    @given(st.integers(100, 599), st.binary())
    def test_is_answered_somehow_whatever_comes(self, status: int, body: bytes) -> None:
        result = read_answer(status, {}, body)
        assert not isinstance(result, Accepted) or status == 409 or 200 <= status < 300


class TestACheck:
    def test_shows_the_phone_its_sim_and_its_battery_although_the_internet_is_gone(
        self, phone: HttpPeer
    ) -> None:
        checked = check(gateway_from_url(url_to(phone.port, "sim=1")))
        facts = dict(checked.facts)
        assert checked.usable
        assert facts["téléphone"] == "Fairphone/FP4 (phone-1), SIM 1 Proximus"
        assert (facts["batterie"], facts["application"]) == ("94 %", "android-sms-gateway 1.60.0")

    @pytest.mark.parametrize(
        ("options", "devices", "complaint"),
        [
            ("sim=2", [DEVICE], "Pas de carte SIM 2"),
            ("device=phone-9", [DEVICE], "Pas de téléphone phone-9"),
            ("", [], "Pas de téléphone à ce compte"),
            ("", [DEVICE, DEVICE | {"id": "phone-2"}], "partir deux fois"),
            ("", {"status": "ok"}, "n'est pas android-sms-gateway"),
        ],
    )
    def test_complains_in_a_sentence(
        self, phone: HttpPeer, options: str, devices: Any, complaint: str
    ) -> None:
        app: Any = phone.answer
        app.devices = devices
        checked = check(gateway_from_url(url_to(phone.port, options)))
        assert not checked.usable
        assert complaint in checked.complaint

    @pytest.mark.parametrize(
        ("events", "says"),
        [
            ([], "webhooks à enregistrer pour sms:sent, sms:delivered, sms:failed"),
            (["sms:sent", "sms:failed"], "webhooks à enregistrer pour sms:delivered"),
            (["sms:sent", "sms:failed", "sms:delivered"], "webhooks enregistrés"),
        ],
    )
    def test_says_which_webhooks_are_lacking(
        self, phone: HttpPeer, events: list[str], says: str
    ) -> None:
        app: Any = phone.answer
        others = {"url": "https://elsewhere.example.org/", "event": "sms:delivered"}
        ours = f"https://sms.example.org/hooks/{HOOK}/"
        app.webhooks = [others, *({"url": ours, "event": one} for one in events)]
        checked = check(gateway_from_url(url_to(phone.port, f"hook={HOOK}&key={KEY}")))
        assert dict(checked.facts)["accusés"] == says
        assert HOOK not in repr(checked)


class TestTheUrl:
    def test_is_slow_by_default(self) -> None:
        gateway = gateway_from_url("android+http://sms:s3cret@192.168.1.20:8080")
        assert (gateway.options.parts_per_second, gateway.options.window) == (0.4, 4)
        assert gateway.has_receipts

    @pytest.mark.parametrize(
        ("url", "honoured"),
        [
            ("android+http://u:p@192.168.1.20:8080", True),
            ("android+https://u:p@api.sms-gate.app/3rdparty/v1", False),
            ("android+https://u:p@api.sms-gate.app/3rdparty/v1?device=phone-1", True),
        ],
    )
    def test_says_whether_a_reference_is_sent_once(self, url: str, honoured: bool) -> None:
        assert gateway_from_url(url).honours_reference == honoured

    def test_of_two_phones_of_one_account_has_two_names(self) -> None:
        url = "android+https://u:p@a-long-name-of-a-private-server.example.org/3rdparty/v1?device="
        names = {gateway_from_url(f"{url}{device}").name for device in ("abcdef-1", "ghijkl-2")}
        assert len(names) == 2
        assert max(map(len, names)) <= 40

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("android+http://192.168.1.20:8080", "nom et le mot de passe"),
            ("android+http://u:s3cret@", "nom de la machine"),
            ("android+http://u:s3cret@phone?sim=4", "sim vaut 1, 2 ou 3"),
            ("android+http://u:s3cret@phone?ttl=5", "ttl un nombre de secondes"),
            ("android+http://u:s3cret@phone?ttl=soon", "ttl un nombre de secondes"),
            ("android+http://u:s3cret@phone?simcard=1", "option inconnue simcard"),
        ],
    )
    def test_that_is_senseless_is_refused_without_its_secret(
        self, url: str, complaint: str
    ) -> None:
        with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
            gateway_from_url(url)
        assert "s3cret" not in str(refused.value)
