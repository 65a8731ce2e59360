"""Peers that misbehave, and the wire to them, which can be cut."""

import asyncio
import collections
import random
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from tests.peer import Peer
from tests.smpp_peer import SmscPeer

Answering = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
MANNERS = ("hangs", "closes", "breaks_off", "answers_garbage", "is_broken", "throttles")


class MoodyPeer(Peer):
    """A peer whose manners change from one request to the next.

    ``taken`` is what it sends: the worst case, so all but what it refuses or puts off. Whether
    it sent what it closed, hung or babbled upon, nobody on the other side can know.

    Args:
        moods: what it may do instead of answering; the first requests get them all in turn.
        until: after so many requests it has calmed down; None for never, and never calm.
        seed: of its moods.
        **options: as for ``Peer``.
    """

    def __init__(self, *moods: str, until: int | None, seed: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self._moods = moods
        self.until = until
        self._dice = random.Random(seed)
        self.taken: list[dict[str, Any]] = []
        self.shown: collections.Counter[str] = collections.Counter()

    @property
    def sent_by_phone(self) -> collections.Counter[str]:
        """How many SMS each phone got, at worst."""
        if self.idempotent:
            sent = {message["reference"]: message["to"] for message in list(self.taken)}
            return collections.Counter(sent.values())
        return collections.Counter(message["to"] for message in list(self.taken))

    @property
    def asked_by_reference(self) -> collections.Counter[str]:
        """How often each reference was submitted and may have been sent."""
        return collections.Counter(message["reference"] for message in list(self.taken))

    async def accept(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        """Answer as the mood of the moment has it."""
        mood = self._mood()
        self.shown[mood] += 1
        if mood == "throttles":
            return web.Response(status=429, headers={"Retry-After": "1"})
        self.taken.append(message)
        if mood == "calm":
            return await super().accept(request, message)
        answer: Answering = getattr(self, f"_{mood}")
        return await answer(request, message)

    def _mood(self) -> str:
        number = sum(self.shown.values())
        if number < len(self._moods):
            return self._moods[number]
        if self.until is None:
            return self._dice.choice(self._moods)
        if number >= self.until:
            return "calm"
        # A gateway that answers nothing at all is left in peace for longer and longer.
        return "calm" if self._dice.random() < 0.5 else self._dice.choice(self._moods)

    async def _hangs(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response(status=500)

    async def _closes(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    async def _breaks_off(
        self, request: web.Request, message: dict[str, Any]
    ) -> web.StreamResponse:
        answer = web.StreamResponse(status=201, headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b'{"id": "m-')
        assert request.transport
        request.transport.close()
        return answer

    async def _answers_garbage(
        self, request: web.Request, message: dict[str, Any]
    ) -> web.StreamResponse:
        return web.Response(status=200, body=b"\x00\xff<html>PHP Fatal error</html>")

    async def _is_broken(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        return web.Response(status=500, text="Internal Server Error")


class CountedSmsc(SmscPeer):
    """An SMSC that counts as the other peers do; it is given no references, only phones.

    What ``judge`` marks as ``put_off`` was not taken, and does not count as sent.
    """

    idempotent = False

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The messages submitted, long ones counted once."""
        return [one for one in list(self.submitted) if one["part"] == 1]

    @property
    def sent_by_phone(self) -> collections.Counter[str]:
        """How many SMS each phone got, at worst."""
        return collections.Counter(one["to"] for one in self.asked if "put_off" not in one)

    @property
    def asked_by_reference(self) -> collections.Counter[str]:
        """How often each message was submitted."""
        return self.sent_by_phone


class Wire:
    """What lies between a house and a peer: a port that forwards, and can be cut.

    Args:
        url: of the peer; ``Wire.url`` is the same through the wire.
    """

    def __init__(self, url: str) -> None:
        self._far = urlsplit(url)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """What goes into ``SMS_GATEWAY_URL``."""
        login, at_sign, _host = self._far.netloc.rpartition("@")
        return self._far._replace(netloc=f"{login}{at_sign}127.0.0.1:{self.port}").geturl()

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def mend(self) -> None:
        """Listen, from the second time on the same port as before."""
        self._do(self._listen())

    def cut(self) -> None:
        """Listen no more, and break off every connection in the middle."""
        self._do(self._stop_listening())
        self.drop()

    def drop(self) -> None:
        """Break off every connection in the middle; new ones may be made."""
        self._do(self._break_off())

    def _do(self, work: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(_finish(work), self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._server:
            self._server.close()
            self._server = None

    async def _break_off(self) -> None:
        for end in list(self._ends):
            end.transport.abort()
        self._ends.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(
                self._far.hostname, self._far.port
            )
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far_writer}
        await asyncio.gather(_forward(reader, far_writer), _forward(far_reader, writer))
        self._ends -= {writer, far_writer}


async def _finish(work: Awaitable[None]) -> None:
    await work


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while content := await reader.read(65536):
            writer.write(content)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
