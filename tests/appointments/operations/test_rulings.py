"""The director's tap on an operation: maintained, cancelled, postponed, or refused."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Bulletin, Opinion
from appointments.operations import services
from staff.models import User
from tests.appointments.bulletins.builders import in_force, withdrawn
from tests.appointments.operations.builders import an_operation, postponed
from tests.builders import a_user
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client(director) -> Client:
    return signed_in(director)


class TestRuling:
    @pytest.mark.parametrize("outcome", ["maintained", "cancelled"])
    def test_a_tap_rules_and_updates_the_count(self, client, outcome):
        made, waiting = an_operation(), an_operation()
        in_force()
        sent = {"outcome": outcome, "reason": "Cancer"}
        answer = client.post(reverse("rule_operation", args=[made.pk]), sent, headers=HTMX)
        page = answer.content.decode()
        made.refresh_from_db()
        assert (made.outcome, made.outcome_basis) == (outcome, "person")
        assert "Cancer" in page
        assert 'hx-swap-oob="true"' in page
        assert "<strong>1</strong> opération sans décision, sur 2" in page
        assert waiting

    def test_the_director_may_change_their_mind_and_is_offered_the_other_answer(self, client):
        made = an_operation()
        in_force()
        address = reverse("rule_operation", args=[made.pk])
        page = client.post(address, {"outcome": "cancelled"}, headers=HTMX).content.decode()
        assert 'value="maintained"' in page
        assert 'value="cancelled"' not in page
        client.post(address, {"outcome": "maintained", "may_reverse": "yes"})
        made.refresh_from_db()
        assert made.outcome == "maintained"

    def test_the_third_button_postpones_to_the_day_beside_it(self, client):
        made = an_operation()
        in_force()
        sent = {"outcome": "postponed", "postponed_to": "2022-05-24", "reason": "Pas de lit"}
        answer = client.post(reverse("rule_operation", args=[made.pk]), sent, headers=HTMX)
        page = answer.content.decode()
        made.refresh_from_db()
        assert (made.outcome, made.postponed_to) == ("cancelled", dt.date(2022, 5, 24))
        assert "Reporté au mar 24/05/2022" in page
        assert "Patient à appeler (reporté au mar 24/05/2022)" in page
        assert 'value="cancelled"' in page

    def test_the_new_day_shows_what_was_postponed_to_it(self, client, director):
        made, to = an_operation(), dt.date(2022, 5, 24)
        in_force()
        services.rule(appointment_id=made.pk, by=director, outcome="cancelled", postponed_to=to)
        page = client.get(reverse("operations"), {"day": "2022-05-24"}).content.decode()
        assert "Reportées à ce jour" in page
        assert "était prévue lun 16/05/2022 09:10" in page

    @pytest.mark.parametrize(
        ("day", "why"),
        [
            ("", "Indiquez le jour auquel l&#x27;opération est reportée."),
            ("le 24", "Ce jour ne peut pas être lu."),
            ("2022-05-16", "choisissez du 17/05/2022"),
        ],
    )
    def test_postponing_without_a_day_that_fits_is_refused(self, client, day, why):
        made = an_operation()
        in_force()
        sent = {"outcome": "postponed", "postponed_to": day}
        answer = client.post(reverse("rule_operation", args=[made.pk]), sent, headers=HTMX)
        assert answer.status_code == 409
        assert why in answer.content.decode()
        made.refresh_from_db()
        assert made.outcome == "under_review"

    def test_a_word_that_is_no_ruling_is_refused_on_the_operation(self, client):
        made = an_operation()
        in_force()
        sent = {"outcome": "under_review"}
        answer = client.post(reverse("rule_operation", args=[made.pk]), sent, headers=HTMX)
        assert answer.status_code == 409
        assert "maintenue, annulée ou reportée" in answer.content.decode()

    def test_an_operation_that_no_bulletin_leaves_open_is_refused_with_the_reason(self, client):
        made = an_operation()
        sent = {"outcome": "cancelled"}
        answer = client.post(reverse("rule_operation", args=[made.pk]), sent, headers=HTMX)
        assert answer.status_code == 409
        assert "Aucun bulletin ne vise ce rendez-vous" in answer.content.decode()

    def test_without_javascript_a_refusal_is_shown_on_the_page(self, client):
        made = an_operation()
        address = reverse("rule_operation", args=[made.pk])
        page = client.post(address, {"outcome": "cancelled"}, follow=True)
        assert "Aucun bulletin ne vise ce rendez-vous" in page.content.decode()


class TestASecondClick:
    """Where the first button stood there is nothing that decides otherwise."""

    def test_once_decided_every_button_is_folded_away(self, client):
        made = an_operation()
        in_force()
        address = reverse("rule_operation", args=[made.pk])
        page = client.post(address, {"outcome": "maintained"}, headers=HTMX).content.decode()
        outside, _, inside = page.partition('<details class="change"')
        assert "Changer la décision" in inside
        assert "<button" not in outside
        for button in ("Oui, annuler", "Remettre à examiner", "Reporter l&#x27;opération"):
            assert button in inside.replace("'", "&#x27;"), button

    @pytest.mark.parametrize(
        "second", [{"outcome": "cancelled"}, {"outcome": "postponed", "postponed_to": "2022-05-24"}]
    )
    def test_an_old_button_changes_nothing_and_the_answer_says_how(self, client, second):
        made = an_operation()
        in_force()
        address = reverse("rule_operation", args=[made.pk])
        client.post(address, {"outcome": "maintained"}, headers=HTMX)
        answer = client.post(address, second, headers=HTMX)
        assert answer.status_code == 409
        assert "déjà décidée : maintenu" in answer.content.decode()
        made.refresh_from_db()
        assert (made.outcome, made.decision_version) == ("maintained", 2)

    def test_the_same_button_again_is_no_fault(self, client):
        made = an_operation()
        in_force()
        address = reverse("rule_operation", args=[made.pk])
        for _ in range(2):
            answer = client.post(address, {"outcome": "cancelled"}, headers=HTMX)
            assert answer.status_code == 200

    def test_another_director_who_ruled_meanwhile_is_named_first(self, client, operation):
        seen = operation.decision_version
        other = a_user("autre", "medical_director")
        services.rule(appointment_id=operation.pk, by=other, outcome="maintained")
        sent = {"outcome": "cancelled", "seen": seen}
        answer = client.post(reverse("rule_operation", args=[operation.pk]), sent, headers=HTMX)
        assert "autre a décidé entre-temps" in answer.content.decode()


class TestADayWithoutProgramme:
    @pytest.mark.parametrize(
        ("day", "why"),
        [("2022-05-21", "samedi"), ("2022-05-26", "Ascension"), ("2022-06-06", "Pentecôte")],
    )
    def test_whoever_postpones_to_it_is_warned_and_then_may(self, client, operation, day, why):
        address = reverse("rule_operation", args=[operation.pk])
        sent = {"outcome": "postponed", "postponed_to": day}
        answer = client.post(address, sent, headers=HTMX)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "pas un jour ouvrable" in page
        assert why in page
        assert "Reporter quand même" in page
        assert f'name="day_off_read" value="{day}"' in page
        assert client.post(address, sent | {"day_off_read": day}, headers=HTMX).status_code == 200
        operation.refresh_from_db()
        assert operation.postponed_to == dt.date.fromisoformat(day)

    def test_a_yes_for_one_day_is_none_for_another(self, client, operation):
        sent = {"outcome": "postponed", "postponed_to": "2022-05-22", "day_off_read": "2022-05-21"}
        answer = client.post(reverse("rule_operation", args=[operation.pk]), sent, headers=HTMX)
        assert answer.status_code == 409

    def test_the_load_of_the_theatre_on_the_new_day_is_shown(self, client, operation, director):
        to = dt.date(2022, 5, 24)
        an_operation(starts="2022-05-24 09:00")
        an_operation(starts="2022-05-24 10:00", status="cancelled")
        an_operation("b-bloc", starts="2022-05-24 10:00")
        postponed(to=to, starts="2022-05-17 09:00")
        address = reverse("operation_new_day", args=[operation.pk])
        page = client.get(address, {"postponed_to": "2022-05-24"}).content.decode()
        assert "<strong>1</strong> opération prévue" in page
        assert "<strong>1</strong> déjà reportée à ce jour" in page
        assert "ouvrable" not in page
        off = client.get(address, {"postponed_to": "2022-05-21"}).content.decode()
        assert "Samedi 21 mai 2022" in off or "samedi 21 mai 2022" in off
        assert "<strong>0</strong> opération" in off
        assert client.get(address, {"postponed_to": "202"}).content.decode().strip() == ""


class TestRulingPastAnOpinion:
    """The director's page may be older than what a colleague has just said."""

    def speak(self, operation: Appointment, by: User) -> Opinion:
        return services.give_opinion(
            appointment_id=operation.pk, by=by, role="surgeon", view="cancel", comment="Fièvre"
        )

    def rule(self, client: Client, operation: Appointment, heard: int):
        sent = {"outcome": "maintained", "seen": operation.decision_version, "heard": heard}
        return client.post(reverse("rule_operation", args=[operation.pk]), sent, headers=HTMX)

    def test_a_ruling_on_an_older_page_is_refused_with_the_opinion_shown(self, client, operation):
        opinion = self.speak(operation, a_user("chirurgien", "surgeon", last_name="Scalpel"))
        answer = self.rule(client, operation, heard=0)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "SCALPEL a donné un avis entre-temps : annuler" in page
        assert "Fièvre" in page
        assert f'name="heard" value="{opinion.pk}"' in page
        operation.refresh_from_db()
        assert operation.outcome == "under_review"

    def test_whoever_has_read_it_rules(self, client, operation):
        opinion = self.speak(operation, a_user("chirurgien", "surgeon"))
        assert self.rule(client, operation, heard=opinion.pk).status_code == 200

    def test_their_own_opinion_keeps_no_director_waiting(self, client, director, operation):
        self.speak(operation, director)
        assert self.rule(client, operation, heard=0).status_code == 200


