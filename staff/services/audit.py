"""The trail: each event is chained and signed, anchored outside the database, and checked.

Each event carries HMAC-SHA256 (RFC 2104) over the hash before it and its own canonical JSON, made
with a key outside the database (``TRAIL_KEY``). Without the key, nobody can change an event in the
database without breaking the chain. Events older than the key carry a plain SHA-256. They are never
hashed again: one keyed event, ``SEALED``, names their number and their last hash.

An anchor is a line in a file outside the database (``TRAIL_ANCHOR_FILES``, best on another disk)
with the last number of the trail and its hash. Printed sheets carry the same mark.
"""

import datetime as dt
import hashlib
import hmac
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.translation import gettext as _

from staff import clock
from staff.clock import BRUSSELS
from staff.models import AuditEvent, AuditHead, User
from staff.sentences import SentenceEncoder

SYSTEM = "système"
START = "0" * 64  # the hash before the first event
SEALED = "trail.sealed"
MARK_LENGTH = 16  # hex digits of a hash that are printed on paper: 64 bits
ANCHOR_LATE = dt.timedelta(minutes=5)
"""Beat anchors each minute: an event without an anchor for longer shows a fault."""
_HEX = frozenset("0123456789abcdef")
_FIELDS = ("sequence", "actor", "actor_name", "action", "object_type", "object_id", "detail")
log = logging.getLogger(__name__)


def record(
    *, action: str, by: User | None, subject: models.Model | None = None, **detail: Any
) -> AuditEvent:
    """Append one event to the trail, in the caller's transaction.

    Call it last: the head of the chain stays locked until the transaction ends.

    Args:
        action: dotted verb, for example ``bulletin.approved``.
        by: the user; None for the system itself.
        subject: the object concerned.
        **detail: JSON-serialisable facts and sentences; no more of a patient than is needed.
    """
    key = settings.TRAIL_KEY
    with transaction.atomic():
        AuditHead.objects.get_or_create(id=1)
        head = AuditHead.objects.select_for_update().get(id=1)
        event = AuditEvent(
            sequence=head.sequence + 1,
            at=clock.now(),
            actor=by,
            actor_name=str(by) if by else SYSTEM,
            action=action,
            object_type=subject._meta.model_name or "" if subject is not None else "",
            object_id=str(subject.pk) if subject is not None else "",
            detail=json.loads(json.dumps(detail, cls=_Encoder)),
            previous_hash=head.hash,
            key=key_id(key),
        )
        event.hash = hash_of(event, key)
        event.save(force_insert=True)
        AuditHead.objects.filter(id=1).update(
            sequence=event.sequence,
            hash=event.hash,
            signature=head_signature(event.sequence, event.hash, key),
        )
    return event


class _Encoder(SentenceEncoder, DjangoJSONEncoder):
    """Writes sentences, and dates, moments and numbers as Django's own encoder does."""


def hash_of(event: AuditEvent, key: str) -> str:
    """Return the hash that the event must carry, from its own content.

    Args:
        event: any event, saved or not.
        key: the key that ``event.key`` names; empty for an event older than the first key.
    """
    content = {
        "sequence": event.sequence,
        "actor": event.actor_id,
        "actor_name": event.actor_name,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "detail": event.detail,
    }
    return event_hash(content, at=event.at, previous=event.previous_hash, key=key)


def key_id(key: str) -> str:
    """Return the name of a key, which does not reveal the key: 12 hex digits."""
    return _signed(key, "name of the key")[:12]


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


def _signed(key: str, text: str) -> str:
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def _same(expected: str, found: str) -> bool:
    return hmac.compare_digest(expected.encode(), found.encode())


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


def mark() -> Mark:
    """Return the end of the trail, to be printed or stored outside the database."""
    head = AuditHead.objects.filter(id=1).first() or AuditHead()
    return Mark(head.sequence, head.hash)


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


