"""The texts: their table, what the editor refuses, what it keeps of every change."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import MessageText
from notifications.texts import render as texts
from notifications.texts import services
from notifications.texts.queries import fingerprint
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Practitioner, Role, Unit, User
from staff.services import audit
from tests.builders import a_site, a_unit, a_user
from tests.notifications.texts.pages import EDITOR, GOOD, TABLE, words
from tests.pages import fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def sent_from(browser: Client, address: str = EDITOR, **changed: str) -> dict[str, list[str]]:
    """Return what the editor's form sends after some fields were changed."""
    fields = fields_of(browser.get(address).content.decode(), having="body")
    return {**fields, **changed}


def write(browser: Client, body: str, address: str = EDITOR, **more: str):
    """Write a text in the editor and save it."""
    return browser.post(address, sent_from(browser, address, body=body, save="1", **more))


def keep(by: User, body: str, *, language: str = "fr", kind: str = "cancelled") -> bool:
    """Save a text over whichever holds."""
    seen = fingerprint(texts._text(language, kind))
    return services.save(language=language, kind=kind, body=body, seen=seen, by=by)


class TestTheTable:
    def test_it_has_every_kind_in_every_language_with_its_parts(self, browser) -> None:
        answer = browser.get(TABLE)
        leads_to = re.findall(r'href="(/texts/../\w+/)"', answer.content.decode())
        assert len(leads_to) == len(set(leads_to)) == 28
        assert words(answer).count("1 partie") == 12

    def test_an_edited_text_names_who_changed_it_and_when(self, browser, crisis_cell) -> None:
        keep(crisis_cell, GOOD + " Encore une phrase" * 8)
        said = words(browser.get(TABLE))
        assert "modifié 2 parties claire, 15/05/2022 09:00" in said
        assert said.count("modifié") == 1

    def test_a_text_that_names_a_new_doctor_needs_a_look(self, browser, crisis_cell) -> None:
        keep(crisis_cell, GOOD + " Dupont")
        assert "à revoir" not in words(browser.get(TABLE))
        Practitioner.objects.create(code="d", family_name="Dupont")
        assert words(browser.get(TABLE)).count("à revoir") == 1

    def test_it_asks_the_database_a_fixed_number_of_times(
        self, browser, crisis_cell, django_assert_max_num_queries
    ) -> None:
        with django_assert_max_num_queries(16):
            browser.get(TABLE)
        for language in ("fr", "nl", "de", "en"):
            keep(crisis_cell, GOOD, language=language)
        with django_assert_max_num_queries(16):
            browser.get(TABLE)


