"""The generic HTTP gateway, against a real server that misbehaves."""

import contextlib
import datetime as dt
import json
import time
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
    HookRefused,
    HookRequest,
    Inbound,
    Receipt,
    Refused,
    Sent,
    Throttled,
    Unknown,
    gateway_from_url,
    signatures,
)
from notifications.gateways.http import read_answer
from notifications.models import Failure, ReceiptState
from tests.notifications.gateways.conformance import (
    NOW,
    PHONE,
    REFERENCE,
    Behaviour,
    ConformsOverANetwork,
    check,
    query,
    some_messages,
    submit,
)
from tests.notifications.gateways.conformance_reports import (
    ConformsWithAHook,
    ConformsWithReplies,
    ConformsWithSignatures,
    Word,
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
            yield gateway_from_url(f"http+json://vivalia:s3cret@127.0.0.1:{port}/send?timeout=1")

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


KEY = "k3y-of-the-gateway"
HOOK = "receipts=1&hook=secret-path-of-ours&from=any"
DELIVERED = {"reference": REFERENCE, "id": "m-1", "status": "delivered", "at": NOW.isoformat()}
SAYS = {
    Word.DELIVERED: DELIVERED,
    Word.FAILED: {**DELIVERED, "status": "failed", "error": "invalid_number"},
    Word.EXPIRED: {**DELIVERED, "status": "expired"},
    Word.OF_ANOTHERS_MESSAGE: {"id": "m-999", "status": "delivered"},
    Word.A_REPLY: {"from": "0032470000001", "text": "STOP", "id": "in-1"},
    Word.GARBAGE: "<xml/>",
    Word.BADLY_SIGNED: DELIVERED,
    Word.SIGNED_LONG_AGO: DELIVERED,
}


def post(said: Any) -> HookRequest:
    """Return an unsigned call."""
    return HookRequest("POST", {}, {}, json.dumps(said).encode(), NOW)


def signed(request: HookRequest, *, key: str = KEY, at: dt.datetime = NOW) -> HookRequest:
    """Return the call, signed."""
    timestamp = str(int(at.timestamp()))
    signature = signatures.sign(request.body, timestamp, key=key)
    return replace(request, headers={"x-timestamp": timestamp, "x-signature": signature})


class TestItsCalls(ConformsWithAHook, ConformsWithReplies):
    def hooked(self) -> Gateway:
        """Return a gateway whose secret path is enough."""
        return gateway_from_url(f"https+json://:t0ken@sms.example.org/send?{HOOK}")

    def call_of(self, word: Word) -> HookRequest:
        """Return a call with one report."""
        return post(SAYS[word])

    def test_a_list_is_read_and_what_cannot_be_read_is_left_out(self) -> None:
        request = post([DELIVERED, {"status": "delivered"}, None, SAYS[Word.A_REPLY]])
        kinds = [type(report) for report in self.hooked().read_hook(request)]
        assert kinds == [Receipt, Inbound]

    def test_a_thousand_and_one_reports_are_refused(self) -> None:
        assert len(self.hooked().read_hook(post([DELIVERED] * 1000))) == 1000
        with pytest.raises(HookRefused):
            self.hooked().read_hook(post([DELIVERED] * 1001))

    def test_everything_that_was_said_is_kept(self) -> None:
        (receipt,) = self.hooked().read_hook(post(SAYS[Word.FAILED]))
        assert receipt == Receipt(
            state=ReceiptState.FAILED,
            reference=REFERENCE,
            provider_ids=("m-1",),
            failure=Failure.INVALID_NUMBER,
            remark="invalid_number",
            happened_at=NOW,
        )

    def test_a_cause_in_the_peers_own_words_is_a_rejection_with_a_remark(self) -> None:
        (receipt,) = self.hooked().read_hook(post({**SAYS[Word.FAILED], "error": "HLR 27"}))
        assert isinstance(receipt, Receipt)
        assert (receipt.failure, receipt.remark) == (Failure.REJECTED, "HLR 27")


class TestItsSignedCalls(ConformsWithAHook, ConformsWithReplies, ConformsWithSignatures):
    def hooked(self) -> Gateway:
        """Return a gateway that shares a key."""
        return gateway_from_url(f"https+json://sms.example.org/send?{HOOK}&key={KEY}")

    def signed(self, request: HookRequest) -> HookRequest:
        """Sign with the right key, now."""
        return signed(request)

    def call_of(self, word: Word) -> HookRequest:
        """Return a signed call."""
        key = "another" if word is Word.BADLY_SIGNED else KEY
        ago = dt.timedelta(hours=word is Word.SIGNED_LONG_AGO)
        return signed(post(SAYS[word]), key=key, at=NOW - ago)


class TestAsking:
    def ask(self, answer: Answerer, options: str = "query=1&timeout=1") -> Receipt | None:
        """Return what a peer's answer to a question says."""
        with HttpPeer(answer) as peer:
            gateway = gateway_from_url(f"http+json://127.0.0.1:{peer.port}/send?{options}")
            (receipt,) = query(gateway, [Sent(REFERENCE, "", PHONE)])
        self.paths = [asked.path for asked in peer.asked]
        return receipt

    def test_a_message_is_asked_for_by_its_reference(self) -> None:
        receipt = self.ask(always(200, json.dumps(DELIVERED)))
        assert receipt
        assert (receipt.state, receipt.reference) == (ReceiptState.DELIVERED, REFERENCE)
        assert self.paths == [f"/send/{REFERENCE}"]

    def test_it_need_not_repeat_the_reference(self) -> None:
        receipt = self.ask(always(200, '{"status": "on_its_way"}'))
        assert receipt
        assert (receipt.state, receipt.reference) == (ReceiptState.ON_ITS_WAY, REFERENCE)

    @pytest.mark.parametrize(
        "answer",
        [
            always(404, ""),
            always(200, "[]"),
            always(200, json.dumps({**DELIVERED, "reference": "another"})),
            always(201, json.dumps(DELIVERED)),
            always(401, ""),
            BAD[Behaviour.HANGS],
            BAD[Behaviour.CLOSES_AT_ONCE],
        ],
    )
    def test_anything_else_says_nothing(self, answer: Answerer) -> None:
        assert self.ask(answer) is None

    def test_a_peer_that_takes_no_questions_is_asked_none(self) -> None:
        assert self.ask(always(200, json.dumps(DELIVERED)), options="timeout=1") is None
        assert self.paths == []


class TestChecking:
    @pytest.mark.parametrize("options", ["timeout=1", "timeout=1&query=1"])
    def test_nothing_is_posted(self, options: str) -> None:
        with HttpPeer(always(404, "")) as peer:
            url = f"http+json://127.0.0.1:{peer.port}/send?{options}"
            assert check(gateway_from_url(url)).usable
        assert "POST" not in {asked.method for asked in peer.asked}

    def test_who_is_not_let_in_is_told_so(self) -> None:
        with HttpPeer(always(401, "")) as peer:
            checked = check(gateway_from_url(f"http+json://x:s3cret@127.0.0.1:{peer.port}/"))
        assert (checked.usable, "refuse l'accès" in checked.complaint) == (False, True)


class TestTheUrl:
    URL = "https+json://vivalia:s3cret@sms.example.org:8443/send?idempotent=1&tps=30&window=7"

    def test_its_options_are_read(self) -> None:
        gateway = gateway_from_url(self.URL)
        assert gateway.honours_reference
        assert (gateway.options.parts_per_second, gateway.options.window) == (30.0, 7)

    def test_receipts_are_promised_where_they_are_said_to_come(self) -> None:
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
