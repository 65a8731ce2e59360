"""The age of the data is the source's: newer word is not undone, unknown word waits."""

import datetime as dt

import pytest

from appointments.feeds.data_age import data_age
from appointments.feeds.importing import conflicts
from appointments.feeds.importing.results import Unanswered
from appointments.models import AgeRule, Conflict, Feed
from notifications.models import Notice
from staff.errors import Refusal
from staff.models import AuditEvent, Role, User
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import load, numbers, the_appointment
from tests.builders import a_unit, a_user, at

pytestmark = pytest.mark.django_db

FRIDAY, SATURDAY = at("2022-05-13 06:00"), at("2022-05-14 06:00")
OF_FRIDAY, OF_SATURDAY = {"exported_at": FRIDAY}, {"exported_at": SATURDAY}
UNKNOWN = {"exported_at": None}


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


@pytest.fixture
def operator() -> User:
    """Return somebody who loads files."""
    return a_user("flux", Role.FEED_OPERATOR)


def the_feed() -> Feed:
    return Feed.objects.get(name="agenda")


class TestAge:
    def test_data_are_as_old_as_their_export_whenever_they_are_loaded(self):
        load(a_record(1), said=OF_FRIDAY)
        assert (data_age().heard_at, data_age().silence) == (FRIDAY, dt.timedelta(hours=30))
        assert data_age().is_old
        assert the_feed().loaded_at == SATURDAY_NOON

    def test_a_partial_file_does_not_make_the_whole_younger(self):
        load(a_record(1), a_record(2), said=OF_FRIDAY)
        load(a_record(1, act="Contrôle"), full=False, said=OF_SATURDAY)
        assert data_age().heard_at == FRIDAY
        assert the_feed().newest_at == SATURDAY

    def test_a_file_that_names_all_that_is_planned_soon_makes_the_whole_younger(self):
        load(a_record(1), a_record(2), said=OF_FRIDAY)
        load(a_record(1), a_record(2), a_record(3), full=False, said=OF_SATURDAY)
        assert data_age().heard_at == SATURDAY

    def test_one_units_complete_list_does_not_make_the_whole_younger(self):
        a_unit("virton-cardio", site="virton")
        elsewhere = {"site": "virton", "unit": "virton-cardio"}
        load(a_record(1), a_record(2, **elsewhere), said=OF_FRIDAY)
        load(a_record(1), said=OF_SATURDAY)
        assert data_age().heard_at == FRIDAY

    def test_an_age_that_nobody_knows_is_as_loud_as_one_too_old(self):
        load(a_record(1), said=UNKNOWN)
        age = data_age()
        assert (age.heard_at, age.is_unknown, age.is_old) == (None, True, True)

    def test_an_unknown_file_makes_the_age_unknown_where_it_changes_something(self):
        load(a_record(1), said=OF_SATURDAY)
        load(a_record(1), said=UNKNOWN)
        assert data_age().heard_at == SATURDAY
        load(a_record(1), a_record(2), said=UNKNOWN)
        assert data_age().is_unknown

    def test_the_source_whose_age_is_unknown_speaks_for_all(self):
        Feed.objects.create(name="labo", heard_at=at("2022-05-10 06:00"))
        load(a_record(1), said=UNKNOWN)
        assert data_age().feed == "agenda"


