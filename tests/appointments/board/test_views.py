"""Each number of the board leads to a list that is exactly as long."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from appointments.decisions import keeping
from appointments.models import Feed, RefusedRow
from appointments.operations import services as operations
from staff.models import Role
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.builders import MONDAY, a_practitioner, a_site, a_unit, a_user, an_appointment, at
from tests.notifications.builders import a_call, a_notice, an_sms
from tests.pages import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
NOON = SATURDAY_NOON
LAST_WEEK = [("2022-05-02 09:10", "cancelled")]


def a_house() -> None:
    """Make appointments at two sites, in and out of the days that are counted; keep some."""
    doctor = a_user("docteur", Role.DOCTOR)
    practitioner = a_practitioner("dr-1", user=doctor)
    kept = []
    for site in ("arlon", "virton"):
        clinic = a_unit(f"{site}-cardio", site=site)
        theatre = a_unit(f"{site}-bloc", site=site, kind="operating_theatre")
        for start in ("2022-05-16 09:00", "2022-05-27 09:00", "2022-05-28 09:00"):
            fields = {"starts": start, "practitioner": practitioner}
            an_appointment(unit=clinic, **fields)
            kept.append(an_appointment(unit=clinic, **fields))
            an_appointment(unit=theatre, service="surgery", starts=start)
            an_appointment(unit=clinic, service="blood_sampling", starts=start)
        ruled = an_appointment(unit=theatre, service="surgery")
    in_force(last_day=at("2022-05-31 00:00").date())
    for appointment in kept:
        keeping.keep(appointment_id=appointment.pk, by=doctor)
    called_off = kept[0]
    type(called_off).objects.filter(pk=called_off.pk).update(status="cancelled")
    director = a_user("directeur", Role.MEDICAL_DIRECTOR)
    operations.rule(appointment_id=ruled.pk, by=director, outcome="maintained")


def tries_of_every_kind() -> None:
    """Make notices in every state, of this week and of long ago."""
    for site in (a_site("arlon"), a_site("virton")):
        for items in (LAST_WEEK, [("2022-05-16 09:10", "cancelled")]):
            place = {"site": site, "items": items}
            told = a_notice(state="told", settled_at=NOON, handed_over_at=NOON, **place)
            an_sms(told, state="delivered", finished_at=NOON)
            lost = a_notice(state="unreachable", settled_at=NOON, **place)
            an_sms(lost, state="failed", failure="barred", finished_at=NOON)
            an_sms(a_notice(handed_over_at=NOON, **place), state="unknown", gateway="essai")
            rang_in = a_notice(state="told", settled_at=NOON, handed_over_at=NOON, **place)
            an_sms(rang_in, state="unknown", gateway="essai")
            an_sms(a_notice(**place))
            a_call(a_notice(**place))


def tiles_of(page: str) -> dict[str, tuple[str, int]]:
    """Return the address and the number of each tile that is a link."""
    found = re.findall(r'<a href="([^"]*)"\s+id="tile-([a-z]+)">\s*(\d+)', page)
    return {name: (html.unescape(address), int(number)) for address, name, number in found}


def rows_behind(client: Client, address: str) -> int:
    """Return how many rows a list has, over all its pages."""
    rows, cursor = 0, ""
    while True:
        page = client.get(address, {}, QUERY_STRING=address.partition("?")[2] + cursor)
        assert page.status_code == 200
        shown = page.context["page"]
        rows += len(shown.items)
        if not shown.next_cursor:
            return rows
        cursor = f"&cursor={shown.next_cursor}"


@pytest.mark.parametrize("where", [{}, {"site": "arlon"}])
def test_the_number_on_each_tile_is_the_number_of_rows_behind_it(where: dict[str, str]) -> None:
    a_house()
    tries_of_every_kind()
    RefusedRow.objects.create(
        feed=Feed.objects.all()[0], key="R9", line=9, why="essai", refused_at=SATURDAY_NOON
    )
    held = {kind: a_site(code) for kind, code in where.items()}
    client = signed_in(a_user("crise", Role.CRISIS_CELL, **held))

    tiles = tiles_of(client.get(reverse("board")).content.decode())

    expected = {"operations", "kept", "open", "calls", "unknown", "unreachable"}
    assert set(tiles) >= expected | {"told", "held", "sent"}
    tiles.pop("age")
    tiles.pop("doctors")  # its list has no pages: tests/appointments/doctors/test_waiting.py
    for name, (address, number) in tiles.items():
        assert number > 0, name
        assert rows_behind(client, address) == number, name


def test_a_day_beyond_those_ahead_is_shown_and_not_counted_in_the_tiles() -> None:
    an_appointment(
        starts="2022-07-01 09:00",
        outcome="maintained",
        outcome_basis="person",
        decision_version=1,
    )
    client = signed_in(a_user("crise", Role.CRISIS_CELL))
    shown = client.get(reverse("board"), {"day": "2022-07-01"}).context["board"]
    assert (shown.total.total, shown.consultations_kept) == (1, 0)


def test_who_may_not_open_a_list_reads_its_number_without_a_link() -> None:
    tries_of_every_kind()
    page = signed_in(a_user("d", Role.MEDICAL_DIRECTOR)).get(reverse("board")).content.decode()
    assert set(tiles_of(page)) == {"operations", "kept", "doctors"}
    assert re.search(r"Patients injoignables</dt>\s*<dd>\s*2\s*</dd>", page)


def test_the_age_of_the_data_names_its_feed_and_leads_to_the_imports() -> None:
    Feed.objects.create(name="dossier-patient", heard_at=at("2022-05-14 05:12"))
    address = reverse("imports")
    shown = {
        role: signed_in(a_user(role, role)).get(reverse("board")).content.decode()
        for role in (Role.CRISIS_CELL, Role.AUDITOR)
    }
    for page in shown.values():
        assert "source dossier-patient, sam 14/05 05:12" in page
    assert f'<a href="{address}" id="tile-age">6 h 48</a>' in shown[Role.CRISIS_CELL]
    assert "tile-age" not in shown[Role.AUDITOR]


def test_operations_of_all_days_are_listed_by_day_and_theatre() -> None:
    late = an_appointment(
        service="surgery",
        unit=a_unit("arlon-bloc", kind="operating_theatre"),
        starts="2022-05-18 08:00",
    )
    early = an_appointment(
        service="surgery", unit=a_unit("virton-bloc", site="virton", kind="operating_theatre")
    )
    in_force(first_day=MONDAY, last_day=at("2022-05-18 00:00").date())
    client = signed_in(a_user("directeur", Role.MEDICAL_DIRECTOR))
    page = client.get(reverse("operations"), {"show": "awaiting"})
    listed = [operation.appointment.pk for operation in page.context["operations"]]
    assert listed == [early.pk, late.pk]
    for words in ("Lundi 16 mai", "Mercredi 18 mai", "<strong>2</strong> opérations sans décision"):
        assert words in page.content.decode()


class TestWithNothingInForce:
    def page(self, *role: str) -> str:
        client = signed_in(a_user("cellule", *(role or (Role.CRISIS_CELL,))))
        return client.get(reverse("board")).content.decode().replace("&#x27;", "'")

    def test_over_an_empty_agenda_it_promises_nothing_and_says_what_to_do(self):
        page = self.page()
        assert "comme prévu à l'agenda" not in page
        assert "ne sait rien de l'agenda" in page
        assert reverse("import_new") in page
        assert reverse("bulletin_new") in page

    def test_with_appointments_the_next_step_is_a_bulletin(self):
        an_appointment()
        page = self.page()
        assert "les rendez-vous connus ont lieu comme prévu" in page
        assert 'id="next-draft"' in page
        assert 'id="next-load"' not in page

    def test_whoever_only_watches_is_offered_nothing_they_may_not_do(self):
        page = self.page(Role.AUDITOR)
        assert "next-steps" not in page
        assert 'id="sending-bar"' not in page


def test_the_pause_is_on_the_board_and_follows_its_refreshes():
    client = signed_in(a_user("cellule", Role.CRISIS_CELL))
    assert 'id="sending-bar" class="sending-bar"' in client.get(reverse("board")).content.decode()
    live = client.get(reverse("board_live")).content.decode()
    assert '<div id="sending-bar" hx-swap-oob="innerHTML">' in live
    assert "Tout mettre en pause" in live
