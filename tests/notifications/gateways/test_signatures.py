"""Signed calls: only the holder of the key, and only now."""

import datetime as dt
import hmac
from collections.abc import Mapping
from urllib.parse import quote

import pytest

from notifications.gateways import HookRefused, HookRequest
from notifications.gateways.http import sign
from notifications.gateways.json_api import from_url

NOW = dt.datetime(2022, 5, 15, 18, 30, tzinfo=dt.UTC)
KEY = "kéy of the gateway"
BODY = b'{"event": "sms:delivered"}'


def verify(request: HookRequest, *, key: str) -> None:
    """Verify a call as a gateway with this key does."""
    from_url(f"https+json://sms.example.org/?key={quote(key)}").verify(request)


def call(headers: Mapping[str, str], body: bytes = BODY) -> HookRequest:
    """Return a call received now."""
    return HookRequest("POST", {}, headers, body, NOW)


def signed(seconds_ago: float = 0, **changes: str) -> dict[str, str]:
    """Return the headers of a call signed so long ago."""
    timestamp = str(int(NOW.timestamp() - seconds_ago))
    headers = {"x-timestamp": timestamp, "x-signature": sign(BODY, timestamp, key=KEY)}
    return {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}


def test_the_signature_is_made_over_the_body_followed_by_the_time() -> None:
    wanted = hmac.new(KEY.encode(), BODY + b"1652639400", "sha256").hexdigest()
    assert sign(BODY, "1652639400", key=KEY) == wanted


@pytest.mark.parametrize("seconds_ago", [0, 299, 300, -60])
def test_a_right_signature_of_now_is_believed(seconds_ago: int) -> None:
    verify(call(signed(seconds_ago)), key=KEY)


def test_capitals_and_blanks_do_not_matter() -> None:
    right = signed()
    right["x-signature"] = f" {right['x-signature'].upper()} "
    verify(call(right), key=KEY)


@pytest.mark.parametrize("seconds_ago", [301, 86400, -61])
def test_a_right_signature_of_another_time_is_a_replay(seconds_ago: int) -> None:
    with pytest.raises(HookRefused) as refused:
        verify(call(signed(seconds_ago)), key=KEY)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-signature": sign(BODY, "", key=KEY)},
        signed(x_signature="0" * 64),
        signed(x_signature=""),
        signed(x_signature="é\ud800"),
        signed(x_timestamp="1652639401"),
        signed(x_timestamp="now"),
        signed(x_timestamp="-1652639400"),
        signed(x_timestamp="٣"),
        signed(x_timestamp="9" * 400),
    ],
)
def test_anything_else_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(HookRefused) as refused:
        verify(call(headers), key=KEY)
    assert refused.value.status == 401


def test_another_body_or_another_key_is_refused() -> None:
    with pytest.raises(HookRefused):
        verify(call(signed(), BODY + b" "), key=KEY)
    with pytest.raises(HookRefused):
        verify(call(signed()), key="another")