class TestOlderFiles:
    def test_an_older_file_does_not_undo_a_newer_move_unasked(self):
        first, moved = a_record(1), a_record(1, starts="2022-05-17 14:00")
        load(first, a_record(2), said=OF_FRIDAY)
        load(moved, a_record(2), said=OF_SATURDAY)
        with pytest.raises(Unanswered, match="plus ancien") as asked:
            load(first, a_record(2), said=OF_FRIDAY)
        assert set(asked.value.questions) == {"accepts_older"}
        assert the_appointment().starts_at == moved.starts_at
        result = load(first, a_record(2), said=OF_FRIDAY | {"accepts_older": True})
        assert numbers(result) == {"moved": 1, "unchanged": 1, "undone": 1}
        assert the_appointment().starts_at == first.starts_at
        assert data_age().heard_at == FRIDAY  # what is held is that old again

    def test_nor_does_it_undo_what_a_newer_partial_file_said(self):
        load(a_record(1), a_record(2), said=OF_FRIDAY)
        load(a_record(1, status="cancelled"), full=False, said=OF_SATURDAY)
        between = {"exported_at": FRIDAY + dt.timedelta(hours=6)}
        with pytest.raises(Unanswered):
            load(a_record(1), a_record(2), said=between)

    def test_what_an_older_file_does_not_name_has_not_disappeared(self):
        load(a_record(1), a_record(2), said=OF_SATURDAY)
        assert load(a_record(1), said=OF_FRIDAY).missing == 0

    def test_an_older_file_that_undoes_nothing_is_not_asked_about_and_changes_no_age(self):
        load(a_record(1), said=OF_SATURDAY)
        assert numbers(load(a_record(1), a_record(2), said=OF_FRIDAY)) == {
            "created": 1,
            "unchanged": 1,
        }
        assert data_age().heard_at == SATURDAY

    def test_the_very_same_file_again_is_older_than_what_came_since(self):
        load(a_record(1), said=OF_SATURDAY)
        load(a_record(1, starts="2022-05-17 14:00"), said=OF_SATURDAY)
        with pytest.raises(Unanswered):
            load(a_record(1), said=OF_SATURDAY | {"was_loaded_before": True})

    def test_after_a_load_of_unknown_age_an_export_from_before_it_may_be_the_older_one(self):
        load(a_record(1), said=UNKNOWN)
        with pytest.raises(Unanswered):
            load(a_record(1, act="autre"), said=OF_SATURDAY)

    def test_a_dry_run_says_what_would_be_undone(self):
        load(a_record(1), said=OF_SATURDAY)
        result = load(a_record(1, starts="2022-05-17 14:00"), said=OF_FRIDAY, dry_run=True)
        assert result.undone == 1


