"""A page asks the database as often when everything in it is many times more."""

from collections import Counter

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, Roster, ScheduleImport
from notifications.models import Receipt, Reply
from notifications.texts import render as texts
from staff.models import Role, Unit
from staff.services import audit
from tests.access_matrix import PAGES, PATIENT
from tests.access_people import House, a_house
from tests.appointments.bulletins.builders import SATURDAY_NOON, THE_DAY, a_draft, approved
from tests.builders import MONDAY, a_patient, a_practitioner, a_unit, a_user, an_appointment
from tests.notifications.builders import a_call, a_notice, an_sms
from tests.test_access_matrix import ask, expected

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
READ = [page for page in PAGES if page.method == "GET" and page.found == 200]
TIMES = 4


def much_more(house: House) -> None:
    """Add to everything that a page lists, in the same places and in new ones."""
    unit = Unit.objects.get(pk=house.objects["unit"])
    theatre = Unit.objects.get(code="arlon-bloc")
    owner = a_practitioner("dr-owner")
    for number in range(TIMES):
        other = a_practitioner(f"dr-{number}", user=a_user(f"dr-{number}", Role.DOCTOR))
        new = a_unit(f"arlon-{number}"), a_unit(f"x-{number}", site=f"x{number}")
        for place in (unit, theatre, *new):
            for practitioner in (owner, other):
                service = "surgery" if place == theatre else "consultation"
                a_visit(unit=place, practitioner=practitioner, service=service)
        a_file(number, unit)
        a_draft(*THE_DAY[:3])
        audit.record(action="bulletin.approved", by=other.user, subject=unit)
    approved(a_draft())
    for number in range(TIMES):
        a_day_of_telling(number)


def a_visit(**fields) -> Appointment:
    return an_appointment(patient=a_patient(family_name=PATIENT), **fields)


def a_day_of_telling(number: int) -> None:
    """Add a call, an SMS of each unhappy fate, a receipt nobody waits for, and an answer."""
    told = {"gateway": "essai", "received_at": SATURDAY_NOON}
    call = a_call(a_notice(patient=a_patient(family_name=PATIENT)), not_before=SATURDAY_NOON)
    an_sms(call.notice, state="failed", failure="invalid_number", finished_at=SATURDAY_NOON)
    for state in ("unknown", "accepted"):
        an_sms(a_notice(patient=a_patient(family_name=PATIENT)), state=state)
    Receipt.objects.create(key=f"r{number}", state="delivered", provider_id=f"p{number}", **told)
    Reply.objects.create(
        key=f"a{number}",
        phone=call.notice.patient.mobile,
        text="STOP",
        meaning="stop",
        patient=call.notice.patient,
        notice=call.notice,
        **told,
    )


def a_file(number: int, unit: Unit) -> None:
    """Add a loaded file with faults, and a version of a roster."""
    first = ScheduleImport.objects.order_by("pk")[0]
    first.rejected_rows.create(line=number + 9, column="Date", value="?", why="N'existe pas.")
    load = ScheduleImport.objects.get(pk=first.pk)
    load.pk = None
    load.save(force_insert=True)
    roster = Roster(unit=unit, day=MONDAY, version=number + 2, state="ready")
    roster.made_at = SATURDAY_NOON
    roster.file.save(f"essai-{number}.pdf", ContentFile(b"%PDF-1.7"), save=False)
    roster.save()


def asked(house: House) -> dict[str, list[str]]:
    """Return what each page asks of the database."""
    found = {}
    for page in READ:
        reader = next(one for one in house.people if expected(page, one) == (200, True))
        texts.forget()  # or else they are read again only when some seconds have passed
        with CaptureQueriesContext(connection) as queries:
            answer = ask(page, reader, house)
        b"".join(answer)  # reads a file to its end, which closes it
        assert answer.status_code == 200, page
        found[str(page)] = [query["sql"] for query in queries]
    return found


def test_no_page_asks_more_when_there_is_more() -> None:
    house = a_house()
    asked(house)  # what is remembered for good is remembered now
    few = asked(house)
    much_more(house)
    many = asked(house)
    grown = {
        f"{page}: {len(queries)} → {len(many[page])}": more(queries, many[page])
        for page, queries in few.items()
        if len(many[page]) > len(queries)  # some find that another bulletin rules, and ask less
    }
    assert grown == {}


def more(few: list[str], many: list[str]) -> list[str]:
    """Return the beginnings of the queries that came more often."""
    before, after = (Counter(sql[:200] for sql in queries) for queries in (few, many))
    return [f"{number} × {sql}" for sql, number in (after - before).items()]
