"""The walls of the house (DESIGN.md section 4) stand, and the one who checks them can see."""

from pathlib import Path

import pytest

from tests.architecture import (
    APPS,
    LIFECYCLE,
    breaches,
    class_names,
    imports_of,
    sources,
    state_writes,
    writing_lines,
)

ROOT = Path(__file__).resolve().parent.parent


def test_the_house_has_no_breach():
    assert breaches(sources(ROOT)) == []


# What Django asks for, and no more.
NAMES_OF_DJANGO = {"Command", "Meta"}


def test_each_class_name_exists_once():
    several = {name: places for name, places in class_names(ROOT).items() if len(places) > 1}
    assert several.keys() - NAMES_OF_DJANGO == set(), several


def test_every_app_was_read():
    modules = sources(ROOT)
    assert {name.partition(".")[0] for name in modules} == set(APPS)
    assert "appointments.vocabulary" in modules


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("staff.access", "patients.models.Patient"),
        ("notifications.sending.dispatch", "appointments.models.Appointment"),
        ("notifications.lifecycle.opening", "notifications.sending.claim"),
        ("notifications.calls.queries", "notifications.cellar.wine"),
        ("appointments.decisions.in_force", "appointments.bulletins.queries"),
        ("appointments.doctors.queries", "appointments.wards.queries"),
        ("appointments.rules", "appointments.decisions.in_force"),
        ("patients.queries", "notifications.models"),
        ("appointments.demo.loading", "vivalia_continuity.processes"),
        ("appointments.rules", "django.conf.settings"),
        ("appointments.rules", "staff.clock"),
        ("appointments.vocabulary", "appointments.models.Service"),
        ("appointments.vocabulary", "django.db.models.Model"),
        ("appointments.rules", "django.db.models.TextChoices"),
        ("notifications.rules", "django.utils.timezone"),
        ("appointments.board.views", "notifications.gateways.console"),
        ("notifications.telling.views", "notifications.gateways.Gateway"),
        ("appointments.decisions.keeping", "appointments.doctors.views"),
        ("staff.models.user", "tests.builders"),
    ],
)
def test_a_breach_is_named(module, imported):
    sentences = breaches({module: {imported}})
    assert sentences
    assert all(one.startswith(f"{module} imports {imported}: ") for one in sentences)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("appointments.rules", "appointments.vocabulary.Outcome"),
        ("appointments.rules", "datetime"),
        ("appointments.rules", "notifications.vocabulary.Channel"),
        ("appointments.vocabulary", "django.db.models.TextChoices"),
        ("appointments.board.views", "notifications.telling.progress"),
        ("notifications.sending.dispatch", "notifications.gateways.Gateway"),
        ("vivalia_continuity.context", "staff.access"),
    ],
)
def test_what_is_allowed_is_left_alone(module, imported):
    assert breaches({module: {imported}}) == []


def test_imports_are_found_wherever_they_stand():
    source = """
import os, notifications.models
from appointments import rules
from . import sibling
from ..models import Site
if True:
    from patients.models import Patient as P
def later():
    import staff.clock
"""
    assert imports_of(source, package="staff.services") == {
        "os",
        "notifications.models",
        "appointments.rules",
        "staff.services.sibling",
        "staff.models.Site",
        "patients.models.Patient",
        "staff.clock",
    }


def test_only_the_lifecycle_writes_the_states_of_notices_and_deliveries():
    assert state_writes(ROOT) == []


def test_the_lifecycle_itself_is_seen_to_write_them():
    package = ROOT.joinpath(*LIFECYCLE.split("."))
    writing = {path.stem for path in package.glob("*.py") if writing_lines(path.read_text())}
    assert {"call_states", "delivery_states", "follow_up", "notice_states", "opening"} <= writing


IMPORTED = "from notifications.models import Delivery, DeliveryState, Notice, NoticeState\n"


@pytest.mark.parametrize(
    "written",
    [
        "Delivery.objects.filter(pk=1).update(state=DeliveryState.QUEUED)",
        "held.update(not_before=now, state='queued')",
        "notices.update(state=state)",
        "notice.deliveries.create(channel='sms')",
        "Notice.objects.create(patient=patient)",
        "Notice.objects.bulk_create(rows)",
        "call = Delivery(notice=notice)",
        "notice.state = NoticeState.TOLD",
        "notice.state, notice.settled_at = NoticeState.TOLD, now",
        "one.call.state = 'failed'",
        "setattr(call, 'state', word)",
        "queued = {'state': DeliveryState.QUEUED, 'claimed_by': ''}",
        "notice.save(update_fields=['state', 'settled_at'])",
        "Delivery.objects.bulk_update(rows, ['state'])",
        "run('UPDATE notifications_delivery SET remark = %s, state = %s WHERE id = %s')",
        'run(f"""UPDATE notifications_notice\n SET state = {told} WHERE id = %s""")',
        "run('insert into notifications_delivery (state) values (1)')",
    ],
)
def test_a_state_that_is_written_elsewhere_is_found(written):
    assert writing_lines(IMPORTED + written) == [2]


@pytest.mark.parametrize(
    "written",
    [
        "Delivery.objects.filter(state=DeliveryState.QUEUED).update(not_before=now)",
        "bulletin.state = BulletinState.APPROVED",
        "loads.update(state=ImportState.DONE)",
        "self.state = after",
        "context = {'state': label}",
        "run('UPDATE notifications_delivery SET not_before = %s WHERE state = %s')",
        "run('UPDATE notifications_deliverypart SET state = %s WHERE id = %s')",
        "delivery_states.end(ids, state=DeliveryState.FAILED, at=now)",
        "is_told = notice.state == NoticeState.TOLD",
        "NoticeItem.objects.create(notice=notice)",
        "call.save(update_fields=['remark'])",
    ],
)
def test_what_writes_no_state_of_ours_is_left_alone(written):
    assert writing_lines(IMPORTED + written) == []


def test_sql_is_found_without_an_import_too():
    assert writing_lines("run('UPDATE notifications_notice SET state = 1')") == [1]
