"""One connection to the fake SMSC of ``smpp_peer``."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.smpp_wire import (
    ANSWER,
    BIND_RX,
    BIND_TRX,
    BIND_TX,
    DELIVER,
    ENQUIRE,
    HEADER,
    NACK,
    QUERY,
    SUBMIT,
    UNBIND,
    deliver_body,
    pdu,
    read_submit,
    receipt_text,
    tlv,
)

if TYPE_CHECKING:
    from tests.smpp_peer import SmscPeer

HELD_BACK = 100  # receipts on their way without acknowledgement; a real SMSC has a window too
AGAIN_AFTER = 0.2


class Connection(asyncio.Protocol):
    """One connection of an ESME."""

    def __init__(self, peer: SmscPeer, loop: asyncio.AbstractEventLoop) -> None:
        self.peer, self.loop = peer, loop
        self.buffer = b""
        self.bound = False
        self.unanswered = 0
        self.sequence = itertools.count(1)
        self.on_its_way: dict[int, bytes] = {}
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.peer.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Store again what was not acknowledged."""
        self.peer.connections.discard(self)
        self.peer.waiting.extendleft(reversed(self.on_its_way.values()))
        self.on_its_way.clear()

    def data_received(self, data: bytes) -> None:
        """Read whole PDUs, and answer all of them in one write."""
        buffer, place, answers, before = self.buffer + data, 0, [], self.unanswered
        while len(buffer) - place >= 16:
            length, command, status, sequence = HEADER.unpack_from(buffer, place)
            if len(buffer) - place < length:
                break
            body = buffer[place + 16 : place + length]
            answers.append(self.answer(command, status, sequence, body))
            place += length
        self.buffer = buffer[place:]
        self.peer.most_outstanding = max(self.peer.most_outstanding, self.unanswered)
        answered = self.unanswered - before if self.peer.behaviour == "answers" else 0
        self.later(self.peer.latency, self.write, b"".join(answers), answered)

    def later(self, seconds: float, do: Callable[..., None], *values: Any) -> None:
        """Do something after a while; at once when there is none."""
        if seconds > 0:
            self.loop.call_later(seconds, do, *values)
        else:
            do(*values)

    def write(self, data: bytes, answered: int) -> None:
        """Answer; only then are so many submissions answered, and receipts follow."""
        self.unanswered -= answered
        if data and not self.transport.is_closing():
            self.transport.write(data)
        self.forward()

    def answer(self, command: int, status: int, sequence: int, body: bytes) -> bytes:
        """Return the answer to one PDU; empty for none."""
        if command == SUBMIT:
            return self.submit(sequence, body)
        if command & ANSWER:
            self.acknowledge(command, status, sequence)
            return b""
        if self.peer.behaviour == "deaf" and command != BIND_TRX:
            return b""
        return self.manage(command, sequence, body)

    def manage(self, command: int, sequence: int, body: bytes) -> bytes:
        """Return the answer to what is no submission."""
        if command in (BIND_TRX, BIND_TX, BIND_RX):
            return self.bind(command, sequence, body)
        if command == ENQUIRE:
            self.peer.enquiries += 1
        elif command == UNBIND:
            self.peer.unbinds += 1
            self.bound = False
        elif command == QUERY:
            return self.query(sequence, body)
        else:
            return pdu(NACK, sequence, status=3)
        return pdu(command | ANSWER, sequence)

    def bind(self, command: int, sequence: int, body: bytes) -> bytes:
        """Let in or not."""
        system_id, password, system_type = (one.decode() for one in body.split(b"\0")[:3])
        self.peer.binds.append(
            {"system_id": system_id, "password": password, "system_type": system_type}
        )
        status = self.peer.bind_status
        if self.peer.password and password != self.peer.password:
            status = 0x0E
        if status:
            return pdu(command | ANSWER, sequence, status=status)
        self.bound = command != BIND_TX
        return pdu(command | ANSWER, sequence, b"SMSC-TEST\0" + tlv(0x0210, b"\x34"))

    def submit(self, sequence: int, body: bytes) -> bytes:
        """Remember a submission and answer it as this peer behaves."""
        one = read_submit(body)
        self.peer.submitted.append(one)
        self.unanswered += 1
        if self.peer.behaviour != "answers":
            return self.misbehave(sequence)
        status = self.peer.judge(one) if self.peer.judge else 0
        if status:
            return pdu(SUBMIT | ANSWER, sequence, status=status)
        said, reported = self.number()
        one["id"] = said
        if one["registered"] & 1 and self.peer.receipts:
            self.report(one, reported)
        return pdu(SUBMIT | ANSWER, sequence, said.encode() + b"\0")

    def misbehave(self, sequence: int) -> bytes:
        """Do to a submission what no peer should."""
        whole = pdu(SUBMIT | ANSWER, sequence, b"1234567\0")
        behaviour = self.peer.behaviour
        if behaviour == "closes at once":
            self.transport.abort()
        elif behaviour == "closes mid-answer":
            self.transport.write(whole[:19])
            self.transport.close()
        elif behaviour == "garbage":
            return b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
        return b""

    def number(self) -> tuple[str, str]:
        """Return a message_id as it is answered and as it is reported."""
        number, ids = next(self.peer.numbers), self.peer.ids
        if ids == "empty":
            return "", ""
        if ids == "repeated":
            number //= 10
        forms = {"decimal": str(number), "hex": f"{number:x}", "repeated": str(number)}
        said, _, reported = ids.partition(", ")
        return forms[said], forms[reported or said]

    def report(self, one: dict[str, Any], number: str) -> None:
        """Send a receipt, now or later."""
        text = receipt_text(number, self.peer.stat).encode()
        body = deliver_body(one["to"], text, esm_class=4)
        after = self.peer.receipt_after
        if after < 0:
            self.transport.write(pdu(DELIVER, next(self.sequence) + 0x10000, body))
        elif after:
            self.loop.call_later(after, self.peer._store, [body] * self.peer.receipt_times)
        else:
            self.peer.waiting.extend([body] * self.peer.receipt_times)

    def forward(self) -> None:
        """Send stored receipts, a window of them at a time."""
        waiting, out = self.peer.waiting, []
        while self.bound and waiting and len(self.on_its_way) < HELD_BACK:
            sequence = next(self.sequence)
            self.on_its_way[sequence] = body = waiting.popleft()
            out.append(pdu(DELIVER, sequence, body))
        if out and not self.transport.is_closing():
            self.transport.write(b"".join(out))

    def acknowledge(self, command: int, status: int, sequence: int) -> None:
        """Forget a receipt that was taken; send again one that was not."""
        if command == NACK:
            self.peer.refused_commands.append(status)
        if command == ENQUIRE | ANSWER:
            self.peer.enquiries_answered += 1
        if command != DELIVER | ANSWER:
            return
        self.peer.acknowledged.append(status)
        body = self.on_its_way.pop(sequence, None)
        if status == 0x64 and body:
            self.loop.call_later(AGAIN_AFTER, self.peer._store, [body])

    def query(self, sequence: int, body: bytes) -> bytes:
        """Say what became of a message."""
        number, rest = body.split(b"\0", 1)
        self.peer.queried.append((number.decode(), rest[2:-1].decode(), rest[0], rest[1]))
        state = self.peer.states.get(number.decode())
        if state is None:
            return pdu(QUERY | ANSWER, sequence, status=0x67)
        final = b"220514120100000+\0" if state not in (1, 6) else b"\0"
        return pdu(QUERY | ANSWER, sequence, number + b"\0" + final + bytes([state, 0]))
