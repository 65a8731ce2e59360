"""The preview beside the editor: what a text becomes, what it costs, what is wrong with it."""

import pytest
from django.test import Client

from notifications.models import MessageText
from tests.builders import a_site
from tests.notifications.texts.pages import EDITOR, GOOD, TABLE, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class TestThePreview:
    def preview(self, browser: Client, body: str, address: str = EDITOR, **more: str) -> str:
        answer = browser.post(f"{address}preview/", {"body": body, **more})
        assert answer.status_code == 200
        return words(answer)

    def test_it_shows_the_text_as_it_arrives_for_one_and_for_several(self, browser) -> None:
        said = self.preview(browser, "{hospital}: {votre|vos} rdv {day} {times}, reçu {number}")
        assert "Vivalia: votre rdv lun. 16/05 09:10, recu +32 63 23 11 11" in said
        assert "Vivalia: vos rdv lun. 16/05 09:10 et 11:10, recu" in said
        assert "09:10, 11:10, 13:10 et 15:10" in said

    def test_it_shows_the_sender_and_the_number_of_the_chosen_site(self, browser) -> None:
        arlon, bertrix = a_site("arlon"), a_site("bertrix")
        said = self.preview(browser, GOOD, site=str(arlon.pk))
        assert "VivaliaArl" in said
        assert "Arlon : les patients rappellent le 063 23 11 11" in said
        said = self.preview(browser, GOOD, site=str(bertrix.pk))
        assert "Expéditeur choisi par la passerelle" in said
        assert "+32 61 00 00 30" in said

    def test_the_gateways_own_sender_is_shown_where_the_site_has_none(
        self, browser, settings
    ) -> None:
        settings.SMS_GATEWAY_URL = "console://?sender=Groupe"
        assert "Groupe" in self.preview(browser, GOOD, site=str(a_site("bertrix").pk))

    def test_it_shows_where_each_part_ends(self, browser) -> None:
        said = self.preview(browser, GOOD + "x" * 160)
        assert "2 parties" in said
        assert "fin de la partie 1" in said
        assert "153/153, " in said

    def test_a_character_outside_the_alphabet_is_named_loudly(self, browser) -> None:
        said = self.preview(browser, GOOD + " ☺ 10 €")
        loud = "☺ fait passer le message en Unicode : 70 caractères par partie au lieu de 160."
        assert said.count(loud) == 2  # at the text and in the list
        assert "€ compte double." in said
        assert "Unicode (UCS-2)" in said

    def test_it_shows_the_price_of_a_thousand_or_that_none_is_set(self, browser, settings) -> None:
        settings.SMS_PART_COST_EURO, settings.SMS_PARTS_PER_SECOND = 0.065, 10
        assert "65,00 € · 100 s" in self.preview(browser, GOOD)
        settings.SMS_PART_COST_EURO = 0.0
        assert "prix inconnu : SMS_PART_COST_EURO" in self.preview(browser, GOOD)

    def test_a_gateway_that_cannot_be_read_is_no_reason_to_show_nothing(
        self, browser, settings
    ) -> None:
        settings.SMS_GATEWAY_URL = "pigeon://"
        settings.SMS_PART_COST_EURO, settings.SMS_PARTS_PER_SECOND = 0.065, 10
        said = self.preview(browser, GOOD, site=str(a_site("bertrix").pk))
        assert "65,00 € · 100 s" in said
        assert "Expéditeur choisi par la passerelle" in said

    def test_what_an_agent_says_has_a_length_in_seconds_and_no_parts(self, browser) -> None:
        said = self.preview(browser, GOOD, "/texts/fr/call_cancelled/")
        assert "secondes environ" in said
        assert "lundi 16 mai" in said
        assert "partie" not in said

    @pytest.mark.parametrize(
        ("body", "fault"),
        [
            (GOOD + " {doctor}", "Variable inconnue : doctor"),
            (GOOD.replace("{number}", ""), "Il manque {number}"),
            (GOOD.replace("{hospital}", ""), "Il manque {hospital}"),
            (GOOD + " {day", "accolade"),
            (GOOD + " {un|deux|trois}", "plus de deux formes"),
            (GOOD + " cardiologie", "retirez cardiologie"),
            (GOOD + " {cardio|cardio}logie", "retirez cardiologie"),
            (GOOD + "x" * 800, "au plus 800"),
            ("", "Il manque {day}"),
        ],
    )
    def test_a_fault_is_said_at_the_text(self, browser, body, fault) -> None:
        assert fault in self.preview(browser, body)

    def test_nothing_is_saved(self, browser) -> None:
        self.preview(browser, GOOD)
        assert not MessageText.objects.exists()

    def test_what_somebody_writes_is_never_a_tag(self, browser) -> None:
        answer = browser.post(f"{EDITOR}preview/", {"body": GOOD + "<b>x</b><script>"})
        assert "<b>" not in answer.content.decode()
        assert "<script>" not in answer.content.decode()

    def test_it_works_before_there_is_any_site(self, client, crisis_cell) -> None:
        client.force_login(crisis_cell, backend="django.contrib.auth.backends.ModelBackend")
        assert client.get(EDITOR).status_code == 200
        assert client.get(TABLE).status_code == 200