def anchor() -> list[str]:
    """Write the mark to each anchor file that does not end with it already.

    Returns:
        One sentence per file that could not be written; also logged.
    """
    now = mark()
    if now.sequence and _note_late_beginnings():
        now = mark()
    failures = []
    for path in map(Path, settings.TRAIL_ANCHOR_FILES if now.sequence else ()):
        try:
            if _last_line(path).split(" ")[1:3] != [str(now.sequence), now.hash]:
                _append(path, anchor_line(now, at=clock.now(), key=settings.TRAIL_KEY))
        except OSError as error:
            failures.append(
                _("L'ancre du journal « %(path)s » ne peut être écrite : %(why)s.")
                % {"path": path, "why": error.strerror}
            )
            log.error("trail anchor %s cannot be written: %s", path, error.strerror)
    return failures


def _note_late_beginnings() -> bool:
    """Record each anchor file that starts after the trail did; return whether there was one.

    A removed file is written again within a minute and then looks complete. The event in the
    trail shows that it was missing.
    """
    late = [path for path in map(Path, settings.TRAIL_ANCHOR_FILES) if _is_empty(path)]
    first = AuditEvent.objects.filter(sequence=1).first()
    if not late or first is None or first.at > clock.now() - ANCHOR_LATE:
        return False
    for path in late:
        if path.parent.is_dir():  # else it cannot be written, which is reported each time
            record(action="trail.anchor_begun", by=None, path=str(path))
    return True


def _is_empty(path: Path) -> bool:
    try:
        return not path.stat().st_size
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 400))
            return (file.read().decode("ascii", "replace").splitlines() or [""])[-1]
    except FileNotFoundError:
        return ""


