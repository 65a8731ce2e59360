"""The generic HTTP gateway, against a real server that misbehaves."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from aiohttp import web
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import Accepted, Gateway, Refused, Throttled, Unknown, gateway_from_url
from notifications.gateways.http import read_answer
from tests.notifications.gateways.conformance import (
    Behaviour,
    ConformsOverANetwork,
    some_messages,
    submit,
)
from tests.peer import Handler, Peer


def answering(status: int, content: Any, **headers: str) -> Handler:
    """Return a handler that always answers so."""

    async def answer(_request: web.Request, _message: dict) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response(content, status=status, headers=named)

    return answer


async def hang(_request: web.Request, _message: dict) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(30)
    raise AssertionError


async def close_at_once(request: web.Request, _message: dict) -> web.StreamResponse:
    """Take the request and close."""
    assert request.transport
    request.transport.close()
    return web.Response()


async def close_mid_answer(request: web.Request, _message: dict) -> web.StreamResponse:
    """Announce a long answer, begin it, and close."""
    response = web.StreamResponse(status=201, headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id": "m-')
    assert request.transport
    request.transport.close()
    return response


HANDLERS: dict[Behaviour, Handler | None] = {
    Behaviour.ACCEPTS: None,
    Behaviour.REJECTS: answering(422, {"error": "invalid_number"}),
    Behaviour.REJECTS_FOR_NOW: answering(422, {"error": "unreachable", "temporary": True}),
    Behaviour.THROTTLES: answering(429, {}, Retry_After="7"),
    Behaviour.LETS_NOBODY_IN: answering(401, {}),
    Behaviour.HANGS: hang,
    Behaviour.CLOSES_AT_ONCE: close_at_once,
    Behaviour.CLOSES_MID_ANSWER: close_mid_answer,
    Behaviour.ANSWERS_GARBAGE: answering(200, ["<html>"]),
    Behaviour.IS_BROKEN: answering(500, {}),
}


class TestHttpJson(ConformsOverANetwork):
    @contextlib.contextmanager
    def _to_nobody(self) -> Iterator[Gateway]:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # taken, but nobody listens
            yield gateway_from_url(f"http+json://127.0.0.1:{unused.getsockname()[1]}/send")

    @contextlib.contextmanager
    def _to_peer(self, behaviour: Behaviour) -> Iterator[Gateway]:
        with Peer(handler=HANDLERS[behaviour]) as peer:
            yield gateway_from_url(peer.url)

    def gateway_to(self, behaviour: Behaviour) -> AbstractContextManager[Gateway]:
        """Return a gateway whose peer behaves so."""
        if behaviour is Behaviour.IS_AWAY:
            return self._to_nobody()
        return self._to_peer(behaviour)

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
            submit(gateway, some_messages(gateway.window))
            assert time.monotonic() - started < 0.2 * gateway.window / 2

    def test_user_and_password_are_sent_as_basic_and_a_password_alone_as_bearer(self) -> None:
        with Peer() as peer:
            for who in ("vivalia:s%40crt", ":t0ken"):
                url = peer.url.replace("://", f"://{who}@")
                submit(gateway_from_url(url), some_messages(1))
        sent = [headers["Authorization"] for headers in peer.headers]
        assert sent == ["Basic dml2YWxpYTpzQGNydA==", "Bearer t0ken"]


class TestTheUrl:
    URL = "https+json://vivalia:s3cret@sms.example.org:8443/send?idempotent=1&tps=30&window=7"

    def test_its_options_are_read(self) -> None:
        gateway = gateway_from_url(self.URL)
        assert gateway.honours_reference
        assert (gateway.parts_per_second, gateway.window) == (30.0, 7)

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
            ("", "genre de passerelle inconnu"),
        ],
    )
    def test_a_senseless_one_is_refused_without_its_secret(self, url, complaint) -> None:
        with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
            gateway_from_url(url)
        assert "s3cret" not in str(refused.value)


class TestReadingAnswers:
    @given(st.integers(100, 599), st.binary())
    def test_whatever_comes_is_read_as_something(self, status: int, body: bytes) -> None:
        result = read_answer(status, {}, body)
        assert not isinstance(result, Accepted) or 200 <= status < 300

    def test_a_refusal_that_names_nothing_known_is_a_rejection_for_good(self) -> None:
        result = read_answer(400, {}, b'{"error": "boom"}')
        assert result == Refused("rejected", remark="réponse 400 boom")  # type: ignore[arg-type]

    def test_unavailable_with_a_time_is_too_fast_and_without_one_unknown(self) -> None:
        assert read_answer(503, {"Retry-After": "3"}, b"") == Throttled(3.0)
        assert isinstance(read_answer(503, {}, b""), Unknown)

    def test_a_wait_of_a_day_is_cut_to_minutes(self) -> None:
        assert read_answer(429, {"Retry-After": "86400"}, b"") == Throttled(300.0)
