"""A patient with several numbers, one with none, a day to agree to: the agent's call pages."""

import pytest
from playwright.sync_api import expect

from tests.browser.app import RunningApp
from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.browser
# Two operations of people who are in no other test, one postponed and one cancelled by the Medical
# Director, so that two calls are due: the first of a patient with four numbers, who is given
# another day; the second of a patient without any.
NUMBERS = """
import datetime as dt
from dataclasses import replace
from appointments.demo.hospital import build
from appointments.demo.loading import FEED, TERMS
from appointments.models import Appointment
from appointments.bulletins.playbooks import read
from appointments.bulletins import services as bulletins
from appointments.operations import services as operations
from appointments.feeds.importing.services import load_records
from notifications.models import Delivery
from patients.models import Patient, PatientIdentifier, PatientPhone
from patients.phones import Phone
from patients.services.registration import write_numbers
from staff import clock
from staff.models import User
from tests.browser import hospital
day = dt.date.fromisoformat("{day}")
known = set(PatientIdentifier.objects.values_list("value", flat=True))
planned = [one for one in build().records if one.service == "surgery" and one.status == "booked"]
strangers = {{one.patient_id: one for one in planned if one.patient_id not in known}}
chosen = [
    replace(one, source_id=f"N{{one.source_id}}",
        starts_at=one.starts_at + (day - one.starts_at.date()))
    for one in list(strangers.values())[:2]
]
load_records(feed_name=FEED, records=chosen, terms=TERMS)
order = hospital.moved(read(hospital.PLAYBOOK.read_text(encoding="utf-8")), day)
author, approver, director = (
    User.objects.get(username=name) for name in ("crise1", "crise2", "directeur")
)
draft = hospital.drafted(author, order | {{"release_at": clock.now() - dt.timedelta(minutes=1)}})
bulletins.approve(bulletin_id=draft.pk, by=approver)
first, second = Appointment.objects.filter(source_id__in=[one.source_id for one in chosen])
operations.rule(appointment_id=first.pk, by=director, outcome="cancelled",
    postponed_to=dt.date(2022, 5, 30))
operations.rule(appointment_id=second.pk, by=director, outcome="cancelled")
four = [Phone("+3263000001", False), Phone("+32459000001", True, "fille"),
    Phone("+352679000001", True, "époux, de préférence le soir"),
    Phone("+3361234567", False, "bureau, poste 1234")]
PatientPhone.objects.filter(patient__in=[first.patient_id, second.patient_id]).delete()
Patient.objects.filter(pk=first.patient_id).update(mobile="+32459000001", landline="+3263000001")
write_numbers({{first.patient_id: four}})
Patient.objects.filter(pk=second.patient_id).update(mobile="", landline="")
calls = Delivery.objects.filter(state="queued", notice__day=day)
for one, address, urgency in (first, "+3263000001", 0), (second, "", 1):
    assert calls.filter(notice__patient=one.patient_id).update(
        address=address, urgency=urgency, not_before=clock.now()) == 1
"""


@pytest.mark.parametrize(
    ("size", "name", "day"), [(DESK, "desk", "2022-05-24"), (PHONE, "phone", "2022-05-25")]
)
def test_every_number_is_offered_and_the_next_call_is_one_tap_away(
    running_app: RunningApp, people: People, size: tuple[int, int], name: str, day: str
) -> None:
    running_app.manage("shell", "-c", NUMBERS.format(day=day))
    agent = people.signed_in("agent", size)
    page = agent.open("/calls/?show=without")
    expect(page.get_by_role("heading", name="Patients sans numéro")).to_be_visible()
    assert agent.too_wide <= 0
    agent.picture(f"54-without-number-{name}")
    agent.open("/calls/")
    agent.picture(f"55-call-list-{name}")
    page.get_by_role("button", name="Prendre l'appel suivant").click()
    expect(page.locator("a.number-to-call")).to_have_text("063 00 00 01")
    expect(page.locator(".next-numbers li")).to_have_count(3)
    assert agent.too_wide <= 0
    agent.picture(f"56-several-numbers-{name}")
    page.get_by_role("button", name="Prévenu, appel suivant").click()
    expect(page.get_by_text("notez oui ou non").first).to_be_visible()
    assert agent.too_wide <= 0
    agent.picture(f"57-yes-or-no-{name}")
    page.get_by_role("radio", name="oui").check()
    page.get_by_role("button", name="Prévenu, appel suivant").click()
    expect(page.get_by_text("C'est noté.")).to_be_visible()
    expect(page.get_by_role("button", name="Rendre à la liste")).to_be_visible()
    assert agent.too_wide <= 0
    agent.picture(f"58-the-next-one-{name}")
    page.get_by_role("button", name="Rendre à la liste").click()
    people.complaints[:] = [one for one in people.complaints if "422" not in one]
    running_app.manage("verify")  # what is changed here for others is true
