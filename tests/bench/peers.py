"""Gateways in processes of their own, and clients that know no database."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import aiohttp
import smpplib.client
import smpplib.consts

from tests.processes import ROOT

Messages = Sequence[tuple[str, str]]


class Peer(NamedTuple):
    """A gateway's stand-in that runs."""

    port: int
    pid: int


@contextlib.contextmanager
def peer(module: str, *options: str) -> Iterator[int]:
    """Run a peer and give its port."""
    with peer_process(module, *options) as one:
        yield one.port


@contextlib.contextmanager
def peer_process(module: str, *options: str) -> Iterator[Peer]:
    """Run a peer."""
    command = [sys.executable, "-m", f"tests.{module}", "--port", "0", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        try:
            yield Peer(int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


def bare_http(port: int, window: int, messages: Messages) -> None:
    """Post messages as fast as aiohttp does with so many at once."""

    async def run() -> None:
        left = iter(messages)

        async def sender(session: aiohttp.ClientSession) -> None:
            for number, (to, text) in enumerate(left):
                content = {"to": to, "text": text, "reference": f"{number}-{to}"}
                async with session.post(f"http://127.0.0.1:{port}/send", json=content) as answer:
                    assert "id" in await answer.json()

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=window)) as session:
            await asyncio.gather(*(sender(session) for _ in range(window)))

    asyncio.run(run())


def bare_smpp(port: int, window: int, messages: Messages) -> None:
    """Submit messages over smpplib: send while the window has room, else read; hear receipts."""
    client = smpplib.client.Client("127.0.0.1", port, timeout=30, allow_unknown_opt_params=True)
    counts = {"outstanding": 0, "receipts": 0}

    def answered(pdu: object, **_more: object) -> None:
        counts["outstanding"] -= 1

    def received(pdu: object, **_more: object) -> None:
        counts["receipts"] += 1

    client.set_message_sent_handler(answered)
    client.set_message_received_handler(received)
    client.connect()
    client.bind_transceiver(system_id="vivalia", password="s3cret")
    for to, text in messages:
        while counts["outstanding"] >= window:
            client.read_once()
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
            source_addr="Vivalia",
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
            destination_addr=to.removeprefix("+"),
            short_message=text.encode("ascii"),
            data_coding=0,
            registered_delivery=True,
        )
        counts["outstanding"] += 1
    while counts["outstanding"] or counts["receipts"] < len(messages):
        client.read_once()
    client.unbind()
    client.disconnect()
