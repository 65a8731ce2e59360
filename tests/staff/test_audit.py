"""The trail: append-only, chained, and telling when somebody edited it behind its back."""

from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from staff.models import AuditEvent, AuditHead
from staff.services import audit
from tests.builders import a_site, a_user
from tests.triggers import put_back_triggers_against_emptying

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
            cursor.execute("DROP TRIGGER IF EXISTS staff_audithead_only_sequence")
        else:
            cursor.execute("ALTER TABLE staff_auditevent DISABLE TRIGGER USER")
            cursor.execute("ALTER TABLE staff_audithead DISABLE TRIGGER USER")
        cursor.execute(statement, values)


def cut_the_end(after: AuditEvent) -> None:
    """Remove what came after an event, and move the head row back to it."""
    behind_the_back("DELETE FROM staff_auditevent WHERE sequence > %s", after.sequence)
    behind_the_back(
        "UPDATE staff_audithead SET sequence = %s, hash = %s", after.sequence, after.hash
    )


def write_anew(key: str) -> None:
    """Change the first event, then hash the whole chain again, as an intruder's script would."""
    previous = audit.START
    for event in AuditEvent.objects.order_by("sequence"):
        event.previous_hash, event.actor_name = previous, "luc"
        event.key = audit.key_id(key) if key else ""
        event.hash = previous = audit.hash_of(event, key)
        behind_the_back(
            "UPDATE staff_auditevent SET previous_hash = %s, actor_name = %s, key = %s, hash = %s"
            " WHERE sequence = %s",
            *(event.previous_hash, event.actor_name, event.key, event.hash, event.sequence),
        )
    signature = audit.head_signature(event.sequence, event.hash, key) if key else ""
    behind_the_back("UPDATE staff_audithead SET hash = %s, signature = %s", previous, signature)


@pytest.fixture
def anchors(settings, tmp_path) -> Path:
    """Let the trail be anchored in a file of this test's own."""
    settings.TRAIL_ANCHOR_FILES = [str(tmp_path / "anchor")]
    return tmp_path / "anchor"


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
    first.hash = audit.hash_of(first, settings.TRAIL_KEY)
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
    put_back_triggers_against_emptying()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM staff_auditevent")


def test_each_event_names_the_key_that_signed_it():
    assert {event.key for event in some_events()} == {audit.key_id(settings.TRAIL_KEY)}


def test_an_end_cut_together_with_the_head_row_is_found():
    cut_the_end(after=some_events()[0])
    assert list(audit.faults()) == ["fin de chaîne : sa signature n'est pas celle de ce serveur"]


@pytest.mark.parametrize("key", ["", "a key that the intruder made up"])
def test_a_chain_written_anew_without_the_key_is_found(key):
    some_events()
    write_anew(key)
    assert list(audit.faults())


def test_a_chain_written_anew_without_keys_is_not_taken_for_an_old_one():
    some_events()
    write_anew("")
    assert "événements 1 à 3 : sans clé, et aucun sceau ne les suit" in list(audit.faults())


def test_an_event_without_a_key_after_keyed_ones_is_found():
    last = some_events()[-1]
    forged = AuditEvent(
        sequence=4, at=last.at, actor_name="luc", action="made.up", previous_hash=last.hash
    )
    forged.hash = audit.hash_of(forged, "")
    forged.save(force_insert=True)
    assert "événement 4 : sans clé après un événement qui en a une" in list(audit.faults())


def test_an_older_key_still_proves_what_it_signed(settings):
    some_events()
    settings.TRAIL_KEY_FALLBACKS, settings.TRAIL_KEY = [settings.TRAIL_KEY], "another key"
    audit.record(action="key.changed", by=None)
    assert list(audit.faults()) == []


def test_a_key_that_is_not_given_is_named(settings):
    key = some_events(1)[0].key
    settings.TRAIL_KEY = "another key"
    assert f"événement 1 : signé avec la clé {key}" in list(audit.faults())[0]


def test_the_trail_outlives_the_rotation_of_the_secret_key(settings):
    some_events()
    settings.SECRET_KEY = "rotated"
    assert list(audit.faults()) == []


def test_an_emptied_trail_is_found_by_its_anchor(anchors):
    last = some_events()[-1]
    assert audit.anchor() == []
    behind_the_back("DELETE FROM staff_auditevent")
    behind_the_back("DELETE FROM staff_audithead")
    assert list(audit.faults()) == [
        f"événement 3 absent, alors qu'il a été ancré (3:{last.hash[:16]})"
    ]


def test_a_chain_written_anew_with_a_stolen_key_is_found_by_its_anchor(anchors):
    some_events()
    audit.anchor()
    write_anew(settings.TRAIL_KEY)
    [fault] = audit.faults()
    assert fault.startswith("événement 3 : n'est plus celui qui a été ancré")


def test_a_whole_trail_fits_all_its_anchors(anchors):
    some_events(1)
    audit.anchor()
    audit.record(action="site.seen", by=None)
    audit.anchor()
    assert len(anchors.read_text().splitlines()) == 2
    assert list(audit.faults()) == []


def test_an_anchor_is_written_once_for_each_end_of_the_trail(anchors):
    some_events(1)
    audit.anchor()
    audit.anchor()
    assert len(anchors.read_text().splitlines()) == 1
    assert anchors.stat().st_mode & 0o777 == 0o600


