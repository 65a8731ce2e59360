"""A fake SMS gateway: a real HTTP server in a thread, which remembers what it was asked to send."""

import asyncio
import collections
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

Handler = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class Peer:
    """Takes ``POST {to, text, reference}`` as ``http+json://`` gateways send it.

    Args:
        idempotent: a reference is sent once, however often it is submitted.
        seconds: how long it thinks before it answers.
        handler: answers instead, for a peer that misbehaves.
    """

    def __init__(
        self, *, idempotent: bool = False, seconds: float = 0.0, handler: Handler | None = None
    ) -> None:
        self.idempotent = idempotent
        self.seconds = seconds
        self.handler = handler or self.accept
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """What goes into ``SMS_GATEWAY_URL``."""
        options = "idempotent=1&" if self.idempotent else ""
        return f"http+json://127.0.0.1:{self.port}/send?{options}timeout=1"

    @property
    def asked_by_reference(self) -> collections.Counter[str]:
        """How often each reference was submitted."""
        return collections.Counter(message["reference"] for message in list(self.asked))

    @property
    def sent_by_phone(self) -> collections.Counter[str]:
        """How many SMS each phone got."""
        if self.idempotent:
            sent = {message["reference"]: message["to"] for message in list(self.asked)}
            return collections.Counter(sent.values())
        return collections.Counter(message["to"] for message in list(self.asked))

    async def accept(self, request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
        """Take the message."""
        return web.json_response({"id": f"m-{message['reference'][:8]}"}, status=201)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._application(), shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/send", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        message = await request.json()
        self.asked.append(message)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.seconds)
        return await self.handler(request, message)
