"""What disappears by a load: where it is complete, never more than that, and still told."""

import pytest

from appointments.feeds.importing.results import Unanswered
from appointments.feeds.records import Declared
from appointments.models import Feed
from appointments.vocabulary import Extent
from notifications.models import Notice
from tests.appointments.bulletins.builders import in_force
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import load, numbers, the_appointment
from tests.builders import a_unit

pytestmark = pytest.mark.django_db

NOT_DECLARED = {"declared": None}


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with three units at Arlon."""
    a_unit()
    a_unit("arlon-radio")
    a_unit("arlon-lab")


def monday(first: int, last: int, **fields) -> list:
    """Return the records of numbered patients on Monday."""
    return [a_record(number, **fields) for number in range(first, last + 1)]


def test_nothing_disappears_by_a_file_that_nobody_declared_complete():
    load(*monday(1, 2))
    assert numbers(load(a_record(1), said=NOT_DECLARED)) == {"unchanged": 1}


def test_the_setting_of_the_source_declares_it_for_every_file():
    load(*monday(1, 2))
    Feed.objects.update(complete_for=Extent.UNITS)
    result = load(a_record(1), said=NOT_DECLARED)
    assert [one.source_id for one in result.disappeared] == ["R2"]
    assert result.declared.extent is Extent.UNITS


def test_a_dry_run_proposes_sites_where_every_unit_is_named_and_else_nothing():
    load(a_record(1), a_record(2, unit="arlon-radio"))
    asking = NOT_DECLARED | {"proposes": True}
    one_unit = load(a_record(1), said=asking, dry_run=True)
    assert (one_unit.declared.extent, one_unit.missing) == (Extent.NOTHING, 0)
    both = load(a_record(1), a_record(3, unit="arlon-radio"), said=asking, dry_run=True)
    assert (both.declared.extent, both.missing) == (Extent.SITES, 1)


def test_units_are_complete_one_by_one():
    load(*monday(1, 2), a_record(3, unit="arlon-radio"), a_record(4, unit="arlon-lab"))
    radio = frozenset({a_unit("arlon-radio").pk})
    said = {"declared": Declared(Extent.CHOSEN, unit_ids=radio)}
    (gone,) = load(a_record(1), said=said).disappeared
    assert gone.source_id == "R3"
    assert the_appointment("R2").missing_since is None


def test_one_far_off_date_takes_nothing_away():
    load(a_record(1), a_record(2), a_record(3, starts="2022-06-20 09:00"))
    far_off = a_record(4, starts="2032-05-16 09:00")
    assert load(a_record(1), a_record(2), far_off).missing == 0


def test_who_disappeared_is_named_however_few():
    load(*monday(1, 2))
    (one,) = load(a_record(1)).disappeared
    assert (one.source_id, one.family_name, one.site) == ("R2", "Dupont2", "Arlon")


def test_more_than_a_tenth_of_a_site_and_day_asks_and_nothing_is_written():
    load(*monday(1, 20))
    with pytest.raises(Unanswered, match="6 des 20") as asked:
        load(*monday(1, 14), a_record(30))
    assert set(asked.value.questions) == {"accepts_disappeared"}
    assert asked.value.result.missing == 6
    assert the_appointment("R20").missing_since is None
    accepted = load(*monday(1, 14), a_record(30), said={"accepts_disappeared": True})
    assert numbers(accepted) == {"created": 1, "unchanged": 14, "missing": 6}


def test_five_are_named_and_not_asked_about():
    load(*monday(1, 10))
    assert load(*monday(1, 5)).missing == 5


def test_what_disappeared_is_still_ruled_on_and_told():
    load(*monday(1, 2))
    load(a_record(1))
    in_force()
    gone = the_appointment("R2")
    assert (gone.outcome, gone.missing_since is None) == ("cancelled", False)
    assert Notice.objects.filter(items__subject_id=gone.pk, state="open").exists()
