"""An early release says whom it tells and who has not looked; then every page says when it left."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from appointments.bulletins import services as bulletins
from appointments.bulletins.preview import preview
from appointments.decisions import rulings
from appointments.models import Bulletin
from notifications.models import Delivery
from notifications.sending import switch as sending
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON, THE_DAY, a_draft, in_force
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.appointments.bulletins.pages import crisis, page, text_of, typed_on
from tests.builders import a_patient, a_practitioner, a_site, a_user, an_appointment, at

pytestmark = pytest.mark.django_db
EARLY = at("2022-05-14 14:30")


class TestRelease:
    def test_the_page_names_number_hour_and_doctors_who_have_not_looked(self, saturday_noon):
        doctor = a_practitioner()
        for _ in range(2):
            an_appointment(practitioner=doctor)
        an_appointment(patient=a_patient(mobile="", landline="+3263111111"), practitioner=None)
        in_force()
        shown = text_of(page(crisis(), "sending_release"))
        assert "<strong>2</strong> SMS partent tout de suite" in shown
        assert "<strong>1</strong> patient est à appeler tout de suite" in shown
        assert "prévu dimanche 15 mai à 18:00" in shown
        assert "<strong>1</strong> médecin n'a pas encore regardé" in shown
        assert "2 patients" in shown
        assert Delivery.objects.filter(state="held").count() == 2

    def test_then_every_page_says_when_it_really_left(self, saturday_noon):
        an_appointment()
        bulletin = in_force()
        saturday_noon.move_to(EARLY)
        client = crisis()
        answer = client.post(reverse("sending_release"), {"from": "telling"})
        assert answer.url == reverse("telling")
        bulletin.refresh_from_db()
        assert (bulletin.released_by, bulletin.released_at) == (somebody("crise2"), EARLY)
        for name, args in (("bulletin", [bulletin.pk]), ("bulletins", [])):
            shown = text_of(page(client, name, *args))
            assert "SMS partis dès le samedi 14 mai à 14:30, au lieu du dimanche 15 mai" in shown
        shown = text_of(page(client, "bulletin", bulletin.pk))
        assert "Envoyé avant l'heure par crise2 : SMS 1, appels 0" in shown
        board = text_of(page(client, "board"))
        assert "SMS partis avant l'heure, samedi 14 mai à 14:30" in board
        assert "SMS retenus jusqu'au" not in board
        assert "ses SMS ne sont plus retenus" not in board

    def test_what_is_cancelled_after_it_leaves_at_once_too(self, saturday_noon):
        an_appointment()
        bulletin = in_force()
        saturday_noon.move_to(EARLY)
        bulletins.release_now(by=somebody("crise2"))
        saturday_noon.move_to(at("2022-05-14 15:00"))
        later = an_appointment()
        rulings.rule_on(appointment_ids=[later.pk])
        sms = Delivery.objects.get(notice__patient=later.patient)
        assert sms.not_before <= at("2022-05-14 15:00")
        assert Bulletin.objects.get().leaves_at == EARLY
        assert bulletin.release_at == RELEASE

    def test_a_bulletin_whose_hour_has_come_is_not_marked(self, saturday_noon):
        an_appointment()
        bulletin = in_force()
        saturday_noon.move_to(at("2022-05-15 18:00"))
        bulletins.release_now(by=somebody("crise2"))
        bulletin.refresh_from_db()
        assert bulletin.released_at is None

    def test_nothing_to_release_changes_nothing(self, saturday_noon):
        in_force()
        with pytest.raises(Refusal, match="Rien n'attend son heure"):
            bulletins.release_now(by=somebody("crise2"))
        assert Bulletin.objects.get().released_at is None
        assert "Rien n'attend son heure" in text_of(page(crisis(), "sending_release"))
        with pytest.raises(AccessRefused):
            bulletins.release_now(by=a_user("n", "nurse"))

    def test_the_database_keeps_the_pair(self, saturday_noon):
        bulletin = in_force()
        for change in ({"released_at": EARLY}, {"released_by": somebody("crise2")}):
            with pytest.raises(IntegrityError), transaction.atomic():
                Bulletin.objects.filter(pk=bulletin.pk).update(**change)


class TestHistory:
    def test_pauses_stand_in_it_from_the_approval_to_the_end(self, saturday_noon):
        chief = somebody("crise2")
        sending.pause(by=chief)
        sending.resume(by=chief)
        saturday_noon.move_to(at("2022-05-14 12:01"))
        an_appointment()
        bulletin = in_force()
        saturday_noon.move_to(at("2022-05-14 13:00"))
        sending.pause(by=chief)
        saturday_noon.move_to(at("2022-05-14 13:10"))
        sending.resume(by=chief)
        saturday_noon.move_to(at("2022-05-17 00:00"))
        sending.pause(by=chief)
        shown = text_of(page(crisis(), "bulletin", bulletin.pk))
        assert shown.count("Tous les envois mis en pause par crise2") == 1
        assert shown.count("Envois repris par crise2") == 1
        draft = text_of(page(crisis(), "bulletin", a_draft().pk))
        assert "mis en pause par" not in draft

    def test_pausing_takes_one_person_and_no_number(self, saturday_noon):
        sending.pause(by=somebody("crise1"))
        assert AuditEvent.objects.latest("sequence").action == "sending.paused"


class TestApproval:
    def test_a_wrong_number_is_said_at_the_top_with_the_focus(self, saturday_noon):
        an_appointment()
        client, draft = crisis(), a_draft()
        typed = typed_on(page(client, "bulletin_approve", draft.pk)) | {"told": "7"}
        shown = text_of(client.post(reverse("bulletin_approve", args=[draft.pk]), typed))
        summary = shown.index("error-summary")
        assert summary < shown.index("Ce qui change")
        assert "autofocus" in shown[summary : summary + 200]
        assert 'href="#id_told"' in shown
        assert "Vous avez tapé 7" in shown[summary : summary + 500]

    @pytest.mark.parametrize("name", ["bulletin_preview", "bulletin_approve"])
    def test_the_sms_of_each_language_is_shown_with_number_parts_and_cost(
        self, name, saturday_noon, settings
    ):
        settings.SMS_PART_COST_EURO = 0.05
        for language in ("fr", "fr", "nl"):
            an_appointment(patient=a_patient(language=language))
        draft = a_draft()
        found = {one.language: one for one in preview(draft.pk).samples}
        assert list(found) == ["fr", "nl", "de", "en"]
        assert [one.messages for one in found.values()] == [2, 1, 0, 0]
        assert "16/05" in found["fr"].text
        assert found["fr"].parts == 2 * found["fr"].parts_each
        shown = text_of(page(crisis(), name, draft.pk))
        for sample in found.values():
            assert sample.text[:30] in shown
        assert "2 SMS" in shown
        assert "· 0,10 €" in " ".join(shown.split())
        settings.SMS_PART_COST_EURO = 0.0
        shown = " ".join(text_of(page(crisis(), name, draft.pk)).split())
        assert "2 SMS · 1 partie chacun · coût inconnu" in shown
        assert "Coût des SMS</dt> <dd> inconnu" in shown

    @pytest.mark.parametrize("name", ["bulletin_preview", "bulletin_approve"])
    def test_without_any_sms_none_is_shown(self, name, saturday_noon):
        shown = text_of(page(crisis(), name, a_draft().pk))
        assert "Aucun SMS ne partirait." in shown
        assert "sms-sample" not in shown

    def test_the_samples_add_up_to_the_estimate(self, saturday_noon):
        a_site()
        for language in ("fr", "nl", "de", "en", "de"):
            patient = a_patient(language=language)
            an_appointment(patient=patient)
            if language == "de":
                an_appointment(patient=patient, service="radiology", starts="2022-05-16 15:00")
        seen = preview(a_draft(*THE_DAY).pk)
        assert sum(one.messages for one in seen.samples) == seen.patients_by_sms
        assert sum(one.parts for one in seen.samples) == seen.sms_parts
        assert SATURDAY_NOON < RELEASE
