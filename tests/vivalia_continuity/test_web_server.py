"""The embedded web server with real connections: who sends half a request stops nobody."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

HALF_OPEN = 200
HALVES = (
    b"GET /account/login/ HTTP/1.1\r\nHost: localhost\r\nX-Wait: ",  # half the headers
    b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\nlogin=",
    b"",  # nothing at all
)


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Iterator[int]:
    """Start one process of the server; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    data = tmp_path_factory.mktemp("data")
    environment = os.environ | {"DATA_DIR": str(data), "DJANGO_SETTINGS_MODULE": ""}
    environment = {k: v for k, v in environment.items() if v and k != "DATABASE_URL"}
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "--verbosity", "0"], env=environment, check=True)
    subprocess.run(
        [*manage, "collectstatic", "--noinput", "--verbosity", "0"], env=environment, check=True
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "vivalia_continuity.web_server", "127.0.0.1", str(free)],
        env=environment,
    )
    try:
        wait_for(free, server)
        yield free
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=300) == 0


def wait_for(port: int, server: subprocess.Popen) -> None:
    """Wait until the server listens."""
    deadline = time.monotonic() + 300  # a busy machine
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not listen")


def status_of(port: int, path: str) -> int:
    """Ask for a page as a browser would."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=300) as answer:  # noqa: S310
        return int(answer.status)


@pytest.mark.parametrize("half", HALVES, ids=["headers", "body", "nothing"])
def test_two_hundred_half_open_requests_stop_nobody(port, half):
    with ExitStack() as connections:
        for _ in range(HALF_OPEN):
            one = connections.enter_context(socket.create_connection(("127.0.0.1", port), 300))
            one.sendall(half)
        for _ in range(5):
            assert status_of(port, "/account/login/") == 200


def test_a_body_that_is_too_large_is_refused_by_its_length(port):
    announced = 500 * 1024 * 1024
    head = f"POST /imports/new/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {announced}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 300) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).split(b" ")[1] == b"413"
