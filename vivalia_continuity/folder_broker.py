"""The broker of the embedded mode: Kombu's folder of messages, written atomically.

Kombu's own file-system transport makes a file, then locks it, then writes it. A worker that reads
in between gets an empty message, or an empty list of queues, and crashes (seen once in some
thousand tasks, and when two workers started at once). Here both are written under another name
and renamed, which is atomic within a folder (POSIX rename).

A module of its own, since Kombu finds a transport by the name of its module.
"""

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

SCHEME = "folder"


class WholeMessageChannel(filesystem.Channel):
    """Kombu's channel with another way to write a message, and the list of an exchange's queues."""

    def _put(self, queue: str, message: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        """Put a message onto a queue atomically."""
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, message)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Add a queue to the list of an exchange, one process at a time."""
        folder = Path(self.control_folder)
        folder.mkdir(exist_ok=True)
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with (folder / "binding.lock").open("w") as lock:
            # Closing the file gives the lock back.
            filesystem.lock(lock, filesystem.LOCK_EX)  # type: ignore[no-untyped-call]
            queues = self.get_table(exchange)
            if bound not in queues:
                file = self._exchange_file(exchange)  # type: ignore[no-untyped-call]
                _write(file, [bound, *queues])

    def get_table(self, exchange: str) -> list[Any]:
        """Return the queues of an exchange; a list that is no JSON is none.

        A process of version 0.2 that was killed left an empty one: nothing could start any more.
        """
        try:
            queues: list[Any] = super().get_table(exchange)  # type: ignore[no-untyped-call]
        except ValueError:
            return []
        return queues


class Transport(filesystem.Transport):
    """The transport behind ``folder://``."""

    Channel = WholeMessageChannel


def _write(path: Path, content: Any) -> None:
    """Write a file that is there whole or not at all."""
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4()}.unfinished")
    try:
        unfinished.write_text(dumps(content), encoding="utf-8")  # type: ignore[no-untyped-call]
        unfinished.replace(path)
    except OSError as error:
        raise ChannelError(f"cannot write {path.name} in {path.parent}") from error


def register() -> None:
    """Make ``folder://`` known to Kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
