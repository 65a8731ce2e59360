"""A draft is approved only once its author calls it ready, and it can be deleted."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from appointments.bulletins import services as bulletins
from appointments.models import Bulletin, Clause
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import RELEASE, THE_DAY, a_draft, in_force
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.appointments.bulletins.pages import crisis, page, text_of, typed_on
from tests.builders import MONDAY, a_user, an_appointment
from tests.pages import fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


def unfinished() -> Bulletin:
    draft = a_draft()
    return bulletins.take_back(bulletin_id=draft.pk, by=draft.drafted_by)


def redrafted(draft: Bulletin, by: str) -> Bulletin:
    return bulletins.redraft(
        bulletin_id=draft.pk,
        by=somebody(by),
        title=draft.title,
        first_day=MONDAY,
        last_day=MONDAY,
        release_at=RELEASE,
        clauses=THE_DAY,
    )


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))


class TestReady:
    def test_its_author_says_so_and_it_can_be_approved(self) -> None:
        draft = unfinished()
        second = somebody("crise2")
        with pytest.raises(Refusal, match="n'est pas encore prêt : crise1"):
            bulletins.approve(bulletin_id=draft.pk, by=second)
        bulletins.ready(bulletin_id=draft.pk, by=draft.drafted_by)
        assert bulletins.approve(bulletin_id=draft.pk, by=second).state == "in_force"

    def test_nobody_else_says_so(self) -> None:
        draft = unfinished()
        nurse = a_user("n", "nurse")
        for change in (bulletins.ready, bulletins.take_back):
            with pytest.raises(Refusal, match="Seule la personne qui a rédigé"):
                change(bulletin_id=draft.pk, by=somebody("crise2"))
            with pytest.raises(AccessRefused):
                change(bulletin_id=draft.pk, by=nurse)

    def test_saying_it_twice_is_saying_it_once(self) -> None:
        draft = a_draft()
        before = actions()
        bulletins.ready(bulletin_id=draft.pk, by=draft.drafted_by)
        assert actions() == before
        assert before[-1] == "bulletin.ready"
        bulletins.take_back(bulletin_id=draft.pk, by=draft.drafted_by)
        bulletins.take_back(bulletin_id=draft.pk, by=draft.drafted_by)
        assert actions() == [*before, "bulletin.not_ready"]

    @pytest.mark.parametrize("editor", ["crise1", "crise3"])
    def test_whoever_edits_it_has_to_say_so_anew(self, editor: str) -> None:
        draft = redrafted(a_draft(), editor)
        assert (draft.ready_by, draft.ready_at) == (None, None)
        with pytest.raises(Refusal, match=f"{editor}, qui l'a rédigé, doit le dire"):
            bulletins.approve(bulletin_id=draft.pk, by=somebody("crise2"))

    def test_what_is_in_force_is_neither_ready_nor_taken_back(self) -> None:
        bulletin = in_force()
        assert not bulletin.is_ready
        for change in (bulletins.ready, bulletins.take_back, bulletins.delete):
            with pytest.raises(Refusal, match="n'est plus un brouillon"):
                change(bulletin_id=bulletin.pk, by=bulletin.drafted_by)

    @pytest.mark.parametrize(
        "change",
        [
            {"ready_at": None},
            {"ready_by": None},
            {"ready_by": None, "ready_at": None},
        ],
    )
    def test_the_database_keeps_it(self, change: dict) -> None:
        bulletin = in_force()
        with pytest.raises(IntegrityError), transaction.atomic():
            Bulletin.objects.filter(pk=bulletin.pk).update(**change)
        with pytest.raises(IntegrityError), transaction.atomic():
            Bulletin.objects.filter(pk=a_draft().pk).update(ready_by=somebody("crise2"))

    def test_the_pages_offer_it_to_the_author_and_approval_to_another(self) -> None:
        draft = unfinished()
        author, second = crisis("crise1"), crisis("crise2")
        for name in ("bulletin", "bulletin_preview"):
            assert "Prêt pour l'approbation" in text_of(page(author, name, draft.pk))
            shown = text_of(page(second, name, draft.pk))
            assert "Prêt pour l'approbation" not in shown
            assert "Approuver…" not in shown
        assert "n'est pas encore prêt" in text_of(page(second, "bulletin_approve", draft.pk))
        assert "pas encore prêt" in text_of(page(second, "board"))

        author.post(reverse("bulletin_ready", args=[draft.pk]))
        shown = text_of(page(second, "bulletin", draft.pk))
        assert "prêt pour l'approbation" in shown
        assert "Approuver…" in shown
        assert "attend une seconde personne" in text_of(page(second, "board"))

        author.post(reverse("bulletin_ready", args=[draft.pk]), {"not_yet": "1"})
        shown = text_of(page(second, "bulletin", draft.pk))
        assert "Approuver…" not in shown
        assert "Repris par crise1 : pas encore prêt" in shown


class TestDeleting:
    def test_a_draft_goes_and_the_trail_keeps_what_it_was(self) -> None:
        draft = a_draft()
        client = crisis()
        assert "ne revient pas" in text_of(page(client, "bulletin_delete", draft.pk))
        assert Bulletin.objects.exists()
        answer = client.post(reverse("bulletin_delete", args=[draft.pk]), follow=True)
        assert f"Le brouillon {draft.pk} est supprimé" in text_of(answer)
        assert not Bulletin.objects.exists()
        assert not Clause.objects.exists()
        event = AuditEvent.objects.latest("sequence")
        assert (event.action, event.object_id) == ("bulletin.deleted", str(draft.pk))
        assert event.detail["title"] == "Essai"
        assert event.detail["dropped"][0].startswith("Consultations, tous les sites : annulées")

    def test_a_number_is_never_given_again(self) -> None:
        draft = a_draft()
        bulletins.delete(bulletin_id=draft.pk, by=draft.drafted_by)
        assert a_draft().pk > draft.pk

    def test_whoever_approves_or_edits_it_meanwhile_is_told(self) -> None:
        an_appointment()
        draft = a_draft()
        second, author = crisis("crise2"), crisis("crise1")
        typed = typed_on(page(second, "bulletin_approve", draft.pk))
        fields = fields_of(text_of(page(author, "bulletin_edit", draft.pk)), having="title")
        bulletins.delete(bulletin_id=draft.pk, by=somebody("crise3"))

        approved = second.post(reverse("bulletin_approve", args=[draft.pk]), typed)
        assert approved.status_code == 404
        edited = author.post(reverse("bulletin_edit", args=[draft.pk]), fields)
        assert edited.status_code == 422
        assert "a été supprimé entre-temps" in text_of(edited)
        again = fields_of(text_of(edited), having="title")
        assert author.post(reverse("bulletin_new"), again).status_code == 302
        assert Bulletin.objects.get().title == "Essai"

    def test_it_takes_somebody_who_drafts(self) -> None:
        with pytest.raises(AccessRefused):
            bulletins.delete(bulletin_id=a_draft().pk, by=a_user("n", "nurse"))
