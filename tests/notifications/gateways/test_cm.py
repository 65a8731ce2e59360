"""CM.com, against a server that answers as its documentation says."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
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
from notifications.gateways.cm import read_answer
from notifications.gateways.http import HttpAnswer
from notifications.models import Failure
from tests.notifications.gateways.cm_peer import TOKEN, answering, of
from tests.notifications.gateways.conformance import (
    PATIENCE,
    PHONE,
    Behaviour,
    ConformsOverANetwork,
    check,
    some_messages,
    submit,
)
from tests.notifications.gateways.http_peers import BAD, Answerer, HttpPeer, always, port_of_a_peer
from tests.notifications.gateways.strange_values import json_values, spoiled

SECRET_PATH = "a-hook-secret-of-cm"  # noqa: S105
ANSWERS: dict[Behaviour, Answerer] = BAD | {
    Behaviour.ACCEPTS: answering(),
    Behaviour.REJECTS: answering(303),
    Behaviour.REJECTS_FOR_NOW: answering(500),
    Behaviour.REJECTS_ODD_NUMBERS: answering(odd=303),
    Behaviour.THROTTLES: always(429, "", Retry_After="7"),
    Behaviour.LETS_NOBODY_IN: always(400, json.dumps({"errorCode": 101, "messages": []})),
}


def cm(port: int, options: str = "") -> Gateway:
    """Return a gateway at a port of this machine."""
    ours = f"sender=Vivalia&timeout={PATIENCE}&{options}"
    return gateway_from_url(f"cm+http://:{TOKEN}@127.0.0.1:{port}/v1.0/message?{ours}")


class TestCm(ConformsOverANetwork):
    secrets = ("s3cret", SECRET_PATH)
    numbers_messages = False

    @contextlib.contextmanager
    def gateway_to(self, behaviour: Behaviour) -> Iterator[Gateway]:
        """Return a gateway whose peer behaves so."""
        with port_of_a_peer(behaviour, ANSWERS) as port:
            yield cm(port, f"hook={SECRET_PATH}&from=203.0.113.0/24&batch=5")


class TestTheCall:
    def test_it_is_what_the_documentation_asks_for(self) -> None:
        with HttpPeer(answering()) as peer:
            submit(cm(peer.port), some_messages(2))
        (asked,) = peer.asked
        assert (asked.method, asked.path) == ("POST", "/v1.0/message")
        sent = json.loads(asked.body)["messages"]
        assert sent["authentication"] == {"productToken": TOKEN}
        assert [message["reference"] for message in sent["msg"]] == ["ref0000", "ref0001"]
        assert sent["msg"][0] == {
            "allowedChannels": ["SMS"],
            "from": "Vivalia",
            "to": [{"number": "0032470000000"}],
            "body": {"type": "auto", "content": "Ne venez pas. É€"},
            "reference": "ref0000",
            "minimumNumberOfMessageParts": 1,
            "maximumNumberOfMessageParts": 8,
        }

    def test_a_message_carries_its_validity_in_minutes(self) -> None:
        messages = [Message(f"r{lasts}", PHONE, "Non", lasts=lasts) for lasts in (60, 5999, None)]
        with HttpPeer(answering()) as peer:
            submit(cm(peer.port), messages)
        (asked,) = peer.asked
        sent = json.loads(asked.body)["messages"]["msg"]
        assert [message.get("validity") for message in sent] == ["1m", "99m", None]

    @pytest.mark.parametrize(
        ("options", "calls"), [("", 3), ("batch=1000&window=1000", 1), ("window=20", 13)]
    )
    def test_messages_go_in_batches_no_larger_than_the_window(
        self, options: str, calls: int
    ) -> None:
        with HttpPeer(answering()) as peer:
            answers = submit(cm(peer.port, options), some_messages(250))
        assert len(peer.asked) == calls
        assert [reference for reference, _ in answers] == [m.reference for m in some_messages(250)]

    def test_when_a_call_fails_each_of_its_messages_is_unknown(self) -> None:
        with HttpPeer(BAD[Behaviour.CLOSES_AT_ONCE]) as peer:
            answers = submit(cm(peer.port), some_messages(100))
        assert len(peer.asked) == 1
        assert {type(result) for _reference, result in answers} == {Unknown}


def answered(status: int, said: Any, **headers: str) -> list[Result]:
    """Return what an answer means for two messages, « a » and « b »."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_answer(HttpAnswer(status, named, json.dumps(said).encode()), ["a", "b"])


