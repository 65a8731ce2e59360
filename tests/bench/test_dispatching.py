"""Sending against a bare client of the same library and window, each measured in the same run."""

import gc
import http.client
import json
import os
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from threading import Thread

import pytest
from celery import current_app, shared_task
from celery.contrib.testing.worker import start_worker
from django.db import connection
from django.utils import timezone

from notifications import rules, tasks
from notifications.gateways import Gateway, gateway_from_url
from notifications.models import Delivery, Sending
from notifications.sending import dispatch
from notifications.telling.outbox import lines_of
from notifications.texts import render as texts
from tests.bench.messages import empty_queue, everyone_is_told, fill_queue, texts_of_queue
from tests.bench.peers import bare_http, bare_smpp, peer, peer_process
from tests.bench.processors import spent_on
from tests.builders import a_user
from tests.processes import database_in_a_file

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
WINDOW = 50
ROUNDS = 3
LONGEST_SECONDS = 1800.0


@pytest.fixture
def number(bench_rows: int) -> int:
    """How many messages are sent in each round."""
    return min(20_000, max(100, bench_rows // 10))


@pytest.fixture(autouse=True)
def _on_disk(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Measure SQLite as it runs: in a file, synced with each commit."""
    if connection.vendor == "postgresql":
        yield
        return
    with database_in_a_file(tmp_path / "continuity.sqlite3"):
        yield


@pytest.fixture
def say(capsys: pytest.CaptureFixture) -> Callable[[str], None]:
    """Print a line of the result."""

    def print_it(text: str) -> None:
        with capsys.disabled():
            print(f"\n{text} on {connection.vendor}")

    return print_it


def seconds_for(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def send_all(gateway: Gateway, number: int) -> None:
    """Send the queue, and hear the receipts of a gateway that listens until all have come."""
    gateway.listens = gateway.has_receipts
    watcher = Thread(target=leave_once_told, args=(gateway,))
    watcher.start()
    result = dispatch.run(worker="bench", gateways=[gateway], seconds=LONGEST_SECONDS)
    watcher.join()
    assert result.accepted == number


def leave_once_told(gateway: Gateway) -> None:
    """Let the sender go once nobody waits any more; a real one stays for what may still come."""
    ends = time.monotonic() + LONGEST_SECONDS
    while gateway.listens and time.monotonic() < ends:
        time.sleep(0.05)
        gateway.listens = not everyone_is_told()
    connection.close()


def side_by_side(
    gateway: Gateway, bare: Callable[[], None], number: int
) -> tuple[list[float], list[float]]:
    """Return seconds of our sending and of the bare client, turn by turn."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        fill_queue(number)
        theirs.append(seconds_for(bare))
        ours.append(seconds_for(lambda: send_all(gateway, number)))
        empty_queue()
    return ours, theirs


def figures(name: str, number: int, ours: list[float], theirs: list[float]) -> str:
    """Return one line: both rates and their ratio."""
    our, their = number / statistics.median(ours), number / statistics.median(theirs)
    return f"{name}: bare {their:,.0f}/s, ours {our:,.0f}/s, ratio {our / their:.2f}"


@pytest.mark.parametrize("latency", [0.0, 0.05])
def test_dispatching_over_http(number: int, latency: float, say) -> None:
    with peer("fast_peer", "--latency", str(latency)) as port:
        ours, theirs = side_by_side(*pair_of("http", port, number), number)
    say(figures(f"{number:,} SMS over HTTP, {latency * 1000:.0f} ms", number, ours, theirs))


@pytest.mark.parametrize("latency", [0.0, 0.05])
def test_dispatching_over_smpp_with_receipts(number: int, latency: float, say) -> None:
    with peer("smpp_peer", "--latency", str(latency)) as port:
        ours, theirs = side_by_side(*pair_of("smpp", port, number), number)
    say(figures(f"{number:,} SMS over SMPP, {latency * 1000:.0f} ms", number, ours, theirs))


@pytest.mark.parametrize("kind", ["http", "smpp"])
def test_processor_time_of_sending(number: int, kind: str, say) -> None:
    """What no cut into processes can undercut: all processor time, spread over all the cores."""
    with peer_process("fast_peer" if kind == "http" else "smpp_peer", "--latency", "0") as one:
        gateway, bare = pair_of(kind, one.port, number)
        fill_queue(number)
        bare_seconds = seconds_for(bare)
        ours = spent_on(lambda: send_all(gateway, number), peer=one.pid)
        empty_queue()
    each = ", ".join(f"{side} {1000 * spent / number:.2f} ms" for side, spent in ours.items())
    cores = os.cpu_count() or 1
    best = bare_seconds / (sum(ours.values()) / cores)
    say(
        f"{number:,} SMS over {kind}, 0 ms: bare client {1000 * bare_seconds / number:.2f} ms for "
        f"each; processor time of ours: {each}; {cores} cores allow a ratio of {best:.2f} at best"
    )
    assert ours["client"] > 0


def pair_of(kind: str, port: int, number: int) -> tuple[Gateway, Callable[[], None]]:
    """Return our gateway and the bare client of the same library and window."""
    fill_queue(number)
    messages = texts_of_queue(number)
    empty_queue()
    if kind == "http":
        url = f"http+json://127.0.0.1:{port}/send?window={WINDOW}"
        return gateway_from_url(url), lambda: bare_http(port, WINDOW, messages)
    url = f"smpp://vivalia:s3cret@127.0.0.1:{port}?window={WINDOW}&sender=Vivalia"
    return gateway_from_url(url), lambda: bare_smpp(port, WINDOW, messages)


LOST_AFTER_SECONDS = 5.0
"""Without any progress for so long, tasks are put again: a broker in memory loses some."""


@shared_task(name="tests.bench.send_one")
def send_one(pk: int, port: int) -> None:
    """Send one message as is usually done: a task for each, its state saved before and after."""
    sms = Delivery.objects.select_related("notice__patient", "notice__site").get(pk=pk)
    if sms.state != "queued":
        return
    sms.body = texts.of_notice(sms.notice, lines_of(sms.notice))
    sms.parts = rules.count(sms.body).parts
    now = timezone.now()
    sms.state, sms.client_reference, sms.submitted_at = "submitting", f"{pk:032x}", now
    sms.save()
    to_peer = kept_connection(port)
    content = {"to": sms.address, "text": sms.body, "reference": sms.client_reference}
    to_peer.request("POST", "/send", json.dumps(content))
    sms.provider_id = json.loads(to_peer.getresponse().read())["id"]
    sms.state = "accepted"
    sms.save()
    sms.notice.state, sms.notice.handed_over_at, sms.notice.settled_at = "told", now, now
    sms.notice.save()


def asked_of(port: int) -> int:
    """Return how many messages a peer was asked to send."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count") as answer:
        return int(json.load(answer)["asked"])


@cache
def kept_connection(port: int) -> http.client.HTTPConnection:
    """Return the one connection to a peer."""
    return http.client.HTTPConnection("127.0.0.1", port)


@pytest.mark.parametrize("latency", [0.0, 0.05])
def test_dispatching_against_one_task_per_message(number: int, latency: float, say) -> None:
    few = min(500, number)
    with peer("fast_peer", "--latency", str(latency)) as port:
        fill_queue(few)
        queued = Delivery.objects.filter(notice__state="open")
        ids = list(queued.values_list("pk", flat=True))

        current_app.control.purge()  # a bell that still rings would have a sender do all of it

        def one_by_one() -> None:
            with start_worker(current_app, pool="solo", perform_ping_check=False, loglevel="error"):
                left, since = ids, 0.0
                while left:
                    if time.perf_counter() - since > LOST_AFTER_SECONDS:
                        for pk in left:
                            send_one.delay(pk, port)
                        since = time.perf_counter()
                    time.sleep(0.02)
                    still = list(queued.values_list("pk", flat=True))
                    left, since = still, since if len(still) == len(left) else time.perf_counter()

        theirs = seconds_for(one_by_one) / few
        assert asked_of(port) == few
        empty_queue()
        fill_queue(number)
        gateway = gateway_from_url(f"http+json://127.0.0.1:{port}/send?window={WINDOW}")
        ours = seconds_for(lambda: send_all(gateway, number)) / number
        empty_queue()
    say(
        f"{latency * 1000:.0f} ms: one task per message {1 / theirs:,.0f}/s, "
        f"ours {1 / ours:,.0f}/s: {theirs / ours:.0f}×"
    )


def test_memory_stays_flat(bench_rows: int, say) -> None:
    grown = []
    for number in (1_000, min(100_000, max(2_000, bench_rows // 10))):
        fill_queue(number)
        with peer("fast_peer") as port:
            gateway = gateway_from_url(f"http+json://127.0.0.1:{port}/send?window={WINDOW}")
            grown.append(megabytes_for(partial(send_all, gateway, number)))
        empty_queue()
    say(f"memory grew by {grown[0]:.0f} MB for 1,000 messages, {grown[1]:.0f} for {number:,}")
    assert grown[1] < 30


def megabytes_for(work: Callable[[], object]) -> float:
    """Return by how much the memory of this process grew at most (proc(5), Linux)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    work()
    return (memory("VmHWM") - before) / 1024


def memory(name: str) -> int:
    """Return a figure of this process in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def test_a_paused_queue_costs_nothing(bench_rows: int, say) -> None:
    chief = a_user("chief", "crisis_cell")
    Sending.objects.create(paused_at=timezone.now(), paused_by=chief)
    spent = []
    for number in (0, min(100_000, bench_rows // 10)):
        if number:
            fill_queue(number)
        spent.append(statistics.median(seconds_for(tasks.sweep_outbox) for _ in range(20)))
        spent.append(statistics.median(seconds_for(tasks.dispatch_sms) for _ in range(20)))
    empty, full = (f"{spent[n] * 1000:.1f} and {spent[n + 1] * 1000:.1f} ms" for n in (0, 2))
    say(f"sweep and sender while paused: {empty} empty, {full} with {number:,} waiting")
    assert not Delivery.objects.exclude(state="queued").exists()
