"""What was kept as the age of a source was the moment of loading: its age is now unknown."""

import pytest

from appointments.feeds.data_age import data_age
from appointments.models import Feed, ScheduleImport
from tests.appointments.migrating import an_appointment_then, made
from tests.builders import at
from tests.migrating import an_empty_database, migrate

BEFORE = ("appointments", "0015_bulletin_ready")
LOADED = at("2022-05-14 03:00")


@pytest.fixture
def before(db):
    """Return the models before, in a database of its own."""
    with an_empty_database():
        yield migrate(BEFORE)


def test_the_moment_of_loading_is_no_age_and_full_exports_stay_complete(before):
    an_appointment_then(before)
    before.get_model("appointments", "Feed").objects.update(heard_at=LOADED)
    feed = before.get_model("appointments", "Feed").objects.get()
    for name, is_full in (("tout.csv", True), ("jour.csv", False)):
        made(
            before,
            "appointments",
            "ScheduleImport",
            feed=feed,
            file_name=name,
            is_full_export=is_full,
            started_at=LOADED,
        )
    migrate()
    kept = Feed.objects.get()
    assert (kept.heard_at, kept.loaded_at, kept.newest_at) == (None, LOADED, None)
    assert data_age().is_unknown
    extents = ScheduleImport.objects.order_by("id").values_list("complete_for", "exported_at")
    assert list(extents) == [("sites", None), ("nothing", None)]
