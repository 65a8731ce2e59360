"""Two loads, or a load and an approval, at the same moment: real transactions on PostgreSQL."""

import pytest

from appointments.bulletins import services as bulletins
from appointments.feeds.importing.results import LoadResult, Terms
from appointments.feeds.importing.services import load_records
from appointments.models import Appointment
from notifications.models import Notice
from tests.appointments.bulletins.builders import a_draft, somebody_in_the_crisis_cell
from tests.appointments.feeds.files.builders import a_record
from tests.builders import a_unit
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def arlon(saturday_noon) -> None:
    """Stand on the day of the bulletin, with one unit at Arlon."""
    a_unit()


def load() -> LoadResult:
    records = [a_record(number) for number in range(50)]
    return load_records(feed_name="agenda", records=records, terms=Terms())


def test_the_same_file_loaded_twice_at_once_lands_once():
    results = together(load, load)
    assert sorted((result.created, result.unchanged) for result in results) == [(0, 50), (50, 0)]
    assert Appointment.objects.count() == 50


def test_a_bulletin_approved_during_a_load_rules_on_all_of_it():
    draft = a_draft()
    second = somebody_in_the_crisis_cell("crise2")
    together(load, lambda: bulletins.approve(bulletin_id=draft.pk, by=second))
    assert Appointment.objects.filter(outcome="cancelled").count() == 50
    assert Notice.objects.filter(state="open").count() == 50
