"""Kannel, against a server that answers as its user guide and its sources say."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways import (
    Accepted,
    Gateway,
    NotSent,
    Refused,
    Result,
    Throttled,
    Unknown,
    gateway_from_url,
)
from notifications.gateways.http import HttpAnswer
from notifications.gateways.kannel import from_url
from notifications.models import Failure
from tests.notifications.gateways.conformance import (
    PATIENCE,
    REFERENCE,
    Behaviour,
    ConformsOverANetwork,
    check,
    ignore,
    some_messages,
    submit,
)
from tests.notifications.gateways.http_peers import (
    BAD,
    Answerer,
    Asked,
    HttpPeer,
    always,
    in_any_order,
    port_of_a_peer,
)
from tests.notifications.gateways.raw_peers import ClosesAfterTheFirst, listening

HOOK = "a-hook-secret/with%a"
HOOK_OPTIONS = "hook=a-hook-secret/with%25a&from=192.0.2.7&hook_url=https://continuity.example.org/"
ACCEPTED = "0: Accepted for delivery"
DENIED = "Number(s) has/have been denied by white- and/or black-lists."
NOBODY = "Missing receiver number, rejected"


async def accept(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Answer as Kannel does: the account, then the receiver, which may not be odd."""
    await in_any_order()
    if request.query.get("password") != "s3cret/?&%":
        return web.Response(status=403, text="Authorization failed for sendsms")
    if "to" not in request.query:
        return web.Response(status=400, text=NOBODY)
    if int(request.query["to"][-1]) % 2:
        return web.Response(status=400, text=DENIED)
    return web.Response(status=202, text=ACCEPTED)


ANSWERS: dict[Behaviour, Answerer] = BAD | {
    Behaviour.ACCEPTS: accept,
    Behaviour.REJECTS: always(400, DENIED),
    Behaviour.REJECTS_FOR_NOW: always(500, "Sending failed."),
    Behaviour.REJECTS_ODD_NUMBERS: accept,
    Behaviour.THROTTLES: always(503, "Temporal failure, try again later."),
    Behaviour.LETS_NOBODY_IN: always(403, "Authorization failed for sendsms"),
}
ACCEPTS_ALL = always(202, ACCEPTED)


def kannel(port: int, options: str = "") -> Gateway:
    """Return a gateway at a port of this machine."""
    account = "vivalia:s3cret%2F%3F%26%25"
    place = f"{account}@127.0.0.1:{port}/cgi-bin/sendsms"
    return gateway_from_url(f"kannel+http://{place}?timeout={PATIENCE}&{options}")


def sent(
    options: str = "", text: str = "Ne venez pas. É€ + 100 %", lasts: int | None = None
) -> Asked:
    """Return the request that one message makes."""
    (message,) = some_messages(1)
    with HttpPeer(ACCEPTS_ALL) as peer:
        mine = replace(message, text=text, reference=REFERENCE, lasts=lasts)
        submit(kannel(peer.port, options), [mine])
    (asked,) = peer.asked
    return asked


class TestKannel(ConformsOverANetwork):
    secrets = ("s3cret", "a-hook-secret")
    numbers_messages = False
    waits_for = 5.0
    refuses_as = Failure.BARRED

    @contextlib.contextmanager
    def gateway_to(self, behaviour: Behaviour) -> Iterator[Gateway]:
        """Return a gateway whose peer behaves so."""
        with port_of_a_peer(behaviour, ANSWERS) as port:
            yield kannel(port, HOOK_OPTIONS)

    def test_each_message_gets_exactly_one_answer(self) -> None:
        with HttpPeer(ACCEPTS_ALL) as peer:
            answers = submit(kannel(peer.port), some_messages(3))
        assert answers == [(f"ref000{n}", Accepted("")) for n in range(3)]
        assert len(peer.asked) == 3


class TestTheQuestion:
    def test_it_is_what_the_user_guide_asks_for(self) -> None:
        asked = sent("smsc=proximus&sender=Vivalia")
        assert (asked.method, asked.path) == ("GET", "/cgi-bin/sendsms")
        assert asked.query == {
            "username": "vivalia",
            "password": "s3cret/?&%",
            "from": "Vivalia",
            "smsc": "proximus",
            "to": "0032470000000",
            "text": "Ne venez pas. É€ + 100 %",
            "charset": "UTF-8",
            "coding": "0",
        }

    def test_it_says_for_how_many_minutes_the_message_is_of_use(self) -> None:
        assert sent(lasts=3900).query["validity"] == "65"

    @pytest.mark.parametrize(("text", "coding"), [("é€{", "0"), ("ç", "2"), ("👍", "2")])
    def test_a_text_outside_the_alphabet_goes_as_ucs_2(self, text: str, coding: str) -> None:
        asked = sent(text=text)
        assert (asked.query["text"], asked.query["coding"]) == (text, coding)

    def test_with_a_hook_all_events_are_wanted_at_an_address_with_our_reference(self) -> None:
        query = sent(HOOK_OPTIONS).query
        assert query["dlr-mask"] == "31"
        filled = kannel_fills(query["dlr-url"], d="8", A="ACK/", F="4f2a", T="1652639400")
        url = urlsplit(filled)
        assert (url.scheme, url.netloc) == ("https", "continuity.example.org")
        assert url.path == "/hooks/a-hook-secret%2Fwith%25a/"
        assert dict(parse_qsl(url.query)) == {
            "reference": REFERENCE,
            "status": "8",
            "answer": "ACK/",
            "id": "4f2a",
            "at": "1652639400",
        }

    def test_without_a_hook_none_are_wanted_nor_promised(self) -> None:
        assert not {"dlr-mask", "dlr-url"} & set(sent().query)
        assert not kannel(1).has_receipts
        assert kannel(1, HOOK_OPTIONS).has_receipts

    def test_the_path_is_kannels_own_unless_another_is_given(self) -> None:
        with HttpPeer(ACCEPTS_ALL) as peer:
            submit(gateway_from_url(f"kannel+http://u:p@127.0.0.1:{peer.port}"), some_messages(1))
        assert peer.asked[0].path == "/cgi-bin/sendsms"


