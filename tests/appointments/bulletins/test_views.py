"""The bulletin pages: who sees what, and what each of them does."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from appointments.bulletins import services as bulletins
from appointments.models import Decision
from appointments.rules import ClauseTerms
from notifications.models import Notice
from staff.errors import Refusal
from staff.models import AuditEvent, Role
from tests.appointments.bulletins.builders import RELEASE, THE_DAY, a_draft, in_force
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_patient, a_site, a_unit, a_user, an_appointment
from tests.pages import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
FOR_ALL = set(Role)
CRISIS, AUDIT = Role.CRISIS_CELL, Role.AUDITOR


class TestWhoSeesWhat:
    @pytest.mark.parametrize("role", Role.values)
    @pytest.mark.parametrize(
        ("name", "state", "roles", "refused_with"),
        [
            ("bulletins", None, FOR_ALL, 403),
            ("bulletin", "in_force", FOR_ALL, 403),
            ("bulletin", "draft", {CRISIS, AUDIT}, 404),
            ("bulletin_new", None, {CRISIS}, 403),
            ("bulletin_edit", "draft", {CRISIS}, 403),
            ("bulletin_preview", "draft", {CRISIS, AUDIT}, 403),
            ("bulletin_preview", "in_force", {CRISIS, AUDIT}, 403),
            ("bulletin_approve", "draft", {CRISIS}, 403),
            ("bulletin_withdraw", "in_force", {CRISIS}, 403),
        ],
    )
    def test_each_role_reads_its_pages_and_no_other(
        self, role: str, name: str, state: str | None, roles: set[str], refused_with: int
    ) -> None:
        bulletin = {"draft": a_draft, "in_force": in_force}[state]() if state else None
        client = signed_in(a_user("quelqu'un", role))

        response = page(client, name, *([bulletin.pk] if bulletin else []))

        assert response.status_code == (200 if role in roles else refused_with)

    @pytest.mark.parametrize(
        ("name", "status"),
        [
            ("bulletin", 404),
            ("bulletin_new", 403),
            ("bulletin_edit", 403),
            ("bulletin_preview", 404),
            ("bulletin_approve", 403),
            ("bulletin_withdraw", 403),
        ],
    )
    @pytest.mark.parametrize("scope", ["site", "unit"])
    def test_a_crisis_cell_of_one_place_orders_nothing_for_the_group(
        self, scope: str, name: str, status: int
    ) -> None:
        place = a_site() if scope == "site" else a_unit()
        local = signed_in(a_user("locale", CRISIS, **{scope: place}))
        args = [] if name == "bulletin_new" else [a_draft().pk]

        assert page(local, name, *args).status_code == status
        assert local.post(reverse(name, args=args)).status_code in {403, 405}

    def test_somebody_without_a_role_reads_nothing(self) -> None:
        client = signed_in(a_user("personne"))

        assert page(client, "bulletins").status_code == 403
        assert page(client, "bulletin", in_force().pk).status_code == 403

    def test_nobody_reads_anything_before_signing_in(self) -> None:
        response = page(Client(), "bulletins")

        assert response.status_code == 302
        assert response.url.startswith(reverse("account_login"))

    def test_drafts_are_not_listed_for_those_who_may_not_read_them(self) -> None:
        draft, ruling = a_draft(), in_force()
        address = {
            bulletin: reverse("bulletin", args=[bulletin.pk]) for bulletin in (draft, ruling)
        }

        for_doctor = text_of(page(signed_in(a_user("docteur", "doctor")), "bulletins"))
        for_auditor = text_of(page(signed_in(a_user("auditeur", "auditor")), "bulletins"))

        assert address[ruling] in for_doctor
        assert address[draft] not in for_doctor
        assert address[draft] in for_auditor


class TestReading:
    def test_a_bulletin_is_read_as_sentences_with_what_was_done(self) -> None:
        a_site()
        text = text_of(page(crisis(), "bulletin", in_force().pk))

        assert (
            "Radiologie, médecine nucléaire et centres Covid, tous les sites : annulés ; "
            "prévenir les annulés par SMS"
        ) in text
        assert "Rédigé par crise1 : 6 points" in text
        assert "Approuvé par crise2" in text

    def test_a_clause_that_never_rules_is_pointed_out(self) -> None:
        first, second = (ClauseTerms(ruling, "nobody") for ruling in ("cancel", "maintain"))

        text = text_of(page(crisis(), "bulletin", a_draft(first, second).pk))

        assert text.count("ne s'appliquera jamais") == 1

    def test_the_list_costs_the_same_however_long(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client, counts = crisis(), []
        for _more in range(2):
            in_force()
            for _draft in range(3):
                a_draft()
            with django_assert_num_queries(100, exact=False) as queries:
                page(client, "bulletins")
            counts.append(len(queries))

        assert counts[0] == counts[1]

    @pytest.mark.parametrize("name", ["bulletin", "bulletin_preview", "bulletin_edit"])
    def test_a_page_costs_the_same_however_many_clauses_and_patients(
        self, name: str, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client, counts = crisis(), []
        an_appointment()
        page(client, name, a_draft().pk)  # the texts of SMS are remembered from page to page
        for clauses in (THE_DAY[:2], THE_DAY + THE_DAY):
            for _patient in range(3):
                an_appointment(unit=a_unit(f"u{_patient}", site=f"s{len(clauses)}"))
            draft = a_draft(*clauses)
            with django_assert_num_queries(100, exact=False) as queries:
                page(client, name, draft.pk)
            counts.append(len(queries))

        assert counts[0] == counts[1]


class TestPreviewing:
    def test_it_counts_and_changes_nothing(self) -> None:
        an_appointment()
        an_appointment(patient=a_patient(mobile="", landline="+3263000001"))
        an_appointment(patient=a_patient(mobile=""))
        an_appointment(service="dialysis")

        text = " ".join(text_of(page(crisis(), "bulletin_preview", a_draft().pk)).split())

        assert "<dt>Patients prévenus par SMS</dt> <dd> 1" in text
        assert "4 rendez-vous, dont 3 changent" in text
        assert not Decision.objects.exists()
        assert not Notice.objects.exists()

    @pytest.mark.parametrize(
        ("asked", "shown"), [("", "16"), ("2022-05-17", "17"), ("2022-05-18", "16"), ("x", "16")]
    )
    def test_one_day_is_shown_by_site_and_the_others_are_a_link_away(
        self, asked: str, shown: str
    ) -> None:
        an_appointment(starts="2022-05-16 09:00")
        an_appointment(starts="2022-05-17 09:00")
        draft = a_draft(last_day=MONDAY + dt.timedelta(days=1))

        response = crisis().get(
            reverse("bulletin_preview", args=[draft.pk]), {"day": asked} if asked else {}
        )

        other = {"16": "17", "17": "16"}[shown]
        assert text_of(response).count("<caption") == 1  # the tables of what changes have none
        assert f"?day=2022-05-{other}#" in text_of(response)
        assert f"?day=2022-05-{shown}#" not in text_of(response)

    def test_days_without_appointments_say_what_to_do(self) -> None:
        assert "Chargez d'abord un agenda" in text_of(
            page(crisis(), "bulletin_preview", a_draft().pk)
        )


class TestHistory:
    def test_a_change_says_which_clauses_came_and_went(self) -> None:
        draft = a_draft(*THE_DAY[:2])
        bulletins.redraft(
            bulletin_id=draft.pk,
            by=somebody("crise3"),
            title=draft.title,
            first_day=MONDAY,
            last_day=MONDAY,
            release_at=RELEASE,
            clauses=[THE_DAY[0], THE_DAY[3]],
        )

        event = AuditEvent.objects.latest("sequence")
        shown = text_of(page(crisis(), "bulletin", draft.pk))

        added, dropped = event.detail["added"], event.detail["dropped"]
        assert added == ["Prises de sang, tous les sites : maintenues ; ne prévenir personne"]
        assert [sentence.partition(" ;")[0] for sentence in dropped] == [
            "Opérations, tous les sites : au cas par cas"
        ]
        assert "<strong>Disparaît :</strong> Opérations, tous les sites" in shown


def test_the_wording_is_checked_in_the_service_too() -> None:
    draft = a_draft()

    with pytest.raises(Refusal):
        bulletins.approve(bulletin_id=draft.pk, by=somebody("crise2"), seen="autre chose", told=0)
