"""The fake gateways themselves: what they count is what was sent."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from notifications.gateways import (
    Accepted,
    HookRefused,
    HookRequest,
    ReceiptReport,
    Sent,
    gateway_from_url,
)
from tests.notifications.gateways.conformance import NOW, PHONE, query, some_messages, submit
from tests.notifications.gateways.http_peers import HttpPeer, always
from tests.peer import Peer
from tests.receipts import ReceiptPoster

ROOT = Path(__file__).resolve().parents[3]
KEY = "k3y-of-the-gateway"
SECRET_PATH = "secret-path-of-ours"  # noqa: S105


@pytest.fixture
def start() -> Iterator[Callable[..., int]]:
    """Return what starts a fast peer and returns its port."""
    started: list[subprocess.Popen[str]] = []

    def start_it(*arguments: str) -> int:
        command = [sys.executable, "-m", "tests.fast_peer", "--port", "0", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
        started.append(process)
        assert process.stdout
        return int(process.stdout.readline())

    yield start_it
    for process in started:
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout
        process.stdout.close()


def count(port: int, method: str = "GET") -> dict[str, Any]:
    """Return what a fast peer has counted."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/count", method=method)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.loads(answer.read() or b"{}")


def until(happened: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_fast_peer_counts_each_message_and_each_repetition(start) -> None:
    port = start("--latency", "0.01")
    gateway = gateway_from_url(f"http+json://127.0.0.1:{port}/send?window=50")
    answers = submit(gateway, some_messages(200))
    assert answers[7] == ("ref0007", Accepted("m-ref0007"))
    submit(gateway, some_messages(1))
    counted = count(port)
    assert (counted["asked"], counted["references"], counted["by_reference_max"]) == (201, 200, 2)
    count(port, "DELETE")
    assert count(port)["asked"] == 0


def test_a_fast_peer_can_be_asked(start) -> None:
    port = start()
    gateway = gateway_from_url(f"http+json://127.0.0.1:{port}/send?query=1")
    submit(gateway, some_messages(1))
    known, unknown = query(gateway, [Sent("ref0000", "", PHONE), Sent("ref0001", "", PHONE)])
    assert known
    assert (known.state, unknown) == ("delivered", None)


def read(body: bytes, headers: dict[str, str]) -> list[ReceiptReport]:
    """Read a call as our web server would, now."""
    lower = {name.lower(): value for name, value in headers.items()}
    at = NOW.fromtimestamp(time.time(), NOW.tzinfo)
    gateway = gateway_from_url(f"http+json://peer/send?key={KEY}")
    return list(gateway.read_hook(HookRequest("POST", {}, lower, body, at)))  # type: ignore[arg-type]


def test_a_fast_peer_posts_receipts_that_can_be_read(start) -> None:
    with HttpPeer(always(200, "")) as ours:
        hook = f"http://127.0.0.1:{ours.port}/hooks/{SECRET_PATH}/"
        port = start("--hook", hook, "--key", KEY, "--receipt-batch", "10")
        submit(gateway_from_url(f"http+json://127.0.0.1:{port}/send"), some_messages(45))
        until(lambda: count(port)["posted"] == 45)
    said = [receipt for asked in ours.asked for receipt in read(asked.body, asked.headers)]
    assert sorted(one.reference for one in said) == [m.reference for m in some_messages(45)]
    assert count(port)["answers"] == {"200": len(ours.asked)}
    with pytest.raises(HookRefused):
        read(ours.asked[0].body + b" ", ours.asked[0].headers)


def test_a_peer_posts_receipts_twice_with_strangers_until_they_are_taken() -> None:
    with HttpPeer(always(503, "")) as ours:
        hook = f"http://127.0.0.1:{ours.port}/hooks/{SECRET_PATH}/"
        poster = ReceiptPoster(hook, batch=1, copies=2, strangers=1, calls=1)
        with Peer(receipts=poster) as peer:
            submit(gateway_from_url(peer.url), some_messages(1))
            until(lambda: poster.answers[503] >= 2)
            ours.answer = always(200, "")
            until(lambda: poster.posted == 2)
    taken = [json.loads(asked.body) for asked in ours.asked][-4:]
    assert [one.get("reference", "stranger") for one in taken] == [
        "ref0000",
        "ref0000",
        "stranger",
        "stranger",
    ]
