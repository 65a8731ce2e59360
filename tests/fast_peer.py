"""A fake gateway for benches, in a process of its own, with as little between socket and count
as is easy: no framework, one JSON parse per message.

``python -m tests.fast_peer --port 0 --latency 0.05`` prints its port and serves until it is
stopped:

- ``POST`` anywhere: takes ``{"to", "text", "reference"}`` and answers 201 ``{"id"}`` after the
  latency, in seconds.
- ``GET /count``: ``{"asked", "references", "by_reference_max", "posted", "answers"}``: messages
  asked for, different references, most often asked for one, receipts that the hook took, and
  how often the hook answered with each status. ``DELETE /count`` begins anew.
- any other ``GET``: what became of the reference at the end of the path, or 404.

With ``--hook URL`` it posts a receipt for each message (``tests.receipts``; ``--key``,
``--receipt-delay``, ``--receipt-batch``, ``--receipt-copies``, ``--receipt-strangers``).
"""

import argparse
import asyncio
import collections
import json
import re
import signal
from http import HTTPStatus

from tests.receipts import ReceiptPoster

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Counts:
    """What was asked for."""

    def __init__(self, poster: ReceiptPoster | None = None) -> None:
        self.poster = poster
        self.asked: collections.Counter[str] = collections.Counter()

    def take(self, body: bytes) -> bytes:
        """Count a message and return its answer."""
        reference = json.loads(body)["reference"]
        self.asked[reference] += 1
        number = f"m-{reference}"
        if self.poster:
            self.poster.say(reference, number)
        return _answer(HTTPStatus.CREATED, {"id": number})

    def tell(self, path: str) -> bytes:
        """Answer a question."""
        if path == "/count":
            return _answer(HTTPStatus.OK, self.counts())
        reference = path.rpartition("/")[2]
        if reference in self.asked:
            said = {"reference": reference, "id": f"m-{reference}", "status": "delivered"}
            return _answer(HTTPStatus.OK, said)
        return _answer(HTTPStatus.NOT_FOUND, {})

    def counts(self) -> dict[str, object]:
        """Return the counts."""
        return {
            "asked": self.asked.total(),
            "references": len(self.asked),
            "by_reference_max": max(self.asked.values(), default=0),
            "posted": self.poster.posted if self.poster else 0,
            "answers": dict(self.poster.answers) if self.poster else {},
        }

    def forget(self) -> bytes:
        """Begin anew."""
        self.asked.clear()
        if self.poster:
            self.poster.posted = 0
            self.poster.answers.clear()
        return _answer(HTTPStatus.NO_CONTENT, None)


def _answer(status: HTTPStatus, said: object) -> bytes:
    body = b"" if said is None else json.dumps(said).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class FastPeer(asyncio.Protocol):
    """One connection; requests that come together are answered in their order."""

    def __init__(self, counts: Counts, latency: float) -> None:
        self._counts = counts
        self._latency = latency
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            rest = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < rest:
                return
            body, self._buffer = self._buffer[end + 4 : rest], self._buffer[rest:]
            self._serve(head, body)

    def _serve(self, head: bytes, body: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        if method == b"POST":
            answer = self._counts.take(body)
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._write, answer)
                return
        elif method == b"DELETE":
            answer = self._counts.forget()
        else:
            answer = self._counts.tell(path.decode())
        self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, latency: float, poster: ReceiptPoster | None) -> None:
    """Serve until the process is told to stop."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    counts = Counts(poster)
    server = await loop.create_server(
        lambda: FastPeer(counts, latency), "127.0.0.1", port, backlog=1024
    )
    if poster:
        poster.start()
    print(server.sockets[0].getsockname()[1], flush=True)
    await stopped.wait()
    server.close()
    if poster:
        await poster.stop()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    parser.add_argument("--hook", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--receipt-delay", type=float, default=0.0, help="seconds")
    parser.add_argument("--receipt-batch", type=int, default=100)
    parser.add_argument("--receipt-copies", type=int, default=1)
    parser.add_argument("--receipt-strangers", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.latency, _poster(given)))


def _poster(given: argparse.Namespace) -> ReceiptPoster | None:
    if not given.hook:
        return None
    return ReceiptPoster(
        given.hook,
        key=given.key,
        delay=given.receipt_delay,
        batch=given.receipt_batch,
        copies=given.receipt_copies,
        strangers=given.receipt_strangers,
    )


if __name__ == "__main__":
    main()
