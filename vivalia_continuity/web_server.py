"""The web server of embedded mode: ``python -m vivalia_continuity.web_server HOST PORT``.

Waitress reads a request whole, in one loop for all connections, before a thread takes it. A
client that sends half a request and waits (a broken network, an attacker) blocks no thread.
Server mode has gunicorn behind a reverse proxy, which does the same.
"""

import signal
import socket
import sys
from types import FrameType

import waitress

from appointments.feeds.files.limits import LARGEST_FILE
from vivalia_continuity.wsgi import application

THREADS = 4
MOST_CONNECTIONS = 1000
# A connection idle for so long is closed. Pages poll every few seconds.
SILENCE_SECONDS = 30
LARGEST_BODY = LARGEST_FILE + 1024 * 1024  # a form around the largest file
LARGEST_HEADERS = 32 * 1024


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket that other processes of this server share.

    Raises:
        OSError: the port is taken by something else.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Each process has a socket of its own, and the kernel spreads connections over them.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, port))
    return listener


def serve(listener: socket.socket) -> None:
    """Serve pages until SIGTERM or SIGINT; what a thread has begun is finished."""
    signal.signal(signal.SIGTERM, _leave)
    waitress.serve(
        application,
        sockets=[listener],
        threads=THREADS,
        connection_limit=MOST_CONNECTIONS,
        channel_timeout=SILENCE_SECONDS,
        cleanup_interval=SILENCE_SECONDS // 3,
        max_request_body_size=LARGEST_BODY,
        max_request_header_size=LARGEST_HEADERS,
        asyncore_use_poll=True,  # select() knows no file descriptor above 1,023
        ident=None,
        _quiet=True,
    )


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    serve(listen(sys.argv[1], int(sys.argv[2])))
