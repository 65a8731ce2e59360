"""The bulletin pages: who sees what, and what each of them does."""

import datetime as dt
import html

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from appointments.models import Appointment, Bulletin, BulletinState, Decision
from appointments.services import as_seen, bulletins
from appointments.services.bulletins import ClauseDraft
from notifications.models import Delivery, Notice
from staff.models import AuditEvent, Role
from tests.appointments.bulletin_pages import crisis, page, seen_on, signed_in, text_of, typed_on
from tests.appointments.bulletins import RELEASE, SATURDAY_NOON, THE_DAY, a_draft, in_force
from tests.appointments.bulletins import somebody_in_the_crisis_cell as somebody
from tests.builders import MONDAY, a_patient, a_site, a_unit, a_user, an_appointment

pytestmark = pytest.mark.django_db
FOR_ALL = set(Role)
CRISIS, AUDIT = Role.CRISIS_CELL, Role.AUDITOR


@pytest.fixture(autouse=True)
def saturday_noon():
    """Freeze the day of the bulletin."""
    with time_machine.travel(SATURDAY_NOON, tick=False):
        yield


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

        assert "Centres Covid, tous les sites : annulés ; prévenir les annulés par SMS" in text
        assert "Rédigé par crise1 : 6 clauses" in text
        assert "Approuvé par crise2" in text

    def test_a_clause_that_never_rules_is_pointed_out(self) -> None:
        first, second = (ClauseDraft(ruling, "nobody") for ruling in ("cancel", "maintain"))

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