class TestTakingARulingBack:
    def page(self, client: Client, name: str, operation: Appointment, **sent) -> str:
        answer = client.post(reverse(name, args=[operation.pk]), sent, headers=HTMX)
        return answer.content.decode()

    def test_under_the_bulletin_it_is_to_be_examined_again(self, client, operation):
        page = self.page(client, "rule_operation", operation, outcome="cancelled")
        assert "Remettre à examiner" in page
        page = self.page(client, "undo_ruling", operation)
        operation.refresh_from_db()
        assert operation.outcome == "under_review"
        assert "Remettre à examiner" not in page

    def test_whoever_cancelled_can_when_the_bulletin_is_withdrawn(self, client, operation):
        self.page(client, "rule_operation", operation, outcome="cancelled")
        found = Bulletin.objects.get()
        withdrawn(found.pk)
        listed = client.get(reverse("operations", query={"day": "2022-05-16"})).content.decode()
        assert "Revenir sur cette décision" in listed
        assert "Maintenir" not in listed
        self.page(client, "undo_ruling", operation)
        operation.refresh_from_db()
        assert (operation.outcome, operation.outcome_basis) == ("maintained", "lapse")

    def test_another_director_who_ruled_meanwhile_is_named(self, client, operation):
        self.page(client, "rule_operation", operation, outcome="cancelled")
        other = a_user("autre", "medical_director")
        services.rule(appointment_id=operation.pk, by=other, outcome="maintained")
        page = self.page(client, "undo_ruling", operation, seen=2)
        assert "autre a décidé entre-temps" in page
