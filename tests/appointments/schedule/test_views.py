"""The schedule: filters in the address, one search box, pages of the same cost."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment
from patients import queries as patient_queries
from patients.models import PatientIdentifier
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.builders import a_patient, a_practitioner, a_unit, a_user, an_appointment, at
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client() -> Client:
    return signed_in(a_user("agent", "call_agent"))


def listed(client: Client, **asked: str) -> list[Appointment]:
    return client.get(reverse("schedule"), asked).context["page"].items


class TestFilters:
    def test_without_a_filter_what_is_to_come_is_listed_in_order(self, client):
        later = an_appointment(starts="2022-05-17 08:00")
        sooner = an_appointment(starts="2022-05-14 08:00")
        an_appointment(starts="2022-05-13 23:59")
        assert listed(client) == [sooner, later]

    def test_a_day_that_is_past_can_be_asked_for(self, client):
        past = an_appointment(starts="2022-05-13 23:59")
        an_appointment()
        assert listed(client, day="2022-05-13") == [past]

    def test_a_day_begins_and_ends_at_midnight_in_brussels(self, client):
        made = [
            an_appointment(starts=f"2022-05-{moment}")
            for moment in ("15 23:59", "16 00:00", "16 23:59", "17 00:00")
        ]
        assert listed(client, day="2022-05-16") == made[1:3]

    @pytest.mark.parametrize(
        ("asked", "wanted", "other"),
        [
            ({"service": "surgery"}, {"service": "surgery"}, {"service": "radiology"}),
            ({"status": "arrived"}, {"status": "arrived"}, {"status": "booked"}),
            (
                {"group": "oncology"},
                {"protected_groups": "diabetes oncology"},
                {"protected_groups": "diabetes"},
            ),
            ({"missing": "on"}, {"missing_since": SATURDAY_NOON}, {}),
            (
                {"moved": "on"},
                {"moved_at": SATURDAY_NOON, "moved_from": SATURDAY_NOON},
                {},
            ),
            (
                {"outcome": "cancelled"},
                {"outcome": "cancelled", "outcome_basis": "clause", "decision_version": 1},
                {"outcome": "maintained", "outcome_basis": "clause", "decision_version": 1},
            ),
            (
                {"outcome": "none"},
                {},
                {"outcome": "maintained", "outcome_basis": "clause", "decision_version": 1},
            ),
        ],
    )
    def test_the_list_is_narrowed_to_what_is_asked(self, client, asked, wanted, other):
        found = an_appointment(**wanted)
        an_appointment(**other)
        assert listed(client, **asked) == [found]

    def test_a_search_that_means_too_many_says_so_and_a_day_finds_them_all(
        self, client, monkeypatch
    ):
        monkeypatch.setattr(patient_queries, "MOST_MEANT", 2)
        for _ in range(3):
            an_appointment(patient=a_patient(family_name="Dupont"))
        answer = client.get(reverse("schedule"), {"q": "dupont"})
        assert len(answer.context["page"].items) == 2
        assert "Ajoutez un prénom" in answer.content.decode()
        answer = client.get(reverse("schedule"), {"q": "dupont", "day": "2022-05-16"})
        assert len(answer.context["page"].items) == 3
        assert "Ajoutez un prénom" not in answer.content.decode()

    def test_a_patient_of_the_past_is_found_in_a_unit_and_with_a_doctor(self, client):
        patient, doctor = a_patient(family_name="Zola"), a_practitioner("dr-x")
        past = an_appointment(patient=patient, practitioner=doctor, starts="2022-05-02 09:00")
        an_appointment(patient=patient, unit=a_unit("virton-ortho", site="virton"))
        assert listed(client, q="zola", unit="arlon-cardio") == [past]
        assert listed(client, q="zola", practitioner="dr-x") == [past]
        assert listed(client, unit="arlon-cardio") == []

    def test_until_a_day_counts_the_whole_of_it(self, client):
        made = [an_appointment(starts=f"2022-05-{moment}") for moment in ("16 23:59", "17 00:00")]
        assert listed(client, until="2022-05-16") == made[:1]

    def test_a_decision_is_found_on_the_last_day_that_a_bulletin_rules(self, client):
        in_force(last_day=dt.date(2022, 5, 20))
        decided = {"outcome": "cancelled", "outcome_basis": "clause", "decision_version": 1}
        last = an_appointment(starts="2022-05-20 23:00", **decided)
        assert listed(client, outcome="cancelled") == [last]
        assert listed(client, basis="clause") == [last]
        lapsed = {"outcome": "maintained", "outcome_basis": "lapse", "decision_version": 1}
        moved_away = an_appointment(starts="2022-06-20 09:00", **lapsed)
        assert listed(client, outcome="maintained") == [moved_away]
        assert listed(client, basis="lapse") == [moved_away]

    def test_sites_units_and_practitioners_go_by_their_codes(self, client):
        unit = a_unit("virton-ortho", site="virton")
        found = an_appointment(unit=unit, practitioner=a_practitioner("dr-9"))
        an_appointment()
        assert listed(client, site="virton") == [found]
        assert listed(client, unit="virton-ortho") == [found]
        assert listed(client, practitioner="dr-9") == [found]

    def test_filters_hold_together_as_the_board_links_them(self, client):
        unit = a_unit("virton-bloc", site="virton")
        found = an_appointment(unit=unit, service="surgery")
        an_appointment(unit=unit)
        an_appointment(service="surgery")
        asked = {"day": "2022-05-16", "site": "virton", "service": "surgery", "outcome": "none"}
        assert listed(client, **asked) == [found]

    @pytest.mark.parametrize(
        "asked",
        [
            {"day": "2022-13-40"},
            {"day": "9999-12-31"},
            {"day": "0001-01-01"},
            {"site": "nowhere"},
            {"outcome": "perhaps"},
        ],
    )
    def test_a_filter_that_makes_no_sense_lists_nothing_and_says_so(self, client, asked):
        an_appointment()
        answer = client.get(reverse("schedule"), asked)
        assert answer.context["page"].items == []
        assert "n'est pas de votre ressort" in answer.content.decode()


class TestSearch:
    @pytest.mark.parametrize(
        "typed",
        [
            "d'hôte zoé",
            "zoe dhote",
            "01/02/1960",
            "010260",
            "0495/12.34.56",
            "60.02.01-123.45",
            "dx-77",
        ],
    )
    def test_one_box_finds_a_patient_on_any_day(self, client, typed):
        patient = a_patient(
            family_name="Dhôte" if "dhote" in typed else "D'Hôte",
            given_name="Zoé",
            birth_date=dt.date(1960, 2, 1),
            mobile="+32495123456",
            national_number="60020112345",
        )
        PatientIdentifier.objects.create(patient=patient, system="essai", value="DX-77")
        found = an_appointment(patient=patient, starts="2022-05-02 10:00")
        an_appointment(patient=a_patient(birth_date=dt.date(1961, 2, 1)))
        assert listed(client, q=typed) == [found]

    def test_a_sign_that_means_nothing_is_no_search(self, client):
        found = an_appointment()
        assert listed(client, q="'") == [found]

    def test_nobody_found_says_what_to_do(self, client):
        page = client.get(reverse("schedule"), {"q": "personne"}).content.decode()
        assert "Aucun rendez-vous ne correspond" in page


class TestPages:
    def test_every_appointment_stands_on_one_page(self, client, monkeypatch):
        monkeypatch.setattr("appointments.schedule.views.PAGE_SIZE", 4)
        made = [an_appointment() for _ in range(9)]
        seen, cursor = [], "first"
        while cursor:
            asked = {"day": "2022-05-16", "cursor": cursor}
            page = client.get(reverse("schedule"), asked).context["page"]
            seen += page.items
            cursor = page.next_cursor
        assert seen == made

    def test_what_is_counted_is_said_when_a_day_or_a_patient_bounds_it(self, client):
        an_appointment()
        assert client.get(reverse("schedule")).context["counted"] is None
        day = client.get(reverse("schedule"), {"day": "2022-05-16"})
        assert (day.context["counted"].number, day.context["counted"].is_more) == (1, False)

    def test_counting_stops_where_it_would_cost(self, client, monkeypatch):
        monkeypatch.setattr("appointments.access.COUNTED_AT_MOST", 2)
        for _ in range(4):
            an_appointment()
        page = client.get(reverse("schedule"), {"day": "2022-05-16"})
        assert "plus de 2 rendez-vous" in page.content.decode()

    @pytest.mark.parametrize("asked", [{}, {"day": "2022-05-16", "q": "essai", "site": "arlon"}])
    def test_the_number_of_queries_does_not_grow_with_the_rows(
        self, client, asked, django_assert_num_queries
    ):
        client.get(reverse("schedule"), asked)  # begins the trail
        queries = []
        for rows in (1, 12):
            for number in range(rows):
                an_appointment(practitioner=a_practitioner(f"dr-{number}"))
            with django_assert_num_queries(20, exact=False) as counted:
                client.get(reverse("schedule"), asked)
            queries.append(len(counted))
        assert queries[0] == queries[1]


class TestWhoSawWhat:
    def test_the_trail_names_whose_names_were_listed(self, client):
        listed = an_appointment()
        an_appointment(starts="2022-05-17 09:10")
        client.get(reverse("schedule"), {"day": "2022-05-16"})
        seen = AuditEvent.objects.get(action="schedule.viewed")
        assert (seen.actor.username, seen.detail["appointments"]) == ("agent", [listed.pk])


class TestLive:
    def test_htmx_gets_the_list_alone_and_an_address_without_empty_filters(self, client):
        found = an_appointment()
        asked = {"q": "", "day": "2022-05-16", "site": "", "cursor": ""}
        answer = client.get(reverse("schedule"), asked, headers=HTMX)
        page = answer.content.decode()
        assert "<html" not in page
        assert str(found.patient) in page
        assert answer["HX-Push-Url"] == "/schedule/?day=2022-05-16"
        assert "HX-Request" in answer["Vary"]

    def test_going_back_gets_the_whole_page(self, client):
        headers = HTMX | {"HX-History-Restore-Request": "true"}
        assert "<html" in client.get(reverse("schedule"), headers=headers).content.decode()

    def test_filters_in_use_are_shown_and_kept(self, client):
        page = client.get(reverse("schedule"), {"service": "surgery"}).content.decode()
        assert "<details open>" in page
        assert 'value="surgery" selected' in page

    def test_each_row_says_day_hour_patient_and_decision(self, client):
        made = an_appointment(starts="2022-05-16 09:10", act="Contrôle", priority="urgent")
        page = client.get(reverse("schedule")).content.decode()
        for words in (
            str(made.patient),
            "lun 16/05",
            "09:10",
            "Contrôle",
            "urgente",
            "Sans décision",
        ):
            assert words in page
        assert at("2022-05-16 09:10").isoformat() in page
