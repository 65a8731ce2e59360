"""Operations: what waits comes first, opinions side by side, what the patient knows."""

from functools import partial

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Opinion
from appointments.operations import services
from notifications.calls import services as calls
from notifications.models import Delivery, Notice
from staff.models import RoleAssignment
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.operations.builders import an_operation
from tests.builders import MONDAY, a_practitioner, a_user, an_appointment, at
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
        monkeypatch.setattr("appointments.operations.views.PAGE_SIZE", 2)
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


class TestMyPatientsFirst:
    def test_a_surgeon_reads_their_own_before_those_of_others(self):
        surgeon = a_user("chirurgien", "surgeon")
        others = an_operation("a-bloc", priority="stat")
        own = an_operation("z-bloc", practitioner=a_practitioner("dr-7", user=surgeon))
        in_force()
        page = signed_in(surgeon).get(reverse("operations"), {"day": "2022-05-16"})
        assert [one.appointment for one in page.context["operations"]] == [own, others]
        assert "Mes patients, en attente de décision" in page.content.decode()

    def test_a_nurse_reads_those_of_their_unit_first(self):
        others = an_operation("a-bloc", priority="stat")
        own = an_operation("z-bloc")
        nurse = a_user("infirmiere", "nurse", unit=own.unit)
        RoleAssignment.objects.create(user=nurse, role="nurse", site=own.unit.site)
        in_force()
        page = signed_in(nurse).get(reverse("operations"), {"day": "2022-05-16"})
        assert [one.appointment for one in page.context["operations"]] == [own, others]

    def test_whoever_rules_reads_what_waits_first(self, client, director):
        an_operation(practitioner=a_practitioner("dr-8", user=director))
        in_force()
        page = client.get(reverse("operations"), {"day": "2022-05-16"}).content.decode()
        assert "Mes patients" not in page


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

    def test_an_opinion_says_whether_it_is_the_patients_own_surgeons(self, client):
        own, colleague = a_user("sien", "surgeon"), a_user("autre", "surgeon")
        surgeon = a_practitioner("dr-7", user=own)
        made = an_operation(practitioner=surgeon)
        say = partial(services.give_opinion, appointment_id=made.pk, role="surgeon")
        address = reverse("operations", query={"day": "2022-05-16"})
        say(by=colleague, view="cancel")
        page = client.get(address).content.decode()
        assert "autre chirurgien" in page
        assert "chirurgien du patient, n'a pas donné d'avis" in page.replace("&#x27;", "'")
        say(by=own, view="maintain")
        page = client.get(address).content.decode()
        assert '<span class="flag flag-group">chirurgien du patient</span>' in page
        assert "autre chirurgien" not in page
        say(by=colleague, view="cancel", comment="Encore")
        page = client.get(address).content.decode()
        assert "autre chirurgien" in page
        assert '<span class="flag flag-group">chirurgien du patient</span>' in page

    def test_a_surgeon_whom_the_app_does_not_know_is_not_guessed(self, client):
        made = an_operation()
        services.give_opinion(
            appointment_id=made.pk, by=a_user("autre", "surgeon"), role="surgeon", view="cancel"
        )
        page = client.get(reverse("operations", query={"day": "2022-05-16"})).content.decode()
        assert "chirurgien du patient non connu ici" in page
        assert "autre chirurgien" not in page

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
        assert "Patient prévenu (annulé), sam 14/05 12:00, par Léa APPELLE" in self.page(client)

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
