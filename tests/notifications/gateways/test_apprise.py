"""The gateway through Apprise, with its plug-in ``json://`` and a real server behind it."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured

from notifications.gateways import (
    Accepted,
    Gateway,
    Message,
    Refused,
    Result,
    Unknown,
    gateway_from_url,
)
from tests.notifications.gateways.conformance import (
    Behaviour,
    Conforms,
    a_port_where_nobody_listens,
    check,
    some_messages,
    submit,
)
from tests.notifications.gateways.http_peers import BAD, HttpPeer, always

TWILIO = "AC" + "a" * 32 + ":" + "b" * 32


def url_to(port: int) -> str:
    """Return a gateway's URL, percent-encoded, with options of ours."""
    return f"apprise://json%3A%2F%2Fvivalia%3As3cret%40127.0.0.1%3A{port}%2F{{to}}?timeout=1"


class TestApprise(Conforms):
    secrets = ("s3cret",)

    @contextlib.contextmanager
    def gateway(self) -> Iterator[Gateway]:
        """Return a gateway whose peer accepts."""
        with HttpPeer(always(200, "")) as peer:
            yield gateway_from_url(url_to(peer.port))


def answer_of(port: int) -> Result:
    """Return the one answer to one message."""
    ((_reference, result),) = submit(gateway_from_url(url_to(port)), some_messages(1))
    return result


def test_the_number_and_the_text_arrive() -> None:
    with HttpPeer(always(200, "")) as peer:
        assert answer_of(peer.port) == Accepted("")
    (asked,) = peer.asked
    assert asked.path == "/+32470000000"
    assert json.loads(asked.body)["message"] == "Ne venez pas. É€"


def test_an_address_that_is_not_encoded_is_read_too() -> None:
    with HttpPeer(always(200, "")) as peer:
        gateway = gateway_from_url(f"apprise://json://127.0.0.1:{peer.port}/{{to}}?method=PUT")
        submit(gateway, some_messages(1))
    assert [asked.method for asked in peer.asked] == ["PUT"]


class TestANo:
    @pytest.mark.parametrize("status", [400, 401, 429, 500])
    def test_may_stand_for_anything(self, status: int) -> None:
        with HttpPeer(always(status, "")) as peer:
            assert isinstance(answer_of(peer.port), Unknown)
            assert len(peer.asked) == 1, "Apprise sends a second time"

    @pytest.mark.parametrize("behaviour", [Behaviour.HANGS, Behaviour.CLOSES_AT_ONCE])
    def test_is_said_of_silence_too(self, behaviour: Behaviour) -> None:
        with HttpPeer(BAD[behaviour]) as peer:
            started = time.monotonic()
            assert isinstance(answer_of(peer.port), Unknown)
            assert time.monotonic() - started < 10

    def test_is_said_of_a_peer_that_is_away(self) -> None:
        with a_port_where_nobody_listens() as port:
            assert isinstance(answer_of(port), Unknown)


def test_a_number_that_the_service_does_not_take_is_refused() -> None:
    gateway = gateway_from_url(f"apprise://twilio://{TWILIO}@{{to}}/+32470000009")
    ((_reference, result),) = submit(gateway, [Message("0" * 32, "+32", "x")])
    assert isinstance(result, Refused)


def test_no_number_gets_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    gateway = gateway_from_url(f"apprise://twilio://{TWILIO}@{{to}}/+32470000009")
    submit(gateway, [Message("0" * 32, "+3247", "x")])
    assert "3247" not in caplog.text


def test_a_check_says_that_it_is_the_last_resort() -> None:
    gateway = gateway_from_url(f"apprise://twilio://{TWILIO}@+32470000009/{{to}}")
    assert dict(check(gateway).facts)["attention"].startswith("dernier recours")
    assert not gateway.has_receipts
    assert not gateway.honours_reference


class TestTheUrl:
    def test_has_its_options_and_a_name_without_secrets(self) -> None:
        gateway = gateway_from_url(url_to(80))
        assert (gateway.options.timeout, gateway.options.window) == (1.0, 2)
        assert gateway.name == "apprise json"

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("apprise://json://user:s3cret@host/", "écrivez {to}"),
            ("apprise://nosuch://user:s3cret@host/{to}", "ne comprend pas"),
            ("apprise://json://user:s3cret@host/{to}?retry=2", "deux fois"),
            ("apprise://", "écrivez {to}"),
            ("apprise://json%3A%2F%2Fuser%3As3cret%40host%2F{to}?tsp=1", "option inconnue"),
        ],
    )
    def test_that_is_senseless_is_refused_without_its_secret(
        self, url: str, complaint: str
    ) -> None:
        with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
            gateway_from_url(url)
        assert "s3cret" not in str(refused.value)

    def test_asks_for_the_library_where_it_is_missing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "apprise", None)
        with pytest.raises(ImproperlyConfigured, match="pip install apprise"):
            gateway_from_url("apprise://json://host/{to}")
