"""An answer of a gateway is not thrown away because the database was away for a moment."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 20.0
_PAUSE_SECONDS = 0.5


def until_it_works(write: Callable[[], T]) -> T:
    """Do a whole transaction again until it is written: a restart, a full disk, a deadlock.

    Args:
        write: atomic, and right to repeat.

    Returns:
        what it returns.

    Raises:
        OperationalError, InterfaceError: it did not work for ``PATIENCE_SECONDS``.
    """
    gives_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() > gives_up_at:
                raise
            logger.warning("the database did not take answers, trying again: %s", error)
            connection.close()
            time.sleep(_PAUSE_SECONDS)
