"""Calls of a gateway to us that are signed: HMAC-SHA256 over the body and the time.

As android-sms-gateway signs its webhooks (docs.sms-gate.app, webhooks, payload signing):
``X-Signature`` is the hexadecimal HMAC-SHA256, under the shared key, of the raw body followed
by ``X-Timestamp``, which is Unix seconds.
"""

import hmac

from notifications.gateways.interface import HookRefused, HookRequest

OLDEST_SECONDS = 5 * 60
AHEAD_SECONDS = 60
SIGNATURE = "x-signature"
TIMESTAMP = "x-timestamp"


def sign(body: bytes, timestamp: str, *, key: str) -> str:
    """Return the signature of a body sent at a time, in hexadecimal."""
    return hmac.new(key.encode(), body + timestamp.encode(), "sha256").hexdigest()


def verify(request: HookRequest, *, key: str) -> None:
    """Refuse a call that the holder of the key did not make, or made too long ago.

    Args:
        request: as it came.
        key: shared with the gateway, not empty.

    Raises:
        HookRefused: 401 without a right signature; 403 when signed more than 5 minutes ago or
            more than a minute ahead of our clock, which is a replay or a wrong clock.
    """
    given = request.headers.get(SIGNATURE, "").strip().lower()
    timestamp = request.headers.get(TIMESTAMP, "").strip()
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise HookRefused("no time of signing", status=401)
    right = sign(request.body, timestamp, key=key)
    if not hmac.compare_digest(right.encode(), given.encode(errors="replace")):
        raise HookRefused("wrong signature", status=401)
    age = request.received_at.timestamp() - int(timestamp)
    if not -AHEAD_SECONDS <= age <= OLDEST_SECONDS:
        raise HookRefused(f"signed {age:.0f} seconds ago", status=403)