def test_an_empty_trail_is_not_anchored(anchors):
    assert audit.anchor() == []
    assert not anchors.exists()


class TestAnAnchorThatIsNotThere:
    """An older copy put back with its own head row is whole in itself: only the anchor tells."""

    @pytest.fixture
    def both(self, settings, tmp_path) -> tuple[Path, Path]:
        settings.TRAIL_ANCHOR_FILES = [str(tmp_path / "first"), str(tmp_path / "second")]
        return tmp_path / "first", tmp_path / "second"

    def put_back(self, head: dict) -> None:
        """Cut what came after an older head row, and put that row back, rightly signed."""
        behind_the_back("DELETE FROM staff_auditevent WHERE sequence > %s", head["sequence"])
        behind_the_back(
            "UPDATE staff_audithead SET sequence = %s, hash = %s, signature = %s",
            *(head["sequence"], head["hash"], head["signature"]),
        )

    def test_an_old_copy_whose_anchor_was_removed_is_red(self, anchors):
        some_events()
        head = AuditHead.objects.values().get()
        audit.record(action="site.seen", by=None)
        audit.anchor()
        self.put_back(head)
        anchors.unlink()
        assert list(audit.faults()) == [
            f"ancre {anchors} : manque ou est vide, alors que le journal a commencé"
        ]

    def test_an_emptied_anchor_is_red(self, anchors):
        some_events()
        audit.anchor()
        anchors.write_text("")
        [fault] = audit.faults()
        assert fault.startswith(f"ancre {anchors} : manque ou est vide")

    def test_one_of_two_that_is_missing_or_behind_is_named(self, both):
        first, second = both
        some_events()
        audit.anchor()
        early = second.read_text()
        audit.record(action="site.seen", by=None)
        audit.anchor()
        assert list(audit.faults()) == []
        second.write_text(early)
        assert list(audit.faults()) == [f"ancre {second} : s'arrête à l'événement 3, une autre à 4"]
        second.unlink()
        assert list(audit.faults()) == [
            f"ancre {second} : manque ou est vide, alors que le journal a commencé"
        ]
        first.unlink()
        assert len(list(audit.faults())) == 2

    def test_one_that_stops_before_the_trail_is_red_after_some_minutes(self, anchors):
        with time_machine.travel("2022-05-14 04:00Z", tick=False) as moment:
            some_events()
            audit.anchor()
            audit.record(action="site.seen", by=None)
            moment.shift(240)
            assert list(audit.faults()) == []  # beat may be a little late
            moment.shift(61)
            assert list(audit.faults()) == [
                f"ancre {anchors} : s'arrête à l'événement 3 ; le journal continue depuis"
            ]

    def test_one_that_is_written_anew_beside_an_older_trail_stands_in_it(self, anchors):
        with time_machine.travel("2022-05-14 04:00Z", tick=False) as moment:
            some_events()
            audit.anchor()
            moment.shift(600)
            anchors.unlink()
            audit.anchor()
            audit.anchor()
        begun = AuditEvent.objects.get(action="trail.anchor_begun")
        assert begun.detail == {"path": str(anchors)}
        [file] = audit.anchor_files()
        assert (file.first, file.last, file.fault) == (4, 4, "")

    def test_a_first_anchor_is_no_new_beginning(self, anchors):
        some_events()
        audit.anchor()
        assert not AuditEvent.objects.filter(action="trail.anchor_begun").exists()


def test_a_line_that_somebody_wrote_into_the_anchor_is_named(anchors):
    some_events(1)
    audit.anchor()
    with anchors.open("a") as file:
        file.write("2026-11-30T04:00:00+01:00 1 abc abc\nécrit à la main\n")
    assert list(audit.faults()) == [
        f"ancre {anchors}, ligne 2 : n'est pas de ce serveur",
        f"ancre {anchors}, ligne 3 : n'est pas de ce serveur",
    ]


def test_a_disk_that_is_away_is_said_and_stops_no_other_anchor(settings, anchors, tmp_path):
    some_events(1)
    settings.TRAIL_ANCHOR_FILES = [str(tmp_path / "away" / "anchor"), str(anchors)]
    [sentence] = audit.anchor()
    assert "away" in sentence
    assert anchors.exists()


def test_a_mark_from_a_sheet_is_held_against_the_trail():
    some_events()
    printed = audit.mark()
    audit.record(action="site.seen", by=None)
    assert audit.contradicts(audit.Mark.parse(str(printed))) == ""
    write_anew(settings.TRAIL_KEY)
    assert audit.contradicts(printed) == "événement 3 : n'est plus le même"
    assert audit.contradicts(audit.Mark(99, "a" * 64)) == "événement 99 absent du journal"


def test_the_database_refuses_to_delete_the_head_row():
    some_events(1)
    put_back_triggers_against_emptying()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM staff_audithead")


def test_the_database_refuses_to_move_the_head_row_back():
    some_events(2)
    with pytest.raises(DatabaseError, match="only goes forward"), transaction.atomic():
        AuditHead.objects.update(sequence=1)


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "table",
    [
        *("staff_auditevent", "staff_audithead", "appointments_decision"),
        *("appointments_attendance", "notifications_question"),
    ],
)
def test_the_database_refuses_to_truncate_what_is_append_only(table):
    put_back_triggers_against_emptying()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {table} CASCADE")
