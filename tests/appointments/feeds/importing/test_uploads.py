"""Files given on the screens: checked, confirmed, loaded, whatever the broker and workers do."""

import datetime as dt
from pathlib import Path

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError

from appointments.feeds.importing import uploads
from appointments.feeds.importing.uploads import FileTerms
from appointments.feeds.records import Declared
from appointments.models import Appointment, ImportState, RejectedRow, ScheduleImport
from appointments.tasks import run_waiting_imports, sweep_imports
from appointments.vocabulary import Extent
from notifications.sending import switch
from staff import clock
from staff.errors import Refusal
from staff.models import AuditEvent, Role, User
from tests.appointments.feeds.files.builders import ROW, csv_text
from tests.builders import a_unit, a_user, at

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(settings, tmp_path) -> User:
    """Return a feed operator; files are stored in a folder of the test."""
    settings.MEDIA_ROOT = tmp_path
    a_unit()
    return a_user("flux", Role.FEED_OPERATOR)


def receive(operator: User, *rows: dict, content: bytes | None = None, **given) -> ScheduleImport:
    body = content if content is not None else csv_text(rows or [ROW]).encode()
    return uploads.receive(
        upload=ContentFile(body, name="agenda.csv"),
        feed_name="agenda",
        by=operator,
        **given,
    )


def stored_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_checked_first_and_nothing_is_written(operator):
    load = receive(operator, ROW, ROW | {"N° RDV": "R2", "Activité": "sieste"})
    run_waiting_imports()
    load.refresh_from_db()
    assert (load.state, load.rows_created, load.rows_rejected) == (ImportState.CHECKED, 1, 1)
    assert (load.rows_done, load.rows_total) == (2, 2)
    assert RejectedRow.objects.get().value == "sieste"
    assert not Appointment.objects.exists()


def test_once_confirmed_it_is_loaded_and_the_file_is_deleted(
    operator, tmp_path, django_capture_on_commit_callbacks
):
    load = receive(operator)
    run_waiting_imports()
    uploads.confirm(schedule_import_id=load.pk, by=operator)
    with django_capture_on_commit_callbacks(execute=True):
        run_waiting_imports()
    load.refresh_from_db()
    assert (load.state, load.rows_created) == (ImportState.LOADED, 1)
    assert Appointment.objects.count() == 1
    assert not stored_files(tmp_path)
    assert len(load.file_digest) == 64
    event = AuditEvent.objects.get(action="schedule.loaded")
    assert event.detail["file_sha256"] == load.file_digest


def test_confirming_twice_loads_once(operator):
    load = receive(operator)
    run_waiting_imports()
    for _ in range(2):
        uploads.confirm(schedule_import_id=load.pk, by=operator)
    assert uploads.run_waiting() == 1
    uploads.confirm(schedule_import_id=load.pk, by=operator)
    assert uploads.run_waiting() == 0


def test_what_was_not_checked_cannot_be_confirmed(operator):
    load = receive(operator)
    with pytest.raises(Refusal, match="pas vérifié"):
        uploads.confirm(schedule_import_id=load.pk, by=operator)


def test_a_file_that_cannot_be_read_says_so_and_is_deleted(operator, tmp_path):
    load = receive(operator, content=b"\x00\x01" * 50)
    run_waiting_imports()
    load.refresh_from_db()
    assert load.state == ImportState.UNREADABLE
    assert "pas un fichier de texte" in str(load.message)
    assert not stored_files(tmp_path)


def test_an_error_nobody_foresaw_ends_the_load_not_the_worker(operator, monkeypatch):
    def broken(path):
        raise ZeroDivisionError

    load = receive(operator)
    monkeypatch.setattr(uploads, "open_schedule", broken)
    run_waiting_imports()
    load.refresh_from_db()
    assert load.state == ImportState.UNREADABLE
    assert "inattendue" in str(load.message)


def test_a_database_in_trouble_does_not_condemn_the_file(operator, monkeypatch):
    def busy(path):
        raise DatabaseError

    load = receive(operator)
    monkeypatch.setattr(uploads, "open_schedule", busy)
    with pytest.raises(DatabaseError):
        run_waiting_imports()
    load.refresh_from_db()
    assert load.state == ImportState.RUNNING  # the sweep takes it over when the lease is over


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_or_huge_upload_is_refused_at_once(operator, tmp_path, monkeypatch, content):
    if content is None:
        monkeypatch.setattr(uploads, "LARGEST_FILE", 10)
    with pytest.raises(Refusal):
        receive(operator, content=content)
    assert not stored_files(tmp_path)


def test_a_dead_broker_loses_nothing(operator, monkeypatch, django_capture_on_commit_callbacks):
    def dead(*args, **kwargs):
        raise OperationalError

    monkeypatch.setattr(switch.current_app, "send_task", dead)
    with django_capture_on_commit_callbacks(execute=True):
        load = receive(operator)
    sweep_imports()
    load.refresh_from_db()
    assert load.state == ImportState.CHECKED


def test_the_work_of_a_worker_that_fell_silent_is_taken_over(operator):
    load = receive(operator)
    silent_since = timezone.now() - uploads.LEASE - dt.timedelta(seconds=1)
    ScheduleImport.objects.update(state=ImportState.RUNNING, claimed_at=silent_since)
    assert uploads.run_waiting() == 1
    load.refresh_from_db()
    assert load.state == ImportState.CHECKED


