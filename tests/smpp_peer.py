"""A fake SMSC: a real SMPP 3.4 server in a thread, which remembers what it was asked to send.

Written by hand with ``struct``, so that it shares no mistake with the library of the gateway and
is fast enough to be measured against. It stores and forwards as a real one does: receipts that
were not acknowledged come again, also over the next connection.

From its own process: ``python -m tests.smpp_peer --port 0 --latency 0.05`` prints its port, then
answers each line of ``count`` on its input with a line of JSON; it ends with its input.
"""

import argparse
import asyncio
import collections
import itertools
import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from tests.smpp_connection import Connection
from tests.smpp_wire import decode

Judge = Callable[[dict[str, Any]], int]


class SmscPeer:
    """Takes submit_sm and answers; everything may be changed while it runs.

    Args:
        latency: seconds from a request to its answer.
        receipts: a delivery receipt follows each accepted message that asked for one.
        receipt_after: seconds from the answer to the receipt; negative: before the answer.
        receipt_times: how often the same receipt is sent.
        stat: of appendix B, what receipts say.
        ids: ``decimal``, ``hex``, ``hex, decimal`` (answered so, reported otherwise), ``empty``,
            or ``repeated`` (each number is given to ten messages).
        judge: status of the answer to a submission; 0 accepts.
        bind_status: status of the answer to a bind.
        behaviour: ``answers``, ``hangs``, ``closes at once``, ``closes mid-answer``, ``garbage``
            (each to submissions) or ``deaf`` (to everything once bound).
        password: the only one that is let in; empty for any.
        tls: context of the server.
        port: 0 for any free one.
    """

    def __init__(
        self,
        latency: float = 0.0,
        receipts: bool = True,
        *,
        receipt_after: float = 0.0,
        receipt_times: int = 1,
        stat: str = "DELIVRD",
        ids: str = "decimal",
        judge: Judge | None = None,
        bind_status: int = 0,
        behaviour: str = "answers",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self.latency, self.receipts, self.receipt_after = latency, receipts, receipt_after
        self.receipt_times, self.stat, self.ids = receipt_times, stat, ids
        self.judge, self.bind_status, self.behaviour = judge, bind_status, behaviour
        self.password, self.tls, self.port = password, tls, port
        self.submitted: list[dict[str, Any]] = []
        self.states: dict[str, int] = {}  # message_id → message_state, for query_sm
        self.queried: list[tuple[str, str, int, int]] = []  # number, and sender, of each query_sm
        self.binds: list[dict[str, str]] = []
        self.acknowledged: list[int] = []  # statuses of deliver_sm_resp
        self.refused_commands: list[int] = []
        self.enquiries = 0
        self.enquiries_answered = 0
        self.unbinds = 0
        self.most_outstanding = 0
        self.waiting: collections.deque[bytes] = collections.deque()  # bodies of deliver_sm
        self.connections: set[Connection] = set()
        self.numbers = itertools.count(1_000_001)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """What goes into ``SMS_GATEWAY_URL``."""
        scheme = "smpps" if self.tls else "smpp"
        who = f"vivalia:{self.password or 's3cret'}"
        return f"{scheme}://{who}@127.0.0.1:{self.port}?sender=Vivalia&timeout=1"

    @property
    def sent_by_phone(self) -> collections.Counter[str]:
        """How many messages each phone got, long ones counted once."""
        return collections.Counter(one["to"] for one in list(self.submitted) if one["part"] == 1)

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(phone, text) of each message that came whole, long ones put together."""
        found: dict[tuple, dict[int, str]] = {}
        for number, one in enumerate(list(self.submitted)):
            long = one["of"] > 1
            key = (one["to"], one["reference"], one["of"]) if long else (number,)
            found.setdefault((one["to"], one["of"], *key), {})[one["part"]] = decode(one)
        return [
            (key[0], "".join(parts[n] for n in sorted(parts)))
            for key, parts in found.items()
            if len(parts) == key[1]
        ]

    @property
    def counts(self) -> dict[str, Any]:
        """Sums, for a peer in another process."""
        phones = self.sent_by_phone
        return {
            "submitted": len(self.submitted),
            "messages": sum(phones.values()),
            "phones": len(phones),
            "twice": sorted(phone for phone, times in phones.items() if times > 1)[:100],
            "acknowledged": len(self.acknowledged),
            "waiting": len(self.waiting),
            "binds": len(self.binds),
            "most_outstanding": self.most_outstanding,
        }

    def send(self, body: bytes, *, times: int = 1) -> None:
        """Send deliver_sm to each bound client, now or later."""
        self._loop.call_soon_threadsafe(self._store, [body] * times)

    def say(self, data: bytes) -> None:
        """Write bytes as they are to every connection."""
        self._loop.call_soon_threadsafe(
            lambda: [one.transport.write(data) for one in self.connections]
        )

    def hang_up(self) -> None:
        """Close every connection; new ones are accepted."""
        self._loop.call_soon_threadsafe(
            lambda: [one.transport.abort() for one in list(self.connections)]
        )

    def _store(self, bodies: Iterable[bytes]) -> None:
        self.waiting.extend(bodies)
        for connection in self.connections:
            connection.forward()

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
        server = self._loop.run_until_complete(
            self._loop.create_server(
                lambda: Connection(self, self._loop), "127.0.0.1", self.port, ssl=self.tls
            )
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()


def main() -> None:
    """Serve until the input ends; answer ``count`` with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--no-receipts", action="store_true")
    parser.add_argument("--receipt-after", type=float, default=0.0)
    given = parser.parse_args()
    with SmscPeer(
        given.latency,
        not given.no_receipts,
        receipt_after=given.receipt_after,
        port=given.port,
    ) as peer:
        print(peer.port, flush=True)
        for line in sys.stdin:
            if line.strip() == "count":
                print(json.dumps(peer.counts), flush=True)


if __name__ == "__main__":
    main()