class TestReadingAnswers:
    def test_an_answer_in_another_order_stays_with_its_message(self) -> None:
        refused, accepted = answered(200, {"messages": [of("b"), of("a", 303)]})
        assert isinstance(refused, Refused)
        assert accepted == Accepted("")

    def test_a_message_missing_in_the_answer_is_unknown(self) -> None:
        accepted, silent = answered(200, {"messages": [of("a"), of("z")]})
        assert isinstance(accepted, Accepted)
        assert isinstance(silent, Unknown)

    def test_a_message_twice_in_the_answer_is_unknown(self) -> None:
        twice, accepted = answered(200, {"messages": [of("a"), of("b"), of("a", 303)]})
        assert isinstance(twice, Unknown)
        assert isinstance(accepted, Accepted)

    @pytest.mark.parametrize(
        ("code", "failure", "permanent"),
        [
            (301, Failure.REJECTED, False),
            (302, Failure.INVALID_NUMBER, True),
            (303, Failure.INVALID_NUMBER, True),
            (304, Failure.REJECTED, True),
            (401, Failure.REJECTED, True),
            (402, Failure.BARRED, True),
            (403, Failure.REJECTED, True),
            (500, Failure.REJECTED, False),
            (999, Failure.REJECTED, False),
            (777, Failure.REJECTED, True),
        ],
    )
    def test_each_code_has_its_meaning(self, code: int, failure: str, permanent: bool) -> None:
        said = {"messages": [of("a", code, "Gsm is not a number")]}
        result, _ = answered(400, said)
        assert isinstance(result, Refused)
        assert (result.failure, result.permanent) == (failure, permanent)
        assert result.remark == f"CM refuse (code {code}) Gsm is not a number"

    @pytest.mark.parametrize(
        "said",
        [
            {**of("a"), "messageErrorCode": 303},
            {**of("a"), "messageErrorCode": None},
            {**of("a"), "messageErrorCode": False},
            {**of("a"), "status": "Queued"},
            {**of("a"), "status": None},
        ],
    )
    def test_what_contradicts_itself_is_unknown(self, said: dict) -> None:
        assert isinstance(answered(200, {"messages": [said]})[0], Unknown)

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (400, {"errorCode": 101, "messages": []}),
            (400, {"errorCode": 102, "messages": []}),
            (401, {}),
            (403, {"errorCode": 103}),
            (404, "nothing here"),
            (302, {}),
        ],
    )
    def test_without_access_nothing_was_sent(self, status: int, said: Any) -> None:
        assert {type(result) for result in answered(status, said)} == {NotSent}

    def test_a_call_that_cannot_be_understood_may_be_tried_again(self) -> None:
        result, _ = answered(400, {"errorCode": 202, "messages": []})
        assert isinstance(result, Refused)
        assert not result.permanent

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (200, {"messages": []}),
            (200, {}),
            (204, None),
            (500, {"messages": [of("a")]}),
            (503, {}),
            (502, {"errorCode": 101}),
        ],
    )
    def test_anything_else_is_unknown(self, status: int, said: Any) -> None:
        assert {type(result) for result in answered(status, said)} == {Unknown}

    def test_too_fast_says_when(self) -> None:
        assert answered(503, {}, Retry_After="3") == [Throttled(3.0)] * 2

    @given(st.integers(100, 599), st.binary())
    def test_any_answer_is_read_as_something(self, status: int, body: bytes) -> None:
        results = read_answer(HttpAnswer(status, {}, body), ["a", "b"])
        assert len(results) == 2
        assert not any(isinstance(result, Accepted) for result in results)

    @given(st.integers(100, 599), json_values | spoiled({"messages": [of("a"), of("b", 303)]}))
    def test_any_json_is_read_as_something(self, status: int, said: Any) -> None:
        for result in answered(status, said):
            assert not isinstance(result, Accepted) or 200 <= status < 300
            assert len(getattr(result, "remark", "")) <= 200


class TestChecking:
    def check(self, answer: Answerer, token: str = TOKEN) -> tuple[bool, str]:
        """Return whether the gateway may be used, and the complaint."""
        with HttpPeer(answer) as peer:
            url = f"cm+http://:{token}@127.0.0.1:{peer.port}/v1.0/message?sender=Vivalia"
            checked = check(gateway_from_url(url))
        assert [json.loads(asked.body)["messages"]["msg"] for asked in peer.asked] == [[]]
        assert token not in repr(checked)
        return checked.usable, checked.complaint

    def test_a_call_without_messages_shows_that_we_are_let_in(self) -> None:
        assert self.check(answering()) == (True, "")

    def test_a_wrong_token_is_reported(self) -> None:
        usable, complaint = self.check(answering(), token="wr0ng-token")  # noqa: S106
        assert (usable, "compte inconnu de CM" in complaint) == (False, True)

    def test_something_else_at_that_address_is_not_cm(self) -> None:
        usable, complaint = self.check(always(200, "<html>"))
        assert (usable, "ne répond pas comme CM" in complaint) == (False, True)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("cm+https://gw.cmtelecom.com/v1.0/message?sender=Vivalia", "il manque le jeton"),
        ("cm+https://:s3cret@gw.cmtelecom.com/v1.0/message", "demande un expéditeur"),
        ("cm+https://:s3cret@host/?sender=Vivalia&batch=1001", "batch est un nombre"),
        ("cm+https://:s3cret@host/?sender=Vivalia&batch=0", "batch est un nombre"),
        ("cm+https://:s3cret@host/?sender=Vivalia&batch=x", "batch est un nombre"),
        ("cm+https://:s3cret@host/?sender=Vivalia&key=s3cret", "ne signe pas"),
        ("cm+https://:s3cret@/?sender=Vivalia", "nom de la machine"),
    ],
)
def test_a_senseless_url_is_refused_without_its_secret(url: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
        gateway_from_url(url)
    assert "s3cret" not in str(refused.value)
