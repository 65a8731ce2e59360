"""A second person approves what was previewed, and a bulletin is withdrawn."""

import datetime as dt
import html

import pytest
from django.urls import reverse
from django.utils import translation

from appointments.bulletins import services as bulletins
from appointments.bulletins import withdrawals
from appointments.models import Appointment, Bulletin, BulletinState, Decision
from appointments.rules import ClauseTerms
from notifications.models import Delivery, Notice
from staff.errors import Refusal
from staff.models import AccountChange, AuditEvent, User
from staff.sign_in import tries
from staff.trail_words import facts_of
from tests.appointments.bulletins.builders import RELEASE, THE_DAY, a_draft, in_force
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.appointments.bulletins.pages import crisis, page, text_of, typed_on
from tests.builders import MONDAY, a_patient, a_user, an_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def what_approving_writes() -> list[list[dict]]:
    """Return every row that approving could add or change."""
    models = (Bulletin, Appointment, Decision, Notice, Delivery, AuditEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


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

    def test_whoever_comes_second_reads_who_approved_it(self) -> None:
        draft, first, second = a_draft(), crisis(), crisis("crise3")
        data = typed_on(page(second, "bulletin_approve", draft.pk))
        address = reverse("bulletin_approve", args=[draft.pk])
        first.post(address, data)
        before = what_approving_writes()

        response = second.post(address, data)

        assert response.status_code == 409
        assert "crise2 a approuvé ce bulletin entre-temps" in text_of(response)
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
            clauses=[ClauseTerms("cancel", "both")],
        )

        response = client.post(reverse("bulletin_approve", args=[draft.pk]), typed)

        assert response.status_code == 409
        assert "crise3 a modifié ce bulletin entre-temps" in text_of(response)
        assert "n'est pas encore prêt" in text_of(response)
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
        told = ClauseTerms("maintain", "both", services=("consultation",))
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
        assert "Ce qui est ordonné reste le même." in shown

    def test_it_says_when_nothing_changes_or_nothing_ruled_before(self) -> None:
        shown = self.shown("bulletin_preview", a_draft())

        assert "Aucun rendez-vous ne change de décision." in shown
        assert "Jusqu'ici, aucun bulletin ne règle : lundi 16/05." in shown


def changes_in(shown: str) -> str:
    """Return what stands between the heading of the changes and the next panel."""
    return shown.partition('<h2 id="changes">')[2].partition("</section>")[0]


class TestWithdrawing:
    def test_it_needs_a_reason(self) -> None:
        ruling = in_force()
        address = reverse("bulletin_withdraw", args=[ruling.pk])

        assert crisis().post(address, {"reason": " "}).status_code == 422
        ruling.refresh_from_db()
        assert (ruling.state, ruling.withdrawal_asked_at) == (BulletinState.IN_FORCE, None)

    def test_a_draft_cannot_be_withdrawn(self) -> None:
        draft = a_draft()

        crisis().post(reverse("bulletin_withdraw", args=[draft.pk]), {"reason": "erreur"})

        draft.refresh_from_db()
        assert draft.state == BulletinState.DRAFT


class TestTwoPersons:
    """Two accounts are not always two persons (staff/two_persons.py)."""

    MADE_BY_ONE = {
        "fr": "Les comptes de crise1 et crise2 ont été créés par la même personne, ada.",
        "nl": "De accounts van crise1 en crise2 zijn door dezelfde persoon aangemaakt, ada.",
        "de": "Die Konten von crise1 und crise2 wurden von derselben Person angelegt, ada.",
        "en": "The accounts of crise1 and crise2 were made by the same person, ada.",
    }

    def test_whoever_made_the_drafters_account_today_approves_nothing_and_reads_why(self) -> None:
        draft, second = a_draft(), somebody("crise2")
        AccountChange.note(account=draft.drafted_by, what=AccountChange.What.MADE, by=second)
        client = crisis()
        text = text_of(page(client, "bulletin_approve", draft.pk))
        assert "crise2 a créé ou modifié le compte de crise1 il y a moins de 24 heures" in text
        assert "Approuver et mettre en vigueur" not in text
        with pytest.raises(Refusal, match="ne comptent pas pour deux personnes"):
            bulletins.approve(bulletin_id=draft.pk, by=second)
        draft.refresh_from_db()
        assert draft.state == "draft"

    def test_the_other_way_round_is_refused_alike(self) -> None:
        draft, second = a_draft(), somebody("crise2")
        AccountChange.note(account=second, what=AccountChange.What.ROLE, by=draft.drafted_by)
        with pytest.raises(Refusal, match="crise1 a créé ou modifié le compte de crise2"):
            bulletins.approve(bulletin_id=draft.pk, by=second)

    def test_two_accounts_of_one_administrator_choose_their_own_passwords_first(
        self, saturday_noon
    ) -> None:
        draft, second, ada = a_draft(), somebody("crise2"), a_user("ada")
        for account in (draft.drafted_by, second):
            AccountChange.note(account=account, what=AccountChange.What.MADE, by=ada)
        with pytest.raises(Refusal, match=r"un mot de passe à eux .*: crise1 et crise2\."):
            bulletins.approve(bulletin_id=draft.pk, by=second)
        saturday_noon.shift(60)
        for account in (draft.drafted_by, second):
            AccountChange.note(account=account, what=AccountChange.What.PASSWORD, by=account)

        with translation.override("nl"):
            approved = bulletins.approve(bulletin_id=draft.pk, by=second)

        event = AuditEvent.objects.get(action="bulletin.approved")
        client = crisis()
        for language, said in self.MADE_BY_ONE.items():
            User.objects.update(language=language)
            assert said in text_of(page(client, "bulletin", draft.pk))
            assert said in text_of(page(client, "board"))
            with translation.override(language):
                assert str(approved.approval_remark) == said
                assert said in dict(facts_of(event)).values()

    def test_unlocking_a_colleague_is_no_change(self) -> None:
        draft, second = a_draft(), somebody("crise2")
        tries.unlock(user=draft.drafted_by, by=second)
        assert bulletins.approve(bulletin_id=draft.pk, by=second).state == "in_force"

    def test_withdrawing_asks_for_two_persons_too(self) -> None:
        bulletin, asker, other = in_force(), somebody("crise1"), somebody("crise3")
        withdrawals.ask_withdrawal(bulletin_id=bulletin.pk, by=asker, reason="Réseau revenu")
        AccountChange.note(account=other, what=AccountChange.What.MADE, by=asker)
        with pytest.raises(Refusal, match="ne comptent pas pour deux personnes"):
            withdrawals.withdraw(bulletin_id=bulletin.pk, by=other)
