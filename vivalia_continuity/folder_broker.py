"""The broker of the embedded mode: Kombu's folder of messages, written atomically.

Kombu's own file-system transport makes the file, then locks it, then writes it. A worker that
reads in between gets an empty message and crashes (seen once in some thousand tasks). Here a
message is written under another name and renamed, which is atomic within a folder (POSIX rename).

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
    """Kombu's channel with another way to write a message."""

    def _put(self, queue: str, message: Any, **_kwargs: Any) -> None:  # type: ignore[override]
        """Put a message onto a queue atomically."""
        folder = Path(self.data_folder_out)
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        unfinished = folder / f"{name}.unfinished"
        try:
            unfinished.write_text(dumps(message), encoding="utf-8")  # type: ignore[no-untyped-call]
            unfinished.rename(folder / name)
        except OSError as error:
            raise ChannelError(f"cannot add {name} to {folder}") from error


class Transport(filesystem.Transport):
    """The transport behind ``folder://``."""

    Channel = WholeMessageChannel


def register() -> None:
    """Make ``folder://`` known to Kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
