"""Every cell of the editor shows how many appointments it touches, while it is edited."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse

from appointments.bulletins.preview import preview
from appointments.models import Appointment, Bulletin
from appointments.rules import ClauseTerms
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import THE_DAY, a_draft
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_site, a_unit, an_appointment
from tests.pages import fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def some_people() -> None:
    """Two consultations and an operation in Arlon, a consultation with a cast in Virton."""
    an_appointment()
    an_appointment()
    an_appointment(service="surgery", unit=a_unit("arlon-bloc", kind="operating_theatre"))
    an_appointment(unit=a_unit("virton-ortho", site="virton"), protected_groups="cast")
    an_appointment(starts="2022-05-18 09:00")
    an_appointment(status="cancelled")


def asked(draft: Bulletin, **typed: Any) -> HttpResponse:
    """Return what the editor is told after these fields were typed."""
    fields = fields_of(text_of(page(crisis(), "bulletin_edit", draft.pk)), having="title")
    return crisis().post(reverse("bulletin_reach"), fields | typed)


def numbers(shown: HttpResponse) -> dict[str, str]:
    """Return the numbers that are not empty, by the place that shows them."""
    found = re.findall(r'class="reach" id="reach-([^"]+)"[^>]*>([^<]+)<', text_of(shown))
    return {place: text.removesuffix(" rendez-vous") for place, text in found}


def test_the_page_opens_with_the_numbers_of_the_draft() -> None:
    some_people()
    cast = ClauseTerms("maintain", "nobody", groups=("cast",))
    shown = page(crisis(), "bulletin_edit", a_draft(*THE_DAY, cast).pk)
    assert numbers(shown) == {
        "consultation-every": "2",
        "surgery-every": "1",
        "radiology-every": "0",
        "nuclear_medicine-every": "0",
        "blood_sampling-every": "0",
        "covid_centre-every": "0",
        "emergency-every": "0",
        "refinement-0": "1",
    }
    assert "déciderait de 4 rendez-vous sur 4" in text_of(shown)


def test_a_change_is_counted_before_it_is_saved_and_writes_nothing() -> None:
    some_people()
    draft = a_draft(THE_DAY[0])
    before = list(Bulletin.objects.values()), AuditEvent.objects.count()
    shown = asked(draft, **{"row-consultation-cell-arlon": "maintain", "last_day": "2022-05-18"})
    assert shown.status_code == 200
    assert numbers(shown) == {"consultation-every": "1", "consultation-arlon": "3"}
    assert "déciderait de 4 rendez-vous sur 5" in text_of(shown)
    assert before == (list(Bulletin.objects.values()), AuditEvent.objects.count())


def test_the_numbers_are_those_of_the_preview() -> None:
    some_people()
    draft = a_draft(THE_DAY[0])
    counted = sum(one.appointments for one in preview(draft.pk).counts if one.outcome)
    assert numbers(asked(draft)) == {"consultation-every": str(counted)}


@pytest.mark.parametrize(
    ("first", "last"),
    [("", "2022-05-16"), ("2022-05-", "2022-05-16"), ("2022-05-17", "2022-05-16")]
    + [("2022-05-16", "2022-08-17"), ("2022-05-16", "9999-12-31")],
)
def test_without_a_window_no_number_is_said(first: str, last: str) -> None:
    some_people()
    shown = asked(a_draft(THE_DAY[0]), first_day=first, last_day=last)
    assert numbers(shown) == {"consultation-every": "?"}
    assert "Indiquez le premier et le dernier jour" in text_of(shown)


def test_a_half_typed_refinement_is_unknown_and_the_rest_is_counted() -> None:
    some_people()
    days = ClauseTerms("maintain", "nobody", days=(MONDAY,), groups=("diabetes",))
    groups = ClauseTerms("maintain", "nobody", groups=("cast",))
    shown = asked(
        a_draft(THE_DAY[0], days, groups),
        **{"refinement-0-days": "16/05/20", "row-consultation-keep_until": "2022-05"},
    )
    assert numbers(shown) == {
        "consultation-every": "2",
        "refinement-0": "?",
        "refinement-1": "1",
    }
    assert "n'est pas comptée" in text_of(shown)


def test_a_new_grid_has_no_numbers_and_a_refinement_added_to_it_asks_again() -> None:
    some_people()
    new = crisis().get(reverse("bulletin_new"), {"start": "empty"})
    assert numbers(new) == {}
    fields = fields_of(text_of(new), having="title")
    more = crisis().post(reverse("bulletin_new"), fields | {"add": "1"})
    assert json.loads(more["HX-Trigger"]) == {"reach": {}}
    assert numbers(more) == {"refinement-0": "?"}


def test_the_number_of_queries_does_not_grow(django_assert_num_queries) -> None:
    draft = a_draft(THE_DAY[0])
    client, address = crisis(), reverse("bulletin_reach")
    fields = fields_of(text_of(page(client, "bulletin_edit", draft.pk)), having="title")
    counts = []
    for site in ("arlon", "virton"):
        for number in range(4):
            an_appointment(unit=a_unit(f"{site}-{number}", site=site))
        with django_assert_num_queries(20, exact=False) as queries:
            client.post(address, fields)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Appointment.objects.count() == 8


def test_the_page_of_six_sites_stays_light() -> None:
    for site in ("arlon", "bastogne", "bertrix", "libramont", "marche", "virton"):
        for number in range(12):
            a_unit(f"{site}-{number}", site=a_site(site))
    refinements = (ClauseTerms("maintain", "nobody", groups=("cast",)),) * 2
    week = MONDAY + dt.timedelta(days=6)
    shown = page(crisis(), "bulletin_edit", a_draft(*THE_DAY, *refinements, last_day=week).pk)
    assert len(shown.content) < 150_000
