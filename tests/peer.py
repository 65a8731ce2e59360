"""A fake SMS gateway: a real HTTP server in a thread, which remembers what it was asked to send."""

import asyncio
import collections
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.receipts import ReceiptPoster

Handler = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class ServerInAThread:
    """A web server on a port of its own, for as long as the ``with`` lasts."""

    def __init__(self) -> None:
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def application(self) -> web.Application:
        """Return what serves."""
        raise NotImplementedError

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
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        runner = web.AppRunner(self.application(), shutdown_timeout=0.1)
        self.loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self.loop.run_until_complete(site.start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self.loop.run_forever()
        self.loop.run_until_complete(runner.cleanup())
        self.loop.close()


class Peer(ServerInAThread):
    """Takes ``POST {to, text, reference}`` as ``http+json://`` gateways send it.

    Args:
        idempotent: a reference is sent once, however often it is submitted.
        seconds: how long it thinks before it answers.
        handler: answers instead, for a peer that misbehaves.
        receipts: calls our hook for each message that is taken.
    """

    def __init__(
        self,
        *,
        idempotent: bool = False,
        seconds: float = 0.0,
        handler: Handler | None = None,
        receipts: ReceiptPoster | None = None,
    ) -> None:
        super().__init__()
        self.idempotent = idempotent
        self.seconds = seconds
        self.handler = handler or self.accept
        self.receipts = receipts
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """What goes into ``SMS_GATEWAY_URL``."""
        options = "idempotent=1&" if self.idempotent else ""
        if self.receipts:
            secret = self.receipts.hook.rstrip("/").rpartition("/")[2]
            options += f"receipts=1&hook={secret}&from=127.0.0.1&key={self.receipts.key}&"
        return f"http+json://127.0.0.1:{self.port}/send?{options}timeout=2"

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
        number = f"m-{message['reference'][:8]}"
        if self.receipts:
            self.receipts.say(message["reference"], number)
        return web.json_response({"id": number}, status=201)

    def application(self) -> web.Application:
        """Return what serves."""
        application = web.Application()
        application.router.add_post("/send", self._answer)
        if self.receipts:
            application.cleanup_ctx.append(self._posting)
        return application

    async def _posting(self, _application: web.Application) -> AsyncIterator[None]:
        assert self.receipts
        self.receipts.start()
        yield
        await self.receipts.stop()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        message = await request.json()
        self.asked.append(message)
        self.headers.append(dict(request.headers))
        await asyncio.sleep(self.seconds)
        return await self.handler(request, message)