class TestUnknownAge:
    def test_new_appointments_land_and_moves_wait_for_a_person(self):
        load(a_record(1), said=OF_SATURDAY)
        moved = a_record(1, starts="2022-05-17 14:00")
        assert numbers(load(moved, a_record(2), said=UNKNOWN)) == {"created": 1, "waiting": 1}
        assert the_appointment().starts_at == a_record(1).starts_at
        conflict = Conflict.objects.get()
        assert (conflict.state, conflict.starts_at) == ("waiting", moved.starts_at)

    def test_a_cancellation_at_the_source_waits_too_and_other_changes_land(self):
        load(a_record(1), a_record(2), said=OF_SATURDAY)
        result = load(a_record(1, status="cancelled"), a_record(2, act="Écho"), said=UNKNOWN)
        assert numbers(result) == {"updated": 1, "waiting": 1}
        assert the_appointment().status == "booked"

    def test_known_patients_are_completed_and_neither_renamed_nor_reached_elsewhere(self):
        load(a_record(1, given_name="Anne", birth_date=None), said=OF_SATURDAY)
        old = {"phones": ("0470000000",), "family_name": "Durand", "language": "nl"}
        known = {"patient_id": "D1", "given_name": "Anne"}
        for number, said in ((2, UNKNOWN), (3, OF_FRIDAY)):
            load(a_record(number, **known, **old, birth_date=dt.date(1960, 1, 1)), said=said)
        patient = the_appointment().patient
        assert (patient.family_name, patient.language) == ("Dupont1", "fr")
        assert patient.mobile == "+32495120001"
        assert patient.birth_date == dt.date(1960, 1, 1)
        assert "+32470000000" in [phone.number for phone in patient.numbers]

    def test_the_same_file_again_asks_once(self):
        load(a_record(1), said=OF_SATURDAY)
        for _ in range(2):
            load(a_record(1, starts="2022-05-17 14:00"), said=UNKNOWN)
        assert Conflict.objects.count() == 1

    def test_a_newer_word_of_unknown_age_takes_the_place_of_the_one_that_waits(self):
        load(a_record(1), said=OF_SATURDAY)
        for hour in (14, 15):
            load(a_record(1, starts=f"2022-05-17 {hour}:00"), said=UNKNOWN)
        states = Conflict.objects.order_by("id").values_list("state", flat=True)
        assert list(states) == ["superseded", "waiting"]

    def test_accepting_loads_the_row_and_what_is_in_force_rules_on_it(self, operator):
        in_force()
        load(a_record(1, starts="2022-05-18 09:10"), said=OF_SATURDAY)
        load(a_record(1, protected_groups=frozenset({"cast"}), minutes=20), said=UNKNOWN)
        assert not Notice.objects.exists()
        conflict = Conflict.objects.get()
        assert conflicts.accept_conflicts(conflict_ids=[conflict.pk], by=operator) == 1
        found = the_appointment()
        assert (found.outcome, found.protected_groups) == ("cancelled", "cast")
        assert Notice.objects.filter(state="open").count() == 1
        conflict.refresh_from_db()
        assert (conflict.state, conflict.settled_by) == ("accepted", operator)
        assert data_age().heard_at == SATURDAY
        assert AuditEvent.objects.filter(action="conflict.accepted", actor=operator).exists()

    def test_what_was_refused_stands_and_is_not_asked_again(self, operator):
        load(a_record(1), said=OF_SATURDAY)
        moved = a_record(1, starts="2022-05-17 14:00")
        load(moved, said=UNKNOWN)
        assert conflicts.refuse_conflicts(conflict_ids=[Conflict.objects.get().pk], by=operator)
        assert numbers(load(moved, said=UNKNOWN)) == {"unchanged": 1}
        assert Conflict.objects.filter(state="waiting").count() == 0

    def test_what_is_settled_twice_is_settled_once(self, operator):
        load(a_record(1), said=OF_SATURDAY)
        load(a_record(1, starts="2022-05-17 14:00"), said=UNKNOWN)
        pk = Conflict.objects.get().pk
        assert conflicts.refuse_conflicts(conflict_ids=[pk], by=operator) == 1
        assert conflicts.accept_conflicts(conflict_ids=[pk], by=operator) == 0
        assert the_appointment().starts_at == a_record(1).starts_at

    def test_a_row_that_can_no_longer_be_taken_keeps_waiting(self, operator):
        load(a_record(1), said=OF_SATURDAY)
        load(a_record(1, starts="2022-05-17 14:00"), said=UNKNOWN)
        Conflict.objects.update(record=a_record(1, unit="nulle-part").as_kept())
        with pytest.raises(Refusal, match="nulle-part"):
            conflicts.accept_conflicts(conflict_ids=[Conflict.objects.get().pk], by=operator)
        assert Conflict.objects.get().state == "waiting"

    def test_a_file_of_known_age_says_what_holds_and_ends_the_conflict(self):
        load(a_record(1), said=OF_FRIDAY)
        load(a_record(1, starts="2022-05-17 14:00"), said=UNKNOWN)
        load(a_record(1), said={"exported_at": SATURDAY_NOON})
        assert Conflict.objects.get().state == "superseded"


def test_a_record_that_waits_comes_back_as_it_was():
    record = a_record(
        1,
        birth_date=dt.date(1958, 11, 3),
        changed_at=FRIDAY,
        protected_groups=frozenset({"cast", "diabetes"}),
        minutes=20,
    )
    load(a_record(1, starts="2022-05-18 10:00"), said=OF_FRIDAY)
    load(record, said=UNKNOWN)
    assert type(record).from_kept(Conflict.objects.get().record) == record


def test_every_rule_for_the_age_can_be_kept():
    assert {rule for rule, _label in AgeRule.choices} == {"file", "file_date", "loading"}
