"""Calls of our hook with JSON in them, unsigned and signed."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

from notifications.gateways import HookRequest, http
from tests.notifications.gateways.conformance import NOW


def post(said: Any) -> HookRequest:
    """Return an unsigned call."""
    return HookRequest("POST", {}, {}, json.dumps(said).encode(), NOW)


def signed(request: HookRequest, *, key: str, at: dt.datetime = NOW) -> HookRequest:
    """Return the call, signed."""
    timestamp = str(int(at.timestamp()))
    signature = http.sign(request.body, timestamp, key=key)
    return replace(request, headers={"x-timestamp": timestamp, "x-signature": signature})
