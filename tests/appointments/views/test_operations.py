"""Operations: what waits comes first, opinions side by side, one person rules."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Opinion
from appointments.services import operations as services
from notifications.models import Delivery, Notice
from notifications.services import calls
from staff.models import User
from tests.appointments.bulletins import SATURDAY_NOON, in_force
from tests.appointments.operations import an_operation
from tests.builders import MONDAY, a_user, an_appointment, at
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client(director) -> Client:
    return signed_in(director)


def listed(client: Client, day: str = "2022-05-16") -> list[int]:
    page = client.get(reverse("operations"), {"day": day})
    return [operation.appointment.pk for operation in page.context["operations"]]


class TestTheList:
    def test_what_waits_comes_first_then_by_theatre_urgency_and_hour(self, client, director):
        settled = an_operation("a-bloc", priority="stat")
        second = an_operation("b-bloc", starts="2022-05-16 08:00")
        first = an_operation("b-bloc", starts="2022-05-16 11:00", priority="urgent")
        other_theatre = an_operation("c-bloc", priority="stat")
        in_force()
        services.rule(appointment_id=settled.pk, by=director, outcome="cancelled")
        assert listed(client) == [first.pk, second.pk, other_theatre.pk, settled.pk]

    def test_the_order_holds_across_pages(self, client, director, monkeypatch):
        monkeypatch.setattr("appointments.views.operations.PAGE_SIZE", 2)
        made = [an_operation(f"{name}-bloc").pk for name in "bacab"]
        in_force()
        services.rule(appointment_id=made[1], by=director, outcome="maintained")
        seen, cursor = [], "first"
        while cursor:
            asked = {"day": "2022-05-16", "cursor": cursor}
            context = client.get(reverse("operations"), asked).context
            seen += [operation.appointment.pk for operation in context["operations"]]
            cursor = context["page"].next_cursor
        assert seen == [made[3], made[0], made[4], made[2], made[1]]

    def test_only_operations_that_the_source_still_plans_are_listed(self, client):
        an_appointment()
        an_operation(status="cancelled")
        an_operation(starts="2022-05-17 08:00")
        assert listed(client) == []

    def test_it_opens_on_the_first_day_with_something_to_rule_on(self, client):
        an_operation(starts="2022-05-15 08:00")
        an_operation()
        in_force()
        assert client.get(reverse("operations")).context["day"] == MONDAY

    def test_it_counts_what_is_without_a_ruling(self, client, director):
        ruled, waiting = an_operation(), an_operation()
        in_force()
        services.rule(appointment_id=ruled.pk, by=director, outcome="maintained")
        page = client.get(reverse("operations")).content.decode()
        assert "<strong>1</strong> opération sans décision, sur 2" in page
        assert waiting

    def test_a_made_up_day_is_not_found(self, client):
        assert client.get(reverse("operations"), {"day": "demain"}).status_code == 404

    def test_the_number_of_queries_does_not_grow_with_the_operations(
        self, client, director, django_assert_max_num_queries
    ):
        queries = []
        for day, rows in (("2022-05-16", 1), ("2022-05-17", 9)):
            for number in range(rows):
                made = an_operation(f"bloc-{number}", starts=f"{day} 09:00")
                services.give_opinion(
                    appointment_id=made.pk, by=director, role="surgeon", view="maintain"
                )
            in_force(first_day=at(f"{day} 00:00").date())
            with django_assert_max_num_queries(40) as counted:
                client.get(reverse("operations"), {"day": day})
            queries.append(len(counted))
        assert queries[0] == queries[1]


class TestOpinions:
    @pytest.fixture
    def nurse(self) -> Client:
        return signed_in(a_user("infirmier", "nurse"))

    def test_a_tap_swaps_the_operation_with_the_opinion_on_it(self, nurse):
        made = an_operation()
        in_force()
        sent = {"role": "nurse", "view": "cancel", "comment": "Pas de lit aux soins intensifs"}
        answer = nurse.post(reverse("give_opinion", args=[made.pk]), sent, headers=HTMX)
        page = answer.content.decode()
        assert "<html" not in page
        assert "Annuler" in page
        assert "Pas de lit aux soins intensifs" in page

    def test_the_newest_opinion_of_each_role_stands_side_by_side(self, client, director):
        made = an_operation()
        colleague = a_user("collegue", "surgeon", "nurse")
        for role, view in (("surgeon", "cancel"), ("surgeon", "maintain"), ("nurse", "cancel")):
            services.give_opinion(appointment_id=made.pk, by=colleague, role=role, view=view)
        shown = client.get(reverse("operations"), {"day": "2022-05-16"}).context["operations"][0]
        views = {role: opinion and opinion.view for role, opinion in shown.opinions.items()}
        assert views == {"surgeon": "maintain", "anaesthetist": None, "nurse": "cancel"}

    @pytest.mark.parametrize("sent", [{}, {"role": "nurse"}, {"role": "surgeon", "view": "cancel"}])
    def test_a_nurse_speaks_as_a_nurse_and_says_what(self, nurse, sent):
        made = an_operation()
        answer = nurse.post(reverse("give_opinion", args=[made.pk]), sent, headers=HTMX)
        assert answer.status_code == 409
        assert "Choisissez votre rôle" in answer.content.decode()
        assert Opinion.objects.count() == 0

    def test_without_javascript_it_leads_back_to_the_operation(self, nurse):
        made = an_operation()
        sent = {"role": "nurse", "view": "maintain"}
        answer = nurse.post(reverse("give_opinion", args=[made.pk]), sent)
        assert answer["Location"] == f"/operations/?day=2022-05-16#operation-{made.pk}"

    def test_those_who_give_opinions_see_no_ruling_buttons(self, nurse):
        an_operation()
        in_force()
        page = nurse.get(reverse("operations")).content.decode()
        assert "Je maintiendrais" in page
        assert "/ruling/" not in page
        assert "Seul le Directeur médical" in page


class TestWhatThePatientKnows:
    @pytest.fixture
    def ruled(self, director) -> Appointment:
        made = an_operation()
        in_force()
        services.rule(appointment_id=made.pk, by=director, outcome="cancelled")
        return made

    def page(self, client: Client) -> str:
        return client.get(reverse("operations"), {"day": "2022-05-16"}).content.decode()

    def test_before_a_ruling_nothing_is_to_be_told(self, client):
        an_operation()
        in_force()
        assert "Patient" not in self.page(client).split("<article")[1]

    def test_a_ruled_patient_is_to_be_called(self, client, ruled):
        assert "Patient à appeler (annulé) : pas encore prévenu" in self.page(client)

    def test_who_called_and_when_stands_on_the_card(self, client, ruled):
        agent = a_user("agent", "call_agent", first_name="Léa", last_name="Appelle")
        call = Delivery.objects.get(channel="phone")
        calls.log(delivery_id=call.pk, by=agent, result=calls.CallResult.REACHED)
        assert "Patient prévenu (annulé), sam 14/05 12:00, par Léa Appelle" in self.page(client)

    def test_a_patient_nobody_reached_is_loud(self, client, ruled):
        Notice.objects.update(state="unreachable", settled_at=SATURDAY_NOON)
        assert "Patient injoignable" in self.page(client)

    def test_who_heard_otherwise_before_is_marked(self, client, ruled, director):
        Notice.objects.update(state="told", handed_over_at=SATURDAY_NOON, settled_at=SATURDAY_NOON)
        assert "Patient prévenu (annulé), sam 14/05 12:00, par SMS" in self.page(client)
        services.rule(appointment_id=ruled.pk, by=director, outcome="maintained")
        page = self.page(client)
        assert "Patient à appeler (maintenu)" in page
        assert "averti du contraire : annulé" in page


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
        client.post(address, {"outcome": "maintained"})
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


class TestRulingPastAnOpinion:
    """The director's page may be older than what a colleague has just said."""

    @pytest.fixture
    def made(self) -> Appointment:
        made = an_operation()
        in_force()
        return made

    def speak(self, made: Appointment, by: User) -> Opinion:
        return services.give_opinion(
            appointment_id=made.pk, by=by, role="surgeon", view="cancel", comment="Fièvre"
        )

    def rule(self, client: Client, made: Appointment, heard: int):
        sent = {"outcome": "maintained", "seen": made.decision_version, "heard": heard}
        return client.post(reverse("rule_operation", args=[made.pk]), sent, headers=HTMX)

    def test_a_ruling_on_an_older_page_is_refused_with_the_opinion_shown(self, client, made):
        opinion = self.speak(made, a_user("chirurgien", "surgeon", last_name="Scalpel"))
        answer = self.rule(client, made, heard=0)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "Scalpel a donné un avis entre-temps : annuler" in page
        assert "Fièvre" in page
        assert f'name="heard" value="{opinion.pk}"' in page
        made.refresh_from_db()
        assert made.outcome == "under_review"

    def test_whoever_has_read_it_rules(self, client, made):
        opinion = self.speak(made, a_user("chirurgien", "surgeon"))
        assert self.rule(client, made, heard=opinion.pk).status_code == 200

    def test_their_own_opinion_keeps_no_director_waiting(self, client, director, made):
        self.speak(made, director)
        assert self.rule(client, made, heard=0).status_code == 200