def what_approving_writes() -> list[list[dict]]:
    """Return every row that approving could add or change."""
    models = (Bulletin, Appointment, Decision, Notice, Delivery, AuditEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


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


class TestApproving:
    def test_a_second_person_puts_it_in_force_and_comes_to_the_board(self) -> None:
        appointment, draft = an_appointment(), a_draft()
        client = crisis()

        response = client.post(
            reverse("bulletin_approve", args=[draft.pk]),
            typed_on(page(client, "bulletin_approve", draft.pk)),
        )

        assert response.status_code == 302
        assert response.url == reverse("board")
        draft.refresh_from_db()
        appointment.refresh_from_db()
        assert (draft.state, draft.approved_by.username) == ("in_force", "crise2")
        assert appointment.outcome == "cancelled"

    def test_a_second_click_changes_nothing(self) -> None:
        an_appointment()
        draft, client = a_draft(), crisis()
        data = typed_on(page(client, "bulletin_approve", draft.pk))
        address = reverse("bulletin_approve", args=[draft.pk])
        client.post(address, data)
        before = what_approving_writes()

        response = client.post(address, data)

        assert response.url == reverse("board")
        assert what_approving_writes() == before

    def test_who_drafted_it_sees_why_not_and_cannot(self) -> None:
        draft, drafter = a_draft(), crisis("crise1")
        shown = text_of(page(drafter, "bulletin_approve", draft.pk))

        response = drafter.post(
            reverse("bulletin_approve", args=[draft.pk]),
            typed_on(page(crisis(), "bulletin_approve", draft.pk)),
        )

        assert "un autre membre de la cellule de crise doit" in shown
        assert "Approuver et mettre en vigueur" not in shown
        assert response.status_code == 409
        assert "un autre membre de la cellule" in text_of(response)
        draft.refresh_from_db()
        assert draft.state == BulletinState.DRAFT

    def test_what_was_changed_since_it_was_shown_is_not_approved(self) -> None:
        draft, client = a_draft(), crisis()
        typed = typed_on(page(client, "bulletin_approve", draft.pk))
        bulletins.redraft(
            bulletin_id=draft.pk,
            by=somebody("crise3"),
            title=draft.title,
            first_day=MONDAY,
            last_day=MONDAY,
            release_at=RELEASE,
            clauses=[ClauseDraft("cancel", "both")],
        )

        response = client.post(reverse("bulletin_approve", args=[draft.pk]), typed)

        assert response.status_code == 409
        assert "crise3 a modifié ce bulletin entre-temps" in text_of(response)
        assert seen_on(response) != typed["seen"]
        draft.refresh_from_db()
        assert draft.state == BulletinState.DRAFT

    def test_the_page_says_how_many_patients_will_be_told(self) -> None:
        an_appointment()
        an_appointment(patient=a_patient(mobile=""))

        shown = page(crisis(), "bulletin_approve", a_draft().pk)

        assert 'Patients à prévenir : <strong class="number">2</strong>' in text_of(shown)
        assert typed_on(shown)["shown"] == "2"

    @pytest.mark.parametrize(
        ("told", "says"),
        [
            ("2", "Vous avez tapé 2"),
            ("", "Tapez le nombre de patients"),
            ("un", "Tapez un nombre entier"),
            ("-1", "supérieure ou égale à 0"),
        ],
    )
    def test_another_number_than_the_one_on_the_page_approves_nothing(
        self, told: str, says: str
    ) -> None:
        an_appointment()
        draft, client = a_draft(), crisis()
        typed = typed_on(page(client, "bulletin_approve", draft.pk)) | {"told": told}
        before = what_approving_writes()

        response = client.post(reverse("bulletin_approve", args=[draft.pk]), typed)

        assert response.status_code == 422
        assert says in html.unescape(text_of(response))
        assert what_approving_writes() == before

    def test_patients_who_came_since_are_shown_and_nothing_is_approved(self) -> None:
        an_appointment()
        draft, client = a_draft(), crisis()
        typed = typed_on(page(client, "bulletin_approve", draft.pk))
        an_appointment()
        before = what_approving_writes()

        response = client.post(reverse("bulletin_approve", args=[draft.pk]), typed)

        assert response.status_code == 409
        assert "2 patients seraient prévenus maintenant, et non 1" in text_of(response)
        assert typed_on(response)["shown"] == "2"
        assert what_approving_writes() == before

    def test_looking_at_the_page_approves_nothing(self) -> None:
        draft = a_draft()

        page(crisis(), "bulletin_approve", draft.pk)

        draft.refresh_from_db()
        assert draft.state == BulletinState.DRAFT


class TestWhatChanges:
    """The draft beside the bulletin in force, before anybody approves."""

    def shown(self, name: str, draft: Bulletin) -> str:
        return html.unescape(text_of(page(crisis(), name, draft.pk)))

    @pytest.mark.parametrize("name", ["bulletin_preview", "bulletin_approve"])
    def test_it_says_who_goes_from_what_to_what_and_which_clauses_differ(self, name: str) -> None:
        an_appointment()
        an_appointment()
        old = in_force()
        told = ClauseDraft("maintain", "both", services=("consultation",))
        draft = a_draft(told, *THE_DAY[1:])

        shown = self.shown(name, draft)

        assert "2 rendez-vous passent d'annulé à maintenu" in shown
        assert f"Lundi 16/05 : à la place du bulletin {old.pk}, Essai" in shown
        assert "S'ajoute :</strong> Consultations, tous les sites : maintenues" in shown
        assert "Disparaît :</strong> Consultations, tous les sites : annulées" in shown
        assert "Opérations, tous les sites : au cas par cas" not in changes_in(shown)
        assert f"Le bulletin {old.pk} ne règle alors plus aucun jour" in shown

    def test_it_says_which_days_the_old_bulletin_keeps(self) -> None:
        old = in_force(first_day=MONDAY, last_day=MONDAY + dt.timedelta(days=1))

        shown = self.shown("bulletin_preview", a_draft())

        assert f"Le bulletin {old.pk} continue de régler : mardi 17/05." in shown
        assert "Les clauses sont les mêmes." in shown

    def test_it_says_when_nothing_changes_or_nothing_ruled_before(self) -> None:
        shown = self.shown("bulletin_preview", a_draft())

        assert "Aucun rendez-vous ne change de décision." in shown
        assert "Lundi 16/05 : aucun bulletin ne règle ces jours jusqu'ici." in shown


def changes_in(shown: str) -> str:
    """Return what stands between the heading of the changes and the next panel."""
    return shown.partition('<h2 id="changes">')[2].partition("</section>")[0]


class TestWithdrawing:
    def test_it_needs_a_reason(self) -> None:
        ruling = in_force()
        address = reverse("bulletin_withdraw", args=[ruling.pk])

        assert crisis().post(address, {"reason": " "}).status_code == 200
        ruling.refresh_from_db()
        assert ruling.state == BulletinState.IN_FORCE

        assert "patients déjà prévenus seront rappelés" in text_of(crisis().get(address))

        response = crisis().post(address, {"reason": "Serveurs rétablis"})

        assert response.url == reverse("bulletin", args=[ruling.pk])
        ruling.refresh_from_db()
        assert (ruling.state, ruling.withdrawal_reason) == ("withdrawn", "Serveurs rétablis")
        assert "Serveurs rétablis" in text_of(page(crisis(), "bulletin", ruling.pk))

    def test_a_draft_cannot_be_withdrawn(self) -> None:
        draft = a_draft()

        crisis().post(reverse("bulletin_withdraw", args=[draft.pk]), {"reason": "erreur"})

        draft.refresh_from_db()
        assert draft.state == BulletinState.DRAFT


def test_the_wording_is_checked_in_the_service_too() -> None:
    draft = a_draft()

    with pytest.raises(as_seen.Refusal):
        as_seen.approve(bulletin_id=draft.pk, by=somebody("crise2"), seen="autre chose", told=0)