def test_the_work_of_a_worker_that_was_heard_of_is_left_alone(operator):
    receive(operator)
    ScheduleImport.objects.update(state=ImportState.RUNNING, claimed_at=timezone.now())
    assert uploads.run_waiting() == 0


def test_a_worker_that_lost_its_claim_writes_nothing(operator):
    load = receive(operator)
    run_waiting_imports()
    uploads.confirm(schedule_import_id=load.pk, by=operator)
    claimed = uploads._claim()
    ScheduleImport.objects.update(claimed_at=timezone.now() + dt.timedelta(seconds=5))
    uploads._run(claimed)
    assert not Appointment.objects.exists()


def test_what_nobody_confirms_is_given_up_and_its_file_deleted(operator, tmp_path):
    load = receive(operator)
    run_waiting_imports()
    later = clock.now() + uploads.UNCONFIRMED_FOR + dt.timedelta(hours=1)
    with time_machine.travel(later, tick=False):
        uploads.sweep()
    load.refresh_from_db()
    assert load.state == ImportState.ABANDONED
    assert not stored_files(tmp_path)


class TestAnswers:
    """What a person says of a checked file, and what must be accepted before it is loaded."""

    @pytest.fixture(autouse=True)
    def _today(self, saturday_noon):
        """Stand on Saturday 14 May 2022 at noon."""

    def checked(self, operator, *rows, **given) -> ScheduleImport:
        load = receive(operator, *rows, **given)
        run_waiting_imports()
        load.refresh_from_db()
        return load

    def loaded(self, operator, *rows, exported_at, **accepted) -> ScheduleImport:
        load = self.checked(operator, *rows)
        said = FileTerms(exported_at, Declared(Extent.SITES))
        if uploads.correct(schedule_import_id=load.pk, said=said, by=operator):
            run_waiting_imports()
        uploads.confirm(schedule_import_id=load.pk, by=operator, **accepted)
        run_waiting_imports()
        load.refresh_from_db()
        return load

    def test_the_date_that_the_browser_gives_is_proposed(self, operator):
        load = self.checked(operator, file_date=at("2022-05-13 06:00"))
        assert (load.exported_at, load.age_from) == (at("2022-05-13 06:00"), "file_date")

    def test_without_any_hint_the_age_is_unknown(self, operator):
        load = self.checked(operator)
        assert (load.exported_at, load.age_from) == (None, "")

    def test_what_a_person_says_is_kept_and_the_file_checked_again(self, operator):
        load = self.checked(operator)
        said = FileTerms(at("2022-05-13 06:00"), Declared())
        assert uploads.correct(schedule_import_id=load.pk, said=said, by=operator)
        run_waiting_imports()
        load.refresh_from_db()
        assert (load.state, load.age_from) == (ImportState.CHECKED, "person")
        assert (load.exported_at, load.complete_for) == (at("2022-05-13 06:00"), "nothing")
        assert not uploads.correct(schedule_import_id=load.pk, said=said, by=operator)

    def test_an_older_file_is_loaded_once_somebody_accepts_that(self, operator):
        moved = ROW | {"Date et heure": "17/05/2022 14:00"}
        self.loaded(operator, ROW, exported_at=at("2022-05-13 06:00"))
        self.loaded(operator, moved, exported_at=at("2022-05-14 06:00"))
        with pytest.raises(Refusal, match="plus ancien"):
            self.loaded(operator, ROW, exported_at=at("2022-05-13 06:00"))
        load = self.loaded(operator, ROW, exported_at=at("2022-05-13 06:00"), accepts_older=True)
        assert (load.state, load.rows_undone) == (ImportState.LOADED, 1)

    def test_a_newer_file_that_came_in_since_the_check_has_it_checked_again(self, operator):
        self.loaded(operator, ROW, exported_at=at("2022-05-12 06:00"))
        load = self.checked(operator, ROW | {"Date et heure": "18/05/2022 10:00"})
        said = FileTerms(at("2022-05-13 06:00"), Declared())
        uploads.correct(schedule_import_id=load.pk, said=said, by=operator)
        run_waiting_imports()
        moved = ROW | {"Date et heure": "17/05/2022 14:00"}
        self.loaded(operator, moved, exported_at=at("2022-05-14 06:00"))
        uploads.confirm(schedule_import_id=load.pk, by=operator)
        run_waiting_imports()
        load.refresh_from_db()
        assert (load.state, load.rows_undone) == (ImportState.CHECKED, 1)

    def test_much_that_disappeared_is_accepted_by_a_person(self, operator):
        many = [ROW | {"N° RDV": f"R{n}", "Dossier": f"D{n}"} for n in range(12)]
        self.loaded(operator, *many, exported_at=at("2022-05-13 06:00"))
        with pytest.raises(Refusal, match="7 des 12"):
            self.loaded(operator, *many[:5], exported_at=at("2022-05-14 06:00"))
        load = self.loaded(
            operator, *many[:5], exported_at=at("2022-05-14 06:00"), accepts_disappeared=True
        )
        assert (load.rows_missing, load.disappeared_rows.count()) == (7, 7)
