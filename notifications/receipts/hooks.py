"""A gateway calls our web server: check its secret and address, and store what it reports."""

import hmac
import logging
import threading
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError

from notifications.gateways import Gateway, HookRefused, HookRequest, configured
from notifications.receipts import receive as receiving
from staff import addresses, clock

logger = logging.getLogger(__name__)
LARGEST_BODY = 1024 * 1024
_LOG_SECONDS = 10.0


class HookAnswer(NamedTuple):
    """What the gateway gets: a status of HTTP and a few words."""

    status: int
    text: str


OK = HookAnswer(200, "OK")
NOT_FOUND = HookAnswer(404, "not found")
TOO_LARGE = HookAnswer(413, "too large")
UNREADABLE = HookAnswer(500, "not understood here")
LATER = HookAnswer(503, "try again")


class GatewaysUnreadable(Exception):
    """The gateways cannot be read from the settings, so the secret cannot be checked now."""


def gateway_called(*, secret: str, address: str, forwarded_for: str = "") -> Gateway | None:
    """Return the gateway whose secret this is, if it may call from there; else None.

    Every secret is compared, in constant time, so that the time of the answer tells nothing.

    Args:
        secret: the part of the address that stands for a password.
        address: of the connection; the source is checked against ``options.hook_from``.
        forwarded_for: the source as proxies give it.

    Raises:
        GatewaysUnreadable: to be answered with ``LATER``, so that no receipt is lost.
    """
    try:
        gateways = configured()
    except ImproperlyConfigured as error:
        _refusals.note("a call, but no gateway is configured rightly: %s", error)
        raise GatewaysUnreadable from error
    given = sha256(secret.encode("utf-8", "replace")).digest()
    found = None
    for gateway in gateways:
        theirs = sha256(gateway.options.hook.encode()).digest()
        if hmac.compare_digest(given, theirs) and gateway.options.hook:
            found = found or gateway
    if found is None:
        _refusals.note("a call with a wrong secret from %s", address)
        return None
    source = addresses.source(address, forwarded_for, settings.TRUSTED_PROXIES)
    allowed = found.options.hook_from
    if allowed and (source is None or not addresses.lies_in(allowed, source)):
        _refusals.note("a call for %s from %s, which may not", found.name, source or address)
        return None
    return found


def take(
    *,
    gateway: Gateway,
    method: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> HookAnswer:
    """Read a call and store what it reports; repeated calls change nothing.

    Returns:
        200 once everything is committed; 503 when the database is away, so that the gateway
        calls again; what ``read_hook`` says for a call that cannot be believed.
    """
    request = HookRequest(
        method=method,
        query=query,
        headers={name.lower(): value for name, value in headers.items()},
        body=body,
        received_at=clock.real(),
    )
    try:
        reports = gateway.read_hook(request)
    except HookRefused as refused:
        _refusals.note("a call for %s was refused: %s", gateway.name, refused.why)
        return HookAnswer(refused.status, "refused")
    except Exception:
        logger.exception("a call for %s could not be read", gateway.name)
        return UNREADABLE
    try:
        receiving.receive(gateway=gateway.name, reports=reports)
    except (DatabaseError, InterfaceError):
        logger.exception("the reports of %s could not be stored", gateway.name)
        return LATER
    return OK


class _Refusals:
    """Logs refused calls: at most one line in ten seconds, with their number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unsaid = 0
        self._said_at = -_LOG_SECONDS

    def note(self, what: str, *words: object) -> None:
        """Count a refusal, and log it unless a line was logged just now."""
        with self._lock:
            self._unsaid += 1
            now = time.monotonic()
            if now - self._said_at < _LOG_SECONDS:
                return
            number, self._unsaid, self._said_at = self._unsaid, 0, now
        logger.warning(f"{what} (%s refused since the last line)", *words, number)  # noqa: G004


_refusals = _Refusals()
