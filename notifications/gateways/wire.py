"""What gateways write to us, made fit to be kept: of the right kind, no longer than its column.

Nothing here raises for what a caller of our hook may have written.
"""

import datetime as dt
import json
from hashlib import sha256
from typing import Any

LONGEST_ID = 100
LONGEST_REFERENCE = 32
LONGEST_REMARK = 200
LONGEST_PHONE = 20
LONGEST_KEY = 64
LONGEST_TEXT = 2000
_YEARS = range(2000, 2100)


def json_of(body: bytes) -> Any:
    """Return the JSON value in a body; None where there is none."""
    try:
        return json.loads(body.decode())  # half the time of guessing the encoding
    except (ValueError, RecursionError):
        return None


def fields_of(value: Any) -> dict[str, Any]:
    """Return a JSON object's fields; none where it is not an object."""
    return value if isinstance(value, dict) else {}


def word(value: Any, longest: int) -> str:
    """Return a string or a whole number as text that a database takes, cut to a length."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).replace("\x00", "").encode(errors="ignore").decode()
    return text.strip()[:longest].rstrip()


def reference(value: Any) -> str:
    """Return a reference that may be one of ours; empty for one that cannot be."""
    text = word(value, LONGEST_REFERENCE + 1)
    return text if text.isascii() and text.isalnum() and len(text) <= LONGEST_REFERENCE else ""


def phone(value: Any) -> str:
    """Return a phone in E.164 where the gateway wrote it with its country, else as it is.

    ``0032470…``, ``+32 470…`` and ``32470…`` are the same.
    """
    text = word(value, 2 * LONGEST_PHONE)
    digits = text.translate(str.maketrans("", "", " -./()"))
    plain = digits.removeprefix("+")
    if plain.isascii() and plain.isdigit():
        if plain.startswith("00"):
            return f"+{plain[2:]}"[:LONGEST_PHONE]
        if digits.startswith("+") or (len(plain) >= 9 and not plain.startswith("0")):
            return f"+{plain}"[:LONGEST_PHONE]
    return text[:LONGEST_PHONE].rstrip()


def moment(value: Any) -> dt.datetime | None:
    """Return a moment written as ISO 8601; one without an offset is UTC."""
    if not isinstance(value, str):
        return None
    try:
        read = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if read.year not in _YEARS:
        return None
    return read if read.tzinfo else read.replace(tzinfo=dt.UTC)


def key(value: Any) -> str:
    """Return a gateway's own number for a report as a key; empty where it has none."""
    text = word(value, LONGEST_TEXT)
    return text if len(text) <= LONGEST_KEY else sha256(text.encode()).hexdigest()
