"""A refused ruling or opinion gives back what was typed: nobody writes a reason twice."""

import pytest
from django.test import Client
from django.urls import reverse

from appointments.operations import services
from tests.builders import a_user
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]
REASON = 'value="Sang &lt;rare&gt; commandé"'


def signed_in_as(*roles: str) -> Client:
    return signed_in(a_user("quelqu_un", *roles))


def sent(client: Client, name: str, pk: int, **words: str):
    words |= {"reason": "Sang <rare> commandé"}
    return client.post(reverse(name, args=[pk]), words, headers=HTMX)


class TestARuling:
    def test_comes_back_open_with_its_reason(self, operation):
        director = signed_in_as("medical_director")
        services.give_opinion(
            appointment_id=operation.pk,
            by=a_user("chirurgien", "surgeon"),
            role="surgeon",
            view="cancel",
        )
        answer = sent(director, "rule_operation", operation.pk, outcome="cancelled", heard="0")
        page = answer.content.decode()
        assert answer.status_code == 409
        assert page.count(REASON) == 1
        assert page.count('<details class="reason" open>') == 1

    def test_that_was_accepted_leaves_nothing_behind(self, operation):
        director = signed_in_as("medical_director")
        answer = sent(director, "rule_operation", operation.pk, outcome="maintained")
        assert answer.status_code == 200
        assert REASON not in answer.content.decode()

    def test_to_another_day_comes_back_in_its_own_form(self, operation):
        words = {"outcome": "postponed", "postponed_to": "2022-05-16"}
        answer = sent(signed_in_as("medical_director"), "rule_operation", operation.pk, **words)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert page.count(REASON) == 1
        assert page.index("Nouveau jour") < page.index('value="2022-05-16"') < page.index(REASON)


class TestAnOpinion:
    def test_without_a_view_comes_back_with_its_comment_and_role(self, operation):
        speaker = signed_in_as("surgeon")
        words = {"role": "anaesthetist", "comment": "Allergie au <latex>"}
        page = sent(speaker, "give_opinion", operation.pk, **words).content.decode()
        assert 'value="Allergie au &lt;latex&gt;"' in page
        assert '<option value="anaesthetist" selected>' in page
