"""Peers that speak HTTP and behave in one way, well or badly; for any gateway over HTTP."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.notifications.gateways.conformance import (
    Behaviour,
    a_door_that_stays_shut,
    a_port_where_nobody_listens,
)
from tests.peer import ServerInAThread

Answerer = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class HttpPeer(ServerInAThread):
    """Answers every request in one way, and remembers all of them."""

    def __init__(self, answer: Answerer) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[Asked] = []

    def application(self) -> web.Application:
        """Return what serves: any method, any path."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = dict(request.headers)
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        return await self.answer(request, body)


def always(status: int, text: str, **headers: str) -> Answerer:
    """Return what always answers so; ``Retry_After`` is the header ``Retry-After``."""

    async def answer(_request: web.Request, _body: bytes) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return answer


async def hang(_request: web.Request, _body: bytes) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(30)
    raise AssertionError


async def close_at_once(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Take the request and close."""
    assert request.transport
    request.transport.close()
    return web.Response()


async def close_mid_answer(request: web.Request, _body: bytes) -> web.StreamResponse:
    """Announce a long answer that begins well, and close."""
    response = web.StreamResponse(status=202, headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'0: Accepted for delivery {"id": "m-1"}')
    assert request.transport
    request.transport.close()
    return response


async def in_any_order() -> None:
    """Wait for a moment that differs from request to request."""
    await asyncio.sleep(random.uniform(0, 0.05))  # noqa: S311  # not for secrets


BAD: dict[Behaviour, Answerer] = {
    Behaviour.HANGS: hang,
    Behaviour.CLOSES_AT_ONCE: close_at_once,
    Behaviour.CLOSES_MID_ANSWER: close_mid_answer,
    Behaviour.ANSWERS_GARBAGE: always(200, "<html>Bienvenue ☃"),
    Behaviour.IS_BROKEN: always(500, "Internal Server Error"),
}


@contextlib.contextmanager
def port_of_a_peer(behaviour: Behaviour, answers: Mapping[Behaviour, Answerer]) -> Iterator[int]:
    """Give the port of a peer that behaves so, or where there is none."""
    if behaviour is Behaviour.IS_AWAY:
        with a_port_where_nobody_listens() as port:
            yield port
    elif behaviour is Behaviour.NEVER_CONNECTS:
        with a_door_that_stays_shut() as port:
            yield port
    else:
        with HttpPeer(answers[behaviour]) as peer:
            yield peer.port
