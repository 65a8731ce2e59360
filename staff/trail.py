"""The chain and the signatures of the trail: pure functions over the content of events.

Each event carries HMAC-SHA256 (RFC 2104) over the hash before it and its own canonical JSON, made
with a key outside the database (``TRAIL_KEY``). Without the key, nobody can change an event in the
database without breaking the chain.

Events older than the key carry a plain SHA-256. They are never hashed again: one keyed event,
``SEALED``, names their number and their last hash.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")

START = "0" * 64  # the hash before the first event
SEALED = "trail.sealed"
MARK_LENGTH = 16  # hex digits of a hash that are printed on paper: 64 bits
_HEX = frozenset("0123456789abcdef")
_FIELDS = ("sequence", "actor", "actor_name", "action", "object_type", "object_id", "detail")


def key_id(key: str) -> str:
    """Return the name of a key, which does not reveal the key: 12 hex digits."""
    return _signed(key, "name of the key")[:12]


def named(keys: Iterable[str]) -> dict[str, str]:
    """Return each key under its name."""
    return {key_id(key): key for key in keys if key}


def event_hash(content: Mapping[str, Any], *, at: dt.datetime, previous: str, key: str) -> str:
    """Return the hash that an event must carry, 64 hex digits.

    Args:
        content: ``sequence``, ``actor`` (id or None), ``actor_name``, ``action``,
            ``object_type``, ``object_id``, ``detail`` of the event.
        at: when it happened, aware.
        previous: the hash of the event before it, or ``START``.
        key: the key that signs it; empty for events older than the first key.
    """
    chosen: dict[str, Any] = {name: content[name] for name in _FIELDS}
    chosen["at"] = at.astimezone(BRUSSELS).isoformat()
    if key:
        chosen["key"] = key_id(key)
    canonical = json.dumps(chosen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if key:
        return _signed(key, f"{previous}{canonical}")
    return hashlib.sha256(f"{previous}{canonical}".encode()).hexdigest()


def head_signature(sequence: int, last_hash: str, key: str) -> str:
    """Return the signature of the head row, so that the end of the chain cannot be moved back."""
    return _signed(key, f"head {sequence} {last_hash}")


def is_signed_head(sequence: int, last_hash: str, signature: str, keys: Iterable[str]) -> bool:
    """Whether one of the keys signed this end of the chain."""
    return any(_same(head_signature(sequence, last_hash, key), signature) for key in keys)


@dataclass(frozen=True, slots=True)
class Mark:
    """One event as noted outside the database: on a sheet, or in an anchor file.

    Attributes:
        sequence: the number of the event.
        hash: its hash, or the first 16 or more hex digits of it.
    """

    sequence: int
    hash: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash[:MARK_LENGTH]}"

    @classmethod
    def parse(cls, text: str) -> "Mark":
        """Read ``1234:0123456789abcdef``, as it is printed.

        Raises:
            ValueError: it is none.
        """
        sequence, _, found = text.strip().lower().partition(":")
        if not sequence.isdecimal() or len(found) < MARK_LENGTH or set(found) - _HEX:
            raise ValueError(text)
        return cls(int(sequence), found)

    def fits(self, event_hash: str) -> bool:
        """Whether the event with this number now is the one of the mark."""
        return event_hash.startswith(self.hash)


def anchor_line(mark: Mark, *, at: dt.datetime, key: str) -> str:
    """Return one line of an anchor file: moment, number, hash, signature."""
    said = f"{at.astimezone(BRUSSELS).isoformat(timespec='seconds')} {mark.sequence} {mark.hash}"
    return f"{said} {_signed(key, f'anchor {said}')}"


def read_anchor(line: str, keys: Iterable[str]) -> Mark | None:
    """Return the mark in a line of an anchor file; None if none of our keys signed it."""
    said, _, signature = line.strip().rpartition(" ")
    parts = said.split(" ")
    if len(parts) != 3 or not parts[1].isdecimal():
        return None
    if any(_same(_signed(key, f"anchor {said}"), signature) for key in keys):
        return Mark(int(parts[1]), parts[2])
    return None


def _signed(key: str, text: str) -> str:
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def _same(expected: str, found: str) -> bool:
    return hmac.compare_digest(expected.encode(), found.encode())
