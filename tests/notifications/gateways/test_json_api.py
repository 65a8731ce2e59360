"""The generic HTTP gateway, against a real server that misbehaves."""

import contextlib
import json
import time
from collections.abc import Iterator
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
    Refused,
    Result,
    Throttled,
    Unknown,
    gateway_from_url,
)
from notifications.gateways.http import HttpAnswer
from notifications.gateways.json_api import from_url
from tests.notifications.gateways.conformance import (
    PATIENCE,
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
from tests.peer import Handler, Peer


def answering(status: int, content: Any, **headers: str) -> Handler:
    """Return a handler that always answers so."""

    async def answer(_request: web.Request, _message: dict) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(content, status=status, headers=named)

    return answer


REFUSED = json.dumps({"error": "invalid_number"})


async def accept(_request: web.Request, body: bytes) -> web.StreamResponse:
    """Take the message, but no odd number."""
    message = json.loads(body)
    await in_any_order()
    if int(message["to"][-1]) % 2:
        return web.Response(status=422, text=REFUSED)
    return web.json_response({"id": f"m-{message['reference']}"}, status=201)


ANSWERS: dict[Behaviour, Answerer] = BAD | {
    Behaviour.ACCEPTS: always(201, '{"id": "m-1"}'),
    Behaviour.REJECTS: always(422, REFUSED),
    Behaviour.REJECTS_FOR_NOW: always(422, '{"error": "unreachable", "temporary": true}'),
    Behaviour.REJECTS_ODD_NUMBERS: accept,
    Behaviour.THROTTLES: always(429, "", Retry_After="7"),
    Behaviour.LETS_NOBODY_IN: always(401, ""),
}


class TestHttpJson(ConformsOverANetwork):
    secrets = ("s3cret",)

    @contextlib.contextmanager
    def gateway_to(self, behaviour: Behaviour) -> Iterator[Gateway]:
        """Return a gateway whose peer behaves so."""
        with port_of_a_peer(behaviour, ANSWERS) as port:
            place = f"vivalia:s3cret@127.0.0.1:{port}/send"
            yield gateway_from_url(f"http+json://{place}?timeout={PATIENCE}")

    def test_the_message_arrives_whole_with_our_reference(self) -> None:
        with Peer() as peer:
            submit(gateway_from_url(peer.url), some_messages(1))
        assert peer.asked == [
            {"to": "+32470000000", "text": "Ne venez pas. É€", "reference": "ref0000"}
        ]

    def test_a_redirection_is_not_followed(self) -> None:
        with Peer(handler=answering(307, {}, Location="/send")) as peer:
            submit(gateway_from_url(peer.url), some_messages(1))
        assert len(peer.asked) == 1

    def test_a_window_of_messages_waits_beside_each_other(self) -> None:
        with Peer(seconds=0.2) as peer:
            gateway = gateway_from_url(peer.url)
            started = time.monotonic()
            submit(gateway, some_messages(gateway.options.window))
            assert time.monotonic() - started < 0.2 * gateway.options.window / 2

    def test_user_and_password_are_sent_as_basic_and_a_password_alone_as_bearer(self) -> None:
        with Peer() as peer:
            for who in ("vivalia:s%40crt", ":t0ken"):
                url = peer.url.replace("://", f"://{who}@")
                submit(gateway_from_url(url), some_messages(1))
        sent = [headers["Authorization"] for headers in peer.headers]
        assert sent == ["Basic dml2YWxpYTpzQGNydA==", "Bearer t0ken"]


HOOK = "receipts=1&hook=secret-path-of-ours&from=any"


class TestChecking:
    @pytest.mark.parametrize("options", ["timeout=1", "timeout=1&query=1"])
    def test_nothing_is_posted(self, options: str) -> None:
        with HttpPeer(always(404, "")) as peer:
            url = f"http+json://127.0.0.1:{peer.port}/send?{options}"
            assert check(gateway_from_url(url)).usable
        assert "POST" not in {asked.method for asked in peer.asked}

    def test_refused_access_is_reported(self) -> None:
        with HttpPeer(always(401, "")) as peer:
            checked = check(gateway_from_url(f"http+json://x:s3cret@127.0.0.1:{peer.port}/"))
        assert (checked.usable, "refuse l'accès" in checked.complaint) == (False, True)


class TestTheUrl:
    URL = "https+json://vivalia:s3cret@sms.example.org:8443/send?idempotent=1&tps=30&window=7"

    def test_its_options_are_read(self) -> None:
        gateway = gateway_from_url(self.URL)
        assert gateway.honours_reference
        assert (gateway.options.parts_per_second, gateway.options.window) == (30.0, 7)

    def test_it_has_receipts_where_the_url_says_so(self) -> None:
        assert not gateway_from_url(self.URL).has_receipts
        assert gateway_from_url(f"{self.URL}&{HOOK}").has_receipts

    def test_no_secret_shows_in_name_or_repr(self) -> None:
        gateway = gateway_from_url(self.URL)
        assert gateway.name == "http+json sms.example.org:8443"
        assert "s3cret" not in f"{gateway!r} {gateway.name}"

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("smtp://vivalia:s3cret@host", "genre de passerelle inconnu"),
            ("https+json://vivalia:s3cret@host/?tsp=3", "option inconnue tsp"),
            ("https+json://vivalia:s3cret@host/?tps=fast", "sont des nombres"),
            ("https+json://vivalia:s3cret@host/?window=0", "sont des nombres positifs"),
            ("https+json://", "nom de la machine"),
            ("https+json://vivalia:s3cret@host/?receipts=1", "receipts=1 demande hook"),
            ("https+json://vivalia:s3cret@host:70000/", "le port"),
            ("", "genre de passerelle inconnu"),
        ],
    )
    def test_a_senseless_one_is_refused_without_its_secret(self, url, complaint) -> None:
        with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
            gateway_from_url(url)
        assert "s3cret" not in str(refused.value)


