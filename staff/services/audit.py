"""Write to the trail and check that nobody edited it.

The chain is SHA-256(previous hash + canonical JSON of the event), the construction of
RFC 6962's append-only logs reduced to a list: changing, removing or inserting one event breaks
every hash after it.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction

from staff import clock
from staff.models import AuditEvent, AuditHead, User

SYSTEM = "système"


def record(
    *, action: str, by: User | None, subject: models.Model | None = None, **detail: Any
) -> AuditEvent:
    """Append one event to the trail, in the caller's transaction.

    Call it last: the head of the chain stays locked until the transaction ends.

    Args:
        action: dotted verb, for example ``bulletin.approved``.
        by: who did it; None for the system itself.
        subject: the object concerned.
        **detail: JSON-serialisable facts; no more of a patient than is needed.
    """
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
            detail=json.loads(json.dumps(detail, cls=DjangoJSONEncoder)),
            previous_hash=head.hash,
        )
        event.hash = hash_of(event)
        event.save(force_insert=True)
        AuditHead.objects.filter(id=1).update(sequence=event.sequence, hash=event.hash)
    return event


def hash_of(event: AuditEvent) -> str:
    """Return the hex SHA-256 that the event must carry, from its own content."""
    content = {
        "sequence": event.sequence,
        "at": event.at.astimezone(clock.BRUSSELS).isoformat(),
        "actor": event.actor_id,
        "actor_name": event.actor_name,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "detail": event.detail,
    }
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{event.previous_hash}{canonical}".encode()).hexdigest()


def faults() -> Iterator[str]:
    """Yield one sentence per break in the chain; nothing when the trail is whole."""
    expected_sequence, expected_hash = 1, "0" * 64
    for event in AuditEvent.objects.order_by("sequence").iterator(chunk_size=2000):
        if event.sequence != expected_sequence:
            yield f"événement {expected_sequence} absent (trouvé {event.sequence})"
        if event.previous_hash != expected_hash:
            yield f"événement {event.sequence} : ne suit pas celui qui le précède"
        if event.hash != hash_of(event):
            yield f"événement {event.sequence} : contenu modifié"
        expected_sequence, expected_hash = event.sequence + 1, event.hash
    head = AuditHead.objects.filter(id=1).first() or AuditHead()
    if (head.sequence, head.hash) != (expected_sequence - 1, expected_hash):
        yield f"fin de chaîne : {head.sequence} annoncés, {expected_sequence - 1} trouvés"
