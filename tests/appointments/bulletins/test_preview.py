"""The preview changes nothing and says exactly what applying then does."""

import datetime as dt

import pytest

from appointments.bulletins.preview import preview, withdrawal
from appointments.models import Appointment, Decision
from appointments.rules import ClauseTerms
from notifications.models import Delivery, Notice
from tests.appointments.bulletins.builders import (
    SATURDAY_NOON,
    a_draft,
    approved,
    in_force,
    withdrawn,
)
from tests.builders import MONDAY, a_patient, a_unit, an_appointment

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def a_mixed_monday(saturday_noon) -> None:
    """Make one of everything, at two sites, on the day of the bulletin."""
    services = ("consultation", "surgery", "radiology", "blood_sampling", "emergency", "dialysis")
    for site in ("arlon", "virton"):
        for service in services:
            an_appointment(service=service, unit=a_unit(f"{site}-{service}", site=site))
    an_appointment(patient=a_patient(mobile="", landline="+3263000001"))
    an_appointment(patient=a_patient(mobile=""))
    both = a_patient(language="nl")
    an_appointment(patient=both)
    an_appointment(patient=both, service="radiology", starts="2022-05-16 15:00")


def outcomes() -> dict[tuple, int]:
    """Count appointments by site, service and outcome."""
    counts: dict[tuple, int] = {}
    for appointment in Appointment.objects.select_related("unit__site"):
        key = (appointment.unit.site.code, appointment.service, appointment.outcome)
        counts[key] = counts.get(key, 0) + 1
    return counts


def promised(bulletin) -> tuple[dict[tuple, int], int, int, int, int]:
    """Return the preview's figures."""
    seen = preview(bulletin.pk)
    counts: dict[tuple, int] = {}
    for count in seen.counts:
        key = (count.site, count.service, count.outcome)
        counts[key] = counts.get(key, 0) + count.appointments
    return (
        counts,
        seen.patients_by_sms,
        seen.patients_by_phone,
        seen.notices_withdrawn,
        seen.appointments_changed,
    )


@pytest.mark.parametrize(
    "earlier",
    [None, (ClauseTerms("cancel", "cancelled", services=("consultation", "dialysis")),)],
    ids=["first bulletin", "after another bulletin"],
)
def test_the_preview_equals_what_applying_does(earlier):
    if earlier:
        in_force(*earlier)
    draft = a_draft()
    was = {appointment.pk: appointment.outcome for appointment in Appointment.objects.all()}
    last = max(Notice.objects.values_list("pk", flat=True), default=0)
    withdrawn = Notice.objects.filter(state="withdrawn").count()
    expected = promised(draft)
    approved(draft)
    opened = Delivery.objects.filter(notice__pk__gt=last)
    assert expected == (
        outcomes(),
        opened.filter(channel="sms").count(),
        opened.filter(channel="phone").count(),
        Notice.objects.filter(state="withdrawn").count() - withdrawn,
        sum(
            was[appointment.pk] != appointment.outcome for appointment in Appointment.objects.all()
        ),
    )


def test_withdrawing_tells_and_withdraws_as_many_as_was_said():
    in_force(ClauseTerms("cancel", "cancelled", services=("dialysis",)), last_day=TUESDAY)
    ruling = in_force()
    told = Notice.objects.filter(patient__appointments__service="consultation").first()
    Delivery.objects.filter(notice=told).update(state="delivered")
    Notice.objects.filter(pk=told.pk).update(
        state="told", settled_at=SATURDAY_NOON, handed_over_at=SATURDAY_NOON
    )
    before = outcomes(), Notice.objects.count()
    seen = withdrawal(ruling.pk)
    assert before == (outcomes(), Notice.objects.count())
    last = max(Notice.objects.values_list("pk", flat=True))
    pending = Notice.objects.filter(state="withdrawn").count()
    withdrawn(ruling.pk)
    opened = Notice.objects.filter(pk__gt=last).count()
    taken_back = Notice.objects.filter(state="withdrawn").count() - pending
    assert (seen.patients_to_tell, seen.notices_withdrawn) == (opened, taken_back)
    assert min(opened, taken_back) > 0


def test_the_preview_writes_nothing():
    draft = a_draft()
    before = outcomes()
    preview(draft.pk)
    preview(draft.pk)
    assert outcomes() == before
    assert not Decision.objects.exists()
    assert not Notice.objects.exists()


def test_the_preview_counts_who_cannot_be_reached_and_what_it_costs(settings):
    settings.SMS_PART_COST_EURO, settings.SMS_PARTS_PER_SECOND = 0.05, 2.0
    seen = preview(a_draft().pk)
    assert (seen.patients_by_sms, seen.patients_by_phone) == (5, 2)
    assert seen.patients_without_number == 1
    assert seen.sms_parts == 5
    assert (seen.sms_cost_euro, seen.sms_seconds) == (0.25, 2.5)
    assert seen.emergency_protected == 2
    assert seen.as_dict()["counts"][0]["day"] == "2022-05-16"