class TestTheEditor:
    def test_a_good_text_is_saved_and_used_by_the_next_message(
        self, browser, crisis_cell, django_capture_on_commit_callbacks
    ) -> None:
        texts._text("fr", "cancelled")  # remembered
        with django_capture_on_commit_callbacks(execute=True):
            answer = write(browser, f"  {GOOD}\r\nMerci.  ")
        assert answer.status_code == 302
        assert MessageText.objects.get().body == f"{GOOD}\nMerci."
        assert texts._text("fr", "cancelled") == f"{GOOD}\nMerci."
        event = AuditEvent.objects.get(action="message_text.saved")
        assert event.actor == crisis_cell
        assert event.detail == {
            "language": "fr",
            "kind": "cancelled",
            "was": texts.shipped("fr", "cancelled"),
            "body": f"{GOOD}\nMerci.",
        }
        assert list(audit.faults()) == []

    def test_without_scripts_a_button_checks_and_saves_nothing(self, browser) -> None:
        answer = browser.post(EDITOR, sent_from(browser, body=GOOD + " Votre IRM", check="1"))
        assert answer.status_code == 200
        assert "retirez irm" in words(answer)
        assert GOOD + " Votre IRM" in answer.content.decode()
        assert not MessageText.objects.exists()

    def test_a_text_with_a_fault_is_refused_and_nothing_typed_is_lost(self, browser) -> None:
        answer = write(browser, GOOD + " chez le Dr Lambert")
        assert answer.status_code == 422
        assert "Pas enregistré. Rien de médical dans un message : retirez dr" in words(answer)
        kept = fields_of(answer.content.decode(), having="body")
        assert kept["body"] == [GOOD + " chez le Dr Lambert"]
        assert not MessageText.objects.exists()

    @pytest.mark.parametrize("named", ["Vandenplas", "VANDENPLAS", "Salle Physique"])
    def test_who_and_what_works_here_is_refused_by_name(self, browser, named) -> None:
        Practitioner.objects.create(code="v", family_name="Vandenplas")
        Unit.objects.filter(pk=a_unit("u").pk).update(name="Salle Physique")
        answer = write(browser, f"{GOOD} chez {named}")
        assert answer.status_code == 422
        assert f"retirez {'Vandenplas' if named.isupper() else named}" in words(answer)

    def test_the_rules_hold_for_what_agents_say_too(self, browser) -> None:
        assert write(browser, GOOD + " scanner", "/texts/fr/call_cancelled/").status_code == 422

    def test_somebody_elses_change_is_not_written_over_unseen(self, browser) -> None:
        mine = sent_from(browser, body=GOOD + " Moi", save="1")
        keep(a_user("marc", Role.CRISIS_CELL), GOOD + " Marc")
        answer = browser.post(EDITOR, mine)
        assert answer.status_code == 422
        assert "Quelqu&#x27;un a changé ce texte" in answer.content.decode()
        assert MessageText.objects.get().body.endswith("Marc")
        again = fields_of(answer.content.decode(), having="body") | {"save": "1"}
        assert again["body"] == [GOOD + " Moi"]
        assert browser.post(EDITOR, again).status_code == 302
        assert MessageText.objects.get().body.endswith("Moi")

    def test_the_same_text_again_changes_and_records_nothing(self, browser) -> None:
        assert write(browser, texts.shipped("fr", "cancelled")).status_code == 302
        assert not MessageText.objects.exists()
        assert not AuditEvent.objects.filter(action__startswith="message_text").exists()

    def test_the_way_back_to_the_shipped_text(
        self, browser, crisis_cell, django_capture_on_commit_callbacks
    ) -> None:
        keep(crisis_cell, GOOD)
        page = browser.get(EDITOR).content.decode()
        assert "Revenir au texte d&#x27;origine" in page or "Revenir au texte d'origine" in page
        seen = fields_of(page, having="body")["seen"]
        with django_capture_on_commit_callbacks(execute=True):
            browser.post(f"{EDITOR}reset/", {"seen": seen})
        assert not MessageText.objects.exists()
        assert texts._text("fr", "cancelled") == texts.shipped("fr", "cancelled")
        event = AuditEvent.objects.get(action="message_text.reset")
        assert (event.detail["was"], event.detail["body"]) == (
            GOOD,
            texts.shipped("fr", "cancelled"),
        )
        assert "Revenir au texte d" not in browser.get(EDITOR).content.decode()

    def test_a_reset_of_a_text_that_changed_meanwhile_is_refused(
        self, browser, crisis_cell
    ) -> None:
        keep(crisis_cell, GOOD)
        answer = browser.post(f"{EDITOR}reset/", {"seen": fingerprint("autre")}, follow=True)
        assert "Quelqu'un a changé ce texte" in words(answer).replace("&#x27;", "'")
        assert MessageText.objects.exists()

    def test_the_last_changes_show_who_when_and_what_also_after_a_way_back(
        self, browser, crisis_cell
    ) -> None:
        keep(crisis_cell, GOOD)
        seen = fingerprint(GOOD)
        services.reset(language="fr", kind="cancelled", seen=seen, by=crisis_cell)
        texts.forget()
        keep(crisis_cell, GOOD + " Merci")
        said = words(browser.get(EDITOR))
        assert said.count("15 mai 2022 09:00 claire") == 3
        assert f"Après : {GOOD} Merci" in said
        assert "retour au texte d" in said
        assert "claire" not in words(browser.get("/texts/nl/cancelled/")).split("Derniers")[1]

    @pytest.mark.parametrize("address", ["/texts/xx/cancelled/", "/texts/fr/sorry/"])
    def test_a_text_that_does_not_exist_is_not_found(self, browser, address) -> None:
        assert browser.get(address).status_code == 404
        assert browser.post(f"{address}preview/").status_code == 404
        assert browser.post(f"{address}reset/").status_code == 404


class TestWhoMay:
    @pytest.mark.parametrize("role", [role for role in Role if role != Role.CRISIS_CELL])
    def test_no_other_role_saves_or_resets(self, role) -> None:
        other = a_user("autre", role)
        with pytest.raises(AccessRefused):
            keep(other, GOOD)
        with pytest.raises(AccessRefused):
            services.reset(language="fr", kind="cancelled", seen="", by=other)

    def test_one_site_is_not_enough(self) -> None:
        with pytest.raises(AccessRefused, match="tout le groupe"):
            keep(a_user("locale", Role.CRISIS_CELL, site=a_site("arlon")), GOOD)

    def test_a_text_with_faults_is_refused_by_the_service_itself(self, crisis_cell) -> None:
        with pytest.raises(Refusal, match="retirez cardiologie"):
            keep(crisis_cell, GOOD + " cardiologie")


def test_the_menu_leads_the_crisis_cell_to_the_texts(browser) -> None:
    assert reverse("message_texts") in browser.get(TABLE).content.decode()