def _append(path: Path, line: str) -> None:
    # One write in append mode: two hosts on one file do not cut each other's lines.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode("ascii"))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """The range of events that one anchor file covers.

    Attributes:
        path: its path.
        first: the number of the first event that it anchors; 0 without any.
        last: the number of the last one; 0 without any.
        fault: a sentence on what is wrong; empty if it reaches the end of the trail.
    """

    path: str
    first: int
    last: int
    fault: str = ""


def anchor_files() -> list[AnchorFile]:
    """Return the range of each configured anchor file."""
    return _read_anchors(_keys()).files


def _fault_of_anchor(file: AnchorFile, furthest: int) -> str:
    """Return that a file is missing, or ends before the others or the trail; else nothing."""
    words = {"path": file.path, "last": file.last, "furthest": furthest}
    if not file.last:
        if not AuditEvent.objects.exists() and not furthest:
            return ""
        return _("ancre %(path)s : manque ou est vide, alors que le journal a commencé") % words
    if file.last < furthest:
        return (
            _("ancre %(path)s : s'arrête à l'événement %(last)s, une autre à %(furthest)s") % words
        )
    following = AuditEvent.objects.filter(sequence__gt=file.last).order_by("sequence").first()
    if following and following.at < clock.now() - ANCHOR_LATE:
        return (
            _("ancre %(path)s : s'arrête à l'événement %(last)s ; le journal continue depuis")
            % words
        )
    return ""


def contradicts(seen: Mark) -> str:
    """Return why the trail contradicts a mark from a printed sheet; empty if it does not."""
    event = AuditEvent.objects.filter(sequence=seen.sequence).first()
    if event is None:
        return _("événement %(n)s absent du journal") % {"n": seen.sequence}
    return (
        ""
        if seen.fits(event.hash)
        else _("événement %(n)s : n'est plus le même") % {"n": seen.sequence}
    )


def faults() -> Iterator[str]:
    """Yield one sentence per break in the trail; none when it is unbroken."""
    keys = _keys()
    read = _read_anchors(keys)
    marks = read.marks
    yield from read.wrong
    yield from (file.fault for file in read.files if file.fault)
    last = AuditEvent(sequence=0, hash=START)
    for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=2000):
        yield from _faults_of(event, last, keys)
        for one in marks.pop(event.sequence, ()):
            if not one.fits(event.hash):
                yield _("événement %(n)s : n'est plus celui qui a été ancré (%(mark)s)") % {
                    "n": event.sequence,
                    "mark": one,
                }
        last = event
    if last.sequence and not last.key:
        yield _("événements 1 à %(n)s : sans clé, et aucun sceau ne les suit") % {
            "n": last.sequence
        }
    for sequence in sorted(marks):
        yield _("événement %(n)s absent, alors qu'il a été ancré (%(mark)s)") % {
            "n": sequence,
            "mark": marks[sequence][0],
        }
    head = AuditHead.objects.filter(id=1).first() or AuditHead()
    if (head.sequence, head.hash) != (last.sequence, last.hash):
        yield _("fin de chaîne : %(said)s annoncés, %(found)s trouvés") % {
            "said": head.sequence,
            "found": last.sequence,
        }
    if head.sequence and not is_signed_head(
        head.sequence, head.hash, head.signature, keys.values()
    ):
        yield _("fin de chaîne : sa signature n'est pas celle de ce serveur")


def _faults_of(event: AuditEvent, last: AuditEvent, keys: dict[str, str]) -> Iterator[str]:
    """Yield what is wrong with one event, given the one before it."""
    if event.sequence != last.sequence + 1:
        yield _("événement %(n)s absent (trouvé %(found)s)") % {
            "n": last.sequence + 1,
            "found": event.sequence,
        }
    if event.previous_hash != last.hash:
        yield _("événement %(n)s : ne suit pas celui qui le précède") % {"n": event.sequence}
    if event.key and event.key not in keys:
        yield _(
            "événement %(n)s : signé avec la clé %(key)s, que TRAIL_KEY_FALLBACKS ne contient pas"
        ) % {"n": event.sequence, "key": event.key}
        return
    if last.key and not event.key:
        yield _("événement %(n)s : sans clé après un événement qui en a une") % {
            "n": event.sequence
        }
    if event.key and last.sequence and not last.key:
        sealed = {"events": last.sequence, "hash": last.hash}
        if event.action != SEALED or event.detail != sealed:
            yield _("événements 1 à %(n)s : sans clé, et aucun sceau ne les suit") % {
                "n": last.sequence
            }
    if event.hash != hash_of(event, keys.get(event.key, "")):
        yield _("événement %(n)s : contenu modifié") % {"n": event.sequence}


@dataclass(slots=True)
class _Anchors:
    """The content of the anchor files: marks by number, faulty lines, range of each file."""

    marks: dict[int, list[Mark]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    files: list[AnchorFile] = field(default_factory=list)


def _keys() -> dict[str, str]:
    """Return each of our keys under its name."""
    keys = [settings.TRAIL_KEY, *settings.TRAIL_KEY_FALLBACKS]
    return {key_id(key): key for key in keys if key}


def _read_anchors(keys: dict[str, str]) -> _Anchors:
    read = _Anchors()
    texts: dict[Path, str] = {}
    # Read together: beat writes one after the other, and no file may look older than it is.
    for path in map(Path, settings.TRAIL_ANCHOR_FILES):
        try:
            texts[path] = path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            texts[path] = ""
        except OSError as error:
            read.wrong.append(
                _("ancre %(path)s : ne peut être lue (%(why)s)")
                % {"path": path, "why": error.strerror}
            )
    for path, text in texts.items():
        numbers = []
        for number, line in enumerate(text.splitlines(), start=1):
            found = read_anchor(line, keys.values())
            if found is None:
                read.wrong.append(
                    _("ancre %(path)s, ligne %(line)s : n'est pas de ce serveur")
                    % {"path": path, "line": number}
                )
            else:
                numbers.append(found.sequence)
                read.marks.setdefault(found.sequence, []).append(found)
        read.files.append(AnchorFile(str(path), min(numbers, default=0), max(numbers, default=0)))
    furthest = max((file.last for file in read.files), default=0)
    read.files = [replace(file, fault=_fault_of_anchor(file, furthest)) for file in read.files]
    return read
