"""The trail: append-only, chained, and telling when somebody edited it behind its back."""

import pytest
from django.db import DatabaseError, connection, transaction

from staff.models import AuditEvent, AuditHead
from staff.services import audit
from tests.builders import a_site, a_user
from tests.triggers import put_back_delete_triggers

pytestmark = pytest.mark.django_db


def some_events(number: int = 3) -> list[AuditEvent]:
    user = a_user("anne")
    return [
        audit.record(action="site.seen", by=user, subject=a_site(), count=n) for n in range(number)
    ]


def behind_the_back(statement: str, *values: object) -> None:
    """Run SQL as an intruder with the database's own rights would: without the triggers."""
    connection.check_constraints()  # PostgreSQL alters no table with checks still to come
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS staff_auditevent_no_update")
        else:
            cursor.execute("ALTER TABLE staff_auditevent DISABLE TRIGGER USER")
        cursor.execute(statement, values)


def test_events_count_from_one_and_each_carries_the_hash_before():
    first, second, third = some_events()
    assert [e.sequence for e in (first, second, third)] == [1, 2, 3]
    assert first.previous_hash == "0" * 64
    assert (second.previous_hash, third.previous_hash) == (first.hash, second.hash)
    head = AuditHead.objects.get()
    assert (head.sequence, head.hash) == (3, third.hash)


def test_an_event_says_who_did_what_to_which_object():
    event = some_events(1)[0]
    event.refresh_from_db()
    assert (event.actor_name, event.action) == ("anne", "site.seen")
    assert (event.object_type, event.object_id) == ("site", str(a_site().pk))
    assert event.detail == {"count": 0}


def test_the_system_itself_signs_with_its_own_name():
    event = audit.record(action="outbox.swept", by=None)
    assert (event.actor, event.actor_name) == (None, audit.SYSTEM)


def test_an_untouched_trail_has_no_fault():
    some_events()
    assert list(audit.faults()) == []


def test_an_empty_trail_has_no_fault():
    assert list(audit.faults()) == []


def test_a_changed_event_is_found():
    some_events()
    behind_the_back("UPDATE staff_auditevent SET actor_name = %s WHERE sequence = 2", "luc")
    assert list(audit.faults()) == ["événement 2 : contenu modifié"]


def test_a_removed_event_is_found():
    some_events()
    behind_the_back("DELETE FROM staff_auditevent WHERE sequence = 2")
    assert "événement 2 absent (trouvé 3)" in list(audit.faults())


def test_a_cut_end_is_found():
    some_events()
    behind_the_back("DELETE FROM staff_auditevent WHERE sequence = 3")
    assert list(audit.faults()) == ["fin de chaîne : 3 annoncés, 2 trouvés"]


def test_an_inserted_event_is_found():
    first = some_events()[0]
    first.pk, first.sequence, first.action = None, 4, "made.up"
    first.hash = audit.hash_of(first)
    first.save(force_insert=True)
    assert "événement 4 : ne suit pas celui qui le précède" in list(audit.faults())


def test_an_event_recorded_in_a_transaction_that_fails_leaves_no_gap():
    some_events(1)
    with transaction.atomic():
        audit.record(action="undone", by=None)
        transaction.set_rollback(True)
    assert audit.record(action="done", by=None).sequence == 2
    assert list(audit.faults()) == []


def test_the_database_refuses_to_change_an_event():
    some_events(1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.update(actor_name="luc")


def test_the_database_refuses_to_delete_an_event():
    some_events(1)
    put_back_delete_triggers()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM staff_auditevent")
