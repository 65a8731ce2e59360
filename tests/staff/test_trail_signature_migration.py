"""A trail that is older than its key is sealed by one keyed event, and not hashed again."""

import hashlib
import json

import pytest
from django.conf import settings

from staff import clock
from staff.models import AuditEvent
from staff.services import audit
from tests.migrating import an_empty_database, migrate

BEFORE, AFTER = ("staff", "0005_trail_actions"), ("staff", "0006_trail_is_signed")


@pytest.fixture
def before(db):
    """Return the models before, in a database of its own."""
    with an_empty_database():
        yield migrate(BEFORE)


def two_old_events(models) -> None:
    """Write two events as they were written then, with a plain SHA-256."""
    previous = audit.START
    for sequence in (1, 2):
        at = clock.now()
        content = {
            "sequence": sequence,
            "actor": None,
            "actor_name": "système",
            "action": "site.seen",
            "object_type": "",
            "object_id": "",
            "detail": {},
        }
        text = json.dumps(
            content | {"at": at.isoformat()},
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        found = hashlib.sha256(f"{previous}{text}".encode()).hexdigest()
        models.get_model("staff", "AuditEvent").objects.create(
            **content, at=at, previous_hash=previous, hash=found
        )
        previous = found
    models.get_model("staff", "AuditHead").objects.create(id=1, sequence=2, hash=previous)


def test_an_old_trail_is_sealed_and_goes_on_with_keys(before):
    two_old_events(before)
    old = list(before.get_model("staff", "AuditEvent").objects.values_list("hash", flat=True))
    migrate(AFTER)
    assert list(audit.faults()) == []
    seal = AuditEvent.objects.get(sequence=3)
    assert (seal.action, seal.detail) == (audit.SEALED, {"events": 2, "hash": old[0]})
    assert seal.key == audit.key_id(settings.TRAIL_KEY)
    assert set(old) < set(AuditEvent.objects.values_list("hash", flat=True))
    audit.record(action="site.seen", by=None)
    assert list(audit.faults()) == []


def test_an_empty_trail_needs_no_seal(before):
    migrate(AFTER)
    assert not AuditEvent.objects.exists()
    assert audit.record(action="site.seen", by=None).sequence == 1
    assert list(audit.faults()) == []