def read_answer(
    status: int, headers: dict[str, str], body: bytes, *, again: bool = False
) -> Result:
    """Return what an answer of a peer that sends a reference once means."""
    gateway = from_url("http+json://host/?idempotent=1")
    message = Message("ref", "+32470000000", "Ne venez pas.", again=again)
    return gateway.read(HttpAnswer(status, headers, body), message)


class TestReadingAnswers:
    @given(st.integers(100, 599), st.binary())
    def test_whatever_comes_is_read_as_something(self, status: int, body: bytes) -> None:
        result = read_answer(status, {}, body)
        assert not isinstance(result, Accepted) or 200 <= status < 300

    @pytest.mark.parametrize("status", [208, 409])
    def test_a_repeat_that_the_peer_knows_is_accepted(self, status: int) -> None:
        assert read_answer(status, {}, b'{"id": "m-1"}', again=True) == Accepted("m-1")
        assert read_answer(status, {}, b"<html>Conflict", again=True) == Accepted("")

    def test_a_conflict_over_a_first_submission_is_a_refusal(self) -> None:
        assert read_answer(409, {}, b'{"id": "m-1"}') == Refused(
            "rejected",  # type: ignore[arg-type]
            remark="réponse 409",
        )
        assert isinstance(read_answer(400, {}, b"", again=True), Refused)

    def test_a_refusal_that_names_nothing_known_is_a_rejection_for_good(self) -> None:
        result = read_answer(400, {}, b'{"error": "boom"}')
        assert result == Refused("rejected", remark="réponse 400 boom")  # type: ignore[arg-type]

    def test_unavailable_with_a_time_is_too_fast_and_without_one_unknown(self) -> None:
        assert read_answer(503, {"Retry-After": "3"}, b"") == Throttled(3.0)
        assert isinstance(read_answer(503, {}, b""), Unknown)

    def test_a_wait_of_a_day_is_cut_to_minutes(self) -> None:
        assert read_answer(429, {"Retry-After": "86400"}, b"") == Throttled(300.0)
