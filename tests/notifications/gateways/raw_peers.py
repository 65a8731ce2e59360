"""Peers at the level of sockets, for what no web server would do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[int]:
    """Give the port of a server that talks so on each connection."""
    talking = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())
        with contextlib.suppress(asyncio.CancelledError, ConnectionError, EOFError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking)


class ClosesAfterTheFirst:
    """Answers the first request of a connection, and closes when it has read the second."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        writer.write(self.answer)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        writer.close()