def kannel_fills(url: str, **values: str) -> str:
    """Fill a dlr-url as gw/urltrans.c does: ``%x`` by a value, ``%%`` by ``%``."""
    filled, rest = "", url
    while "%" in rest:
        before, _, rest = rest.partition("%")
        filled += before + ("%" if rest[0] == "%" else values[rest[0]])
        rest = rest[1:]
    return filled + rest


def test_a_message_is_not_asked_for_again_when_a_kept_connection_closes() -> None:
    body = ACCEPTED.encode()
    head = f"HTTP/1.1 202 Accepted\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    peer = ClosesAfterTheFirst(head + body)

    async def two() -> list[Sequence[Result]]:
        async with listening(peer) as port:
            gateway = kannel(port)
            await gateway.open(ignore)
            results = [await gateway.submit([message]) for message in some_messages(2)]
            await gateway.close()
            return results

    (first,), (second,) = asyncio.run(two())
    assert isinstance(first, Accepted)
    assert isinstance(second, Unknown)
    assert peer.requests == 2


def read_answer(status: int, headers: dict[str, str], body: bytes) -> Result:
    """Return what an answer means."""
    gateway = from_url("kannel+http://vivalia:s3cret@host")
    return gateway.read(HttpAnswer(status, headers, body), some_messages(1)[0])


class TestReadingAnswers:
    @given(st.integers(100, 599), st.binary() | st.sampled_from([b"0: x", b"Sent.", b"3: "]))
    def test_whatever_comes_is_read_as_something(self, status: int, body: bytes) -> None:
        result = read_answer(status, {}, body)
        assert not isinstance(result, Accepted) or 200 <= status < 300

    @pytest.mark.parametrize(
        ("status", "text", "result"),
        [
            (202, "0: Accepted for delivery", Accepted("")),
            (202, "3: Queued for later delivery", Accepted("")),
            (202, "Sent. Message splits: 2", Accepted("")),
        ],
    )
    def test_what_was_taken_is_accepted(self, status: int, text: str, result: Accepted) -> None:
        assert read_answer(status, {}, text.encode()) == result

    @pytest.mark.parametrize(
        ("status", "text", "failure"),
        [
            (202, "Sent. Denied receivers are: 0032470000001", Failure.BARRED),
            (400, DENIED, Failure.BARRED),
            (400, "Empty receiver number not allowed, rejected", Failure.INVALID_NUMBER),
            (400, "Charset or body misformed, rejected", Failure.REJECTED),
            (403, "Not routable. Do not try again.", Failure.REJECTED),
        ],
    )
    def test_what_lies_in_the_message_is_refused(self, status, text, failure) -> None:
        result = read_answer(status, {}, text.encode())
        assert isinstance(result, Refused)
        assert (result.failure, result.permanent) == (failure, True)

    @pytest.mark.parametrize(
        ("status", "text"),
        [
            (400, "Sender missing and no global set, rejected"),
            (400, "DLR-URL field misformed, rejected"),
            (403, "Authorization failed for sendsms"),
            (404, "Unknown request."),
            (302, ""),
        ],
    )
    def test_what_lies_in_settings_was_not_sent(self, status: int, text: str) -> None:
        assert isinstance(read_answer(status, {}, text.encode()), NotSent)

    def test_a_proxy_before_kannel_is_not_kannel(self) -> None:
        assert isinstance(read_answer(503, {}, b"Service Unavailable"), Unknown)
        assert isinstance(read_answer(200, {}, b"<html>0: Accepted"), Unknown)
        assert read_answer(503, {"Retry-After": "7"}, b"") == Throttled(7.0)


class TestChecking:
    def test_a_message_to_nobody_shows_that_the_account_is_accepted(self) -> None:
        with HttpPeer(accept) as peer:
            checked = check(kannel(peer.port, "smsc=proximus"))
        assert checked.usable
        assert ("accès", "accepté") in checked.facts
        assert {"to", "text"}.isdisjoint(peer.asked[0].query)

    def test_a_wrong_password_is_reported(self) -> None:
        with HttpPeer(accept) as peer:
            url = f"kannel+http://vivalia:wr0ng@127.0.0.1:{peer.port}"
            checked = check(gateway_from_url(url))
        assert not checked.usable
        assert "refuse l'accès" in checked.complaint
        assert "wr0ng" not in repr(checked)

    def test_something_else_at_that_address_is_not_kannel(self) -> None:
        with HttpPeer(always(200, "<html>Bienvenue")) as peer:
            checked = check(kannel(peer.port))
        assert (checked.usable, "ne répond pas comme Kannel" in checked.complaint) == (False, True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("key=s3cret", "ne signe pas"),
        ("hook_url=https://ours.example.org", "va avec hook"),
        ("hook=0123456789abcdef&from=any&hook_url=ours.example.org", "va avec hook"),
        ("hook=0123456789abcdef&from=any&hook_url=https://ours/?x=1", "va avec hook"),
        ("hook=short", "au moins 16"),
        ("dlr=31", "option inconnue dlr"),
    ],
)
def test_senseless_options_are_refused_without_the_secret(options: str, complaint: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=complaint) as refused:
        gateway_from_url(f"kannel+http://vivalia:s3cret@host/?{options}")
    assert "s3cret" not in str(refused.value)
