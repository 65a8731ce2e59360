"""What the HTTP gateway is certain of, against raw sockets that do one thing wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from yarl import URL

from notifications.gateways import NotSent, Unknown
from notifications.gateways.http import LONGEST_ANSWER, HttpAnswer, HttpGateway, retry_after
from notifications.gateways.json_api import from_url
from notifications.gateways.kannel import from_url as kannel_from_url
from tests.notifications.gateways.conformance import ignore
from tests.notifications.gateways.raw_peers import OK, ClosesAfterTheFirst, Talk, listening


@asynccontextmanager
async def opened(*, timeout: float = 2, window: int = 20) -> AsyncIterator[HttpGateway]:
    """Give a gateway that is open."""
    gateway = from_url(f"http+json://127.0.0.1/?timeout={timeout}&window={window}")
    await gateway.open(ignore)
    try:
        yield gateway
    finally:
        await gateway.close()


async def asked(method: str, talk: Talk, *, scheme: str = "http") -> HttpAnswer | NotSent | Unknown:
    """Return what one request to such a server comes to."""
    async with listening(talk) as port, opened() as gateway:
        return await gateway.exchange(method, URL(f"{scheme}://127.0.0.1:{port}/"))


def saying(answer: bytes) -> Talk:
    """Return a server that reads a request, says this and closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return talk


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_no_request_is_repeated_when_a_kept_connection_closes(method: str) -> None:
    peer = ClosesAfterTheFirst()

    async def twice() -> list:
        async with listening(peer) as port, opened() as gateway:
            url = URL(f"http://127.0.0.1:{port}/")
            return [await gateway.exchange(method, url) for _ in range(2)]

    first, second = asyncio.run(twice())
    assert isinstance(first, HttpAnswer)
    assert isinstance(second, Unknown)
    assert peer.requests == 2


def test_aiohttp_alone_repeats_a_get_there() -> None:
    peer = ClosesAfterTheFirst()

    async def twice() -> None:
        async with listening(peer) as port, aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    await answer.read()

    asyncio.run(twice())
    assert peer.requests == 3  # the second was sent on two connections


def test_a_redirection_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    answer = asyncio.run(asked("POST", saying(moved)))
    assert isinstance(answer, HttpAnswer)
    assert answer.status == 307


def test_an_answer_in_pieces_is_read_whole() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"def")
        writer.close()

    answer = asyncio.run(asked("POST", talk))
    assert isinstance(answer, HttpAnswer)
    assert answer.body == b"abcdef"


def test_an_endless_answer_is_cut() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            return

    answer = asyncio.run(asked("POST", talk))
    assert isinstance(answer, HttpAnswer)
    assert len(answer.body) == LONGEST_ANSWER


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff\r\n\r\n",
        b"SMTP 220 hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_what_is_no_answer_leaves_it_unknown(garbage: bytes) -> None:
    assert isinstance(asyncio.run(asked("POST", saying(garbage))), Unknown)


def test_an_answer_that_drips_is_given_up_and_unknown() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        try:
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            return

    answer = asyncio.run(asked("POST", talk))
    assert answer == Unknown("pas de réponse (silence)")


def test_tls_that_never_comes_about_carried_nothing() -> None:
    async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    answer = asyncio.run(asked("POST", silent, scheme="https"))
    assert answer == NotSent("pas de connexion (trop lent à se connecter)")


def test_a_peer_that_speaks_no_tls_got_nothing() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    answer = asyncio.run(asked("POST", plain, scheme="https"))
    assert answer == NotSent("pas de connexion (TLS refusé)")


def test_a_machine_that_does_not_exist_got_nothing() -> None:
    async def ask() -> HttpAnswer | NotSent | Unknown:
        async with opened(timeout=5) as gateway:
            return await gateway.exchange("POST", URL("http://sms.invalid/"))

    assert isinstance(asyncio.run(ask()), NotSent)


def test_no_more_connections_are_open_than_the_window() -> None:
    most = open_now = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most, open_now
        open_now += 1
        most = max(most, open_now)
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.02)
        writer.write(OK)
        writer.close()
        open_now -= 1

    async def many() -> None:
        async with listening(talk) as port, opened(window=3, timeout=5) as gateway:
            url = URL(f"http://127.0.0.1:{port}/")
            await asyncio.gather(*(gateway.exchange("POST", url) for _ in range(12)))

    asyncio.run(many())
    assert most == 3


@pytest.mark.parametrize(
    ("status", "complaint"),
    [
        (b"403 Forbidden", "refuse l'accès (réponse 403)"),
        (b"502 Bad Gateway", "en panne (réponse 502)"),
    ],
)
def test_a_check_says_what_is_wrong_without_the_secret(status: bytes, complaint: str) -> None:
    async def ask() -> str:
        answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
        async with listening(saying(answer)) as port:
            gateway = kannel_from_url(f"kannel+http://user:s3cret@127.0.0.1:{port}")
            await gateway.open(ignore)
            checked = await gateway.check()
            await gateway.close()
        assert not checked.usable
        assert "s3cret" not in repr(checked)
        return checked.complaint

    assert complaint in asyncio.run(ask())


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("99999", 300.0), ("Wed, 21 Oct", 1.0), ("٣", 1.0)]
)
def test_retry_after_is_seconds_or_one(header: str, seconds: float) -> None:
    assert retry_after({"Retry-After": header}) == seconds


def test_without_retry_after_it_is_one_second() -> None:
    assert retry_after({}) == 1.0
