"""Operations by theatre, and what others do meanwhile."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from appointments.operations import services
from tests.appointments.bulletins.builders import in_force
from tests.appointments.operations.builders import an_operation
from tests.builders import a_site, a_user
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def client(director) -> Client:
    return signed_in(director)


class TestTheatres:
    def test_each_theatre_says_how_much_of_its_day_is_decided(self, client, director):
        ruled, _waiting, other = an_operation(), an_operation(), an_operation("b-bloc")
        in_force()
        services.rule(appointment_id=ruled.pk, by=director, outcome="maintained")
        page = client.get(reverse("operations"), {"day": "2022-05-16"})
        found = [(one.name, one.ruled, one.total) for one in page.context["theatres"]]
        assert found == [("arlon-bloc", 1, 2), ("b-bloc", 0, 1)]
        assert "1 sur 2" in page.content.decode()
        asked = {"day": "2022-05-16", "unit": other.unit_id}
        chosen = client.get(reverse("operations"), asked).context["operations"]
        assert [one.appointment for one in chosen] == [other]

    def test_a_ruling_brings_the_numbers_of_the_theatres_with_it(self, client, director):
        made, _waiting, other = an_operation(), an_operation(), an_operation("b-bloc")
        in_force()
        address = reverse("operations", query={"day": "2022-05-16", "unit": made.unit_id})
        asked = HTMX | {"HX-Current-URL": f"http://testserver{address}"}
        rule = reverse("rule_operation", args=[made.pk])
        answer = client.post(rule, {"outcome": "maintained"}, headers=asked)
        assert answer.status_code == 200
        shown = " ".join(answer.content.decode().split())
        strip = shown[shown.index('id="operation-theatres"') :]
        assert 'hx-swap-oob="innerHTML"' in strip[: strip.index("<a ")]
        assert "1 sur 2" in strip
        assert strip.count('aria-current="page"') == 1
        assert answer.context["theatre"].unit_id == made.unit_id
        assert other.unit_id != made.unit_id

    def test_on_the_page_of_all_days_a_ruling_counts_all_days(self, client, director):
        made, _later = an_operation(), an_operation(starts="2022-05-17 09:00")
        in_force(last_day=date(2022, 5, 17))
        address = reverse("operations", query={"show": "awaiting"})
        asked = HTMX | {"HX-Current-URL": f"http://testserver{address}"}
        rule = reverse("rule_operation", args=[made.pk])
        shown = client.post(rule, {"outcome": "maintained"}, headers=asked).content.decode()
        counts = " ".join(shown[shown.index('id="operation-counts"') :].split())
        assert "<strong>1</strong> opération sans décision </p>" in counts
        assert 'id="operation-theatres"' not in shown
        assert "aria-current" not in shown[shown.index('id="operation-days"') :]

    def test_a_theatre_that_has_nothing_that_day_is_no_filter(self, client):
        made = an_operation()
        asked = {"day": "2022-05-16", "unit": "4711"}
        chosen = client.get(reverse("operations"), asked).context["operations"]
        assert [one.appointment for one in chosen] == [made]


class TestNews:
    def news(self, client: Client, mark: str) -> str:
        asked = {"day": "2022-05-16", "seen": mark}
        return client.get(reverse("operation_news"), asked, headers=HTMX).content.decode()

    def mark(self, client: Client) -> str:
        return client.get(reverse("operations"), {"day": "2022-05-16"}).context["mark"]

    def test_who_reads_is_told_when_others_speak_or_rule(self, client, director):
        made = an_operation()
        in_force()
        mark = self.mark(client)
        assert "donné un avis ou décidé" not in self.news(client, mark)
        nurse = a_user("infirmier", "nurse")
        services.give_opinion(appointment_id=made.pk, by=nurse, role="nurse", view="cancel")
        assert "donné un avis ou décidé" in self.news(client, mark)
        mark = self.mark(client)
        other = a_user("directeur2", "medical_director")
        services.rule(appointment_id=made.pk, by=other, outcome="maintained")
        assert "donné un avis ou décidé" in self.news(client, mark)

    def test_what_one_does_oneself_is_no_news(self, client, director):
        made = an_operation()
        in_force()
        mark = self.mark(client)
        services.give_opinion(appointment_id=made.pk, by=director, role="surgeon", view="maintain")
        services.rule(appointment_id=made.pk, by=director, outcome="maintained")
        page = self.news(client, mark)
        assert "donné un avis ou décidé" not in page
        assert "every 15s" in page

    def test_of_other_places_nothing_is_said(self, director):
        elsewhere = signed_in(a_user("autre", "nurse", site=a_site("virton")))
        made = an_operation()
        in_force()
        mark = self.mark(elsewhere)
        services.give_opinion(appointment_id=made.pk, by=director, role="surgeon", view="maintain")
        assert "donné un avis ou décidé" not in self.news(elsewhere, mark)
