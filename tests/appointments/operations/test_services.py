"""The Medical Director rules on operations; colleagues give their opinion."""

import pytest

from appointments.decisions import keeping
from appointments.operations import services as operations
from appointments.rules import ClauseTerms
from notifications.models import Delivery
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.appointments.decisions.told import states
from tests.builders import a_practitioner, a_site, a_user, an_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


class TestOperations:
    @pytest.mark.parametrize("outcome", ["maintained", "cancelled"])
    def test_the_director_rules_and_a_person_calls(self, operation, outcome):
        director = a_user("directeur", "medical_director")
        operations.rule(appointment_id=operation.pk, by=director, outcome=outcome)
        operation.refresh_from_db()
        assert (operation.outcome, operation.outcome_basis) == (outcome, "person")
        assert states(operation) == [("open", outcome)]
        call = Delivery.objects.get()
        assert (call.channel, call.state, call.not_before) == ("phone", "queued", SATURDAY_NOON)

    @pytest.mark.parametrize("role", ["surgeon", "nurse", "crisis_cell", "doctor"])
    def test_nobody_else_rules(self, operation, role):
        with pytest.raises(AccessRefused):
            operations.rule(appointment_id=operation.pk, by=a_user("x", role), outcome="cancelled")

    def test_a_director_of_another_site_does_not_rule(self, operation):
        elsewhere = a_user("x", "medical_director", site=a_site("virton"))
        with pytest.raises(AccessRefused, match="ressort"):
            operations.rule(appointment_id=operation.pk, by=elsewhere, outcome="cancelled")

    @pytest.mark.parametrize("kept_by", ["doctor", "nobody"])
    def test_the_director_alone_rules_whatever_the_clause_says(self, doctor, kept_by):
        """A clause on all services may not know that there are operations among them."""
        operation = an_appointment(service="surgery", practitioner=doctor.practitioner)
        in_force(ClauseTerms("cancel", "cancelled", kept_by=kept_by))
        with pytest.raises(Refusal, match="Seul le Directeur médical"):
            keeping.keep(appointment_id=operation.pk, by=doctor)
        operations.rule(
            appointment_id=operation.pk,
            by=a_user("directeur", "medical_director"),
            outcome="maintained",
        )
        operation.refresh_from_db()
        assert (operation.outcome, operation.outcome_basis) == ("maintained", "person")

    @pytest.mark.parametrize("decide", [keeping.keep, keeping.let_go, keeping.undo])
    def test_who_directs_elsewhere_does_not_rule_on_their_own_operation(self, decide):
        surgeon = a_user("chirurgien", "surgeon")
        surgeon.role_assignments.create(role="medical_director", site=a_site("virton"))
        own = an_appointment(service="surgery", practitioner=a_practitioner("dr-s", user=surgeon))
        in_force()
        with pytest.raises(Refusal, match="Seul le Directeur médical"):
            decide(appointment_id=own.pk, by=surgeon)
        own.refresh_from_db()
        assert own.outcome == "under_review"

    def test_a_changed_ruling_before_the_call_replaces_it(self, operation):
        director = a_user("directeur", "medical_director")
        for outcome in ("maintained", "cancelled"):
            operations.rule(appointment_id=operation.pk, by=director, outcome=outcome)
        assert states(operation) == [("withdrawn", "maintained"), ("open", "cancelled")]

    def test_opinions_are_noted_and_change_nothing(self, operation):
        nurse = a_user("nurse", "nurse")
        operations.give_opinion(appointment_id=operation.pk, by=nurse, role="nurse", view="cancel")
        operation.refresh_from_db()
        assert operation.outcome == "under_review"
        assert operation.opinions.get().given_by == nurse

    def test_an_opinion_sent_twice_is_noted_once(self, operation):
        nurse = a_user("nurse", "nurse")
        said = {"by": nurse, "role": "nurse", "view": "cancel", "comment": "Pas de lit"}
        first = operations.give_opinion(appointment_id=operation.pk, **said)
        assert operations.give_opinion(appointment_id=operation.pk, **said) == first
        assert operation.opinions.count() == 1
        assert AuditEvent.objects.filter(action="operation.opinion").count() == 1

    def test_another_view_another_comment_or_another_person_is_a_new_opinion(self, operation):
        nurse, colleague = a_user("nurse", "nurse"), a_user("nurse2", "nurse")
        for by, view, comment in (
            (nurse, "cancel", "Pas de lit"),
            (nurse, "maintain", "Pas de lit"),
            (nurse, "cancel", "Pas de lit"),  # back again: no repetition of the newest
            (nurse, "cancel", ""),
            (colleague, "cancel", ""),
        ):
            operations.give_opinion(
                appointment_id=operation.pk, by=by, role="nurse", view=view, comment=comment
            )
        assert operation.opinions.count() == 5

    def test_an_opinion_is_about_an_operation(self):
        nurse = a_user("nurse", "nurse")
        with pytest.raises(Refusal, match="opération"):
            operations.give_opinion(
                appointment_id=an_appointment().pk, by=nurse, role="nurse", view="cancel"
            )

    def test_a_nurse_does_not_speak_as_the_surgeon(self, operation):
        nurse = a_user("nurse", "nurse")
        with pytest.raises(Refusal, match="Choisissez votre rôle"):
            operations.give_opinion(
                appointment_id=operation.pk, by=nurse, role="surgeon", view="cancel"
            )
