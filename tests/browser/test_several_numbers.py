"""A patient with several numbers, one with none, a day to agree to: the agent's call pages."""

import pytest
from playwright.sync_api import expect

from tests.browser.app import RunningApp
from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.browser
# Two calls that are due: the first of a patient with four numbers, who is given another day; the
# second of a patient without any.
NUMBERS = """
import datetime as dt
from notifications.models import Delivery, NoticeItem
from patients.models import Patient, PatientPhone
from patients.phones import Phone
from patients.services.numbers import write_numbers
from staff import clock
first, second = Delivery.objects.filter(
    channel="phone", state="queued", notice__state="open"
).order_by("notice__first_at")[:2]
four = [Phone("+3263000001", False), Phone("+32459000001", True, "fille"),
    Phone("+352679000001", True, "époux, de préférence le soir"),
    Phone("+3361234567", False, "bureau, poste 1234")]
PatientPhone.objects.filter(patient__in=[first.notice.patient, second.notice.patient]).delete()
Patient.objects.filter(pk=first.notice.patient_id).update(
    mobile="+32459000001", landline="+3263000001"
)
write_numbers({first.notice.patient_id: four})
Patient.objects.filter(pk=second.notice.patient_id).update(mobile="", landline="")
Delivery.objects.filter(pk=first.pk).update(
    address="+3263000001", urgency=0, not_before=clock.now()
)
Delivery.objects.filter(pk=second.pk).update(address="", urgency=1, not_before=clock.now())
first.notice.items.update(word="cancelled", postponed_to=dt.date(2022, 5, 30))
"""


@pytest.mark.parametrize(("size", "name"), [(DESK, "desk"), (PHONE, "phone")])
def test_every_number_is_offered_and_the_next_call_is_one_tap_away(
    running_app: RunningApp, people: People, size: tuple[int, int], name: str
) -> None:
    running_app.manage("shell", "-c", NUMBERS)
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
