"""Several patients at once: each is done or refused by itself, and all may be asked again."""

import pytest

from appointments.decisions.keeping import MOST, Done, decide_several, keep, let_go
from appointments.models import Appointment, Decision
from notifications.models import Notice
from staff.errors import Refusal
from staff.models import User
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.builders import a_patient, a_user, an_appointment
from tests.together import together

pytestmark = pytest.mark.usefixtures("saturday_noon")


def consultations(doctor: User, number: int, **fields) -> list[Appointment]:
    """Return consultations of a doctor that the bulletin cancels."""
    made = [an_appointment(practitioner=doctor.practitioner, **fields) for _ in range(number)]
    in_force()
    return made


def outcomes() -> list[tuple[str, str]]:
    return list(Appointment.objects.order_by("id").values_list("outcome", "outcome_basis"))


@pytest.mark.django_db
class TestOneAfterTheOther:
    def test_all_are_kept_with_the_same_reason(self, doctor):
        made = consultations(doctor, 3)
        ids = [one.pk for one in made]
        assert decide_several(keep, appointment_ids=ids[::-1], by=doctor, reason="Suites") == [
            Done(pk) for pk in ids
        ]
        assert set(outcomes()) == {("maintained", "person")}
        by_person = Decision.objects.filter(basis="person")
        assert set(by_person.values_list("reason", flat=True)) == {"Suites"}

    def test_one_that_is_refused_stops_no_other(self, doctor):
        first, last = consultations(doctor, 2)
        nobody_may = an_appointment(practitioner=doctor.practitioner, service="radiology")
        in_force()
        ids = [first.pk, nobody_may.pk, last.pk, 10**9]
        done = {
            one.appointment_id: one.refusal
            for one in decide_several(keep, appointment_ids=ids, by=doctor)
        }
        assert (done[first.pk], done[last.pk]) == ("", "")
        assert "ne laisse personne garder" in done[nobody_may.pk]
        assert "n'existe pas" in done[10**9]
        assert [basis for _outcome, basis in outcomes()] == ["person", "person", "clause"]

    def test_asking_again_changes_nothing(self, doctor):
        ids = [one.pk for one in consultations(doctor, 3)]
        first = decide_several(let_go, appointment_ids=ids, by=doctor)
        assert decide_several(let_go, appointment_ids=[*ids, ids[0]], by=doctor) == first
        assert Decision.objects.filter(basis="person").count() == 3

    def test_what_somebody_else_decided_unseen_is_refused(self, doctor):
        (one,) = consultations(doctor, 1)
        colleague = a_user("collegue", "doctor")
        doctor.practitioner.delegations.create(delegate=colleague, given_at=SATURDAY_NOON)
        decide_several(let_go, appointment_ids=[one.pk], by=colleague)
        (done,) = decide_several(keep, appointment_ids=[one.pk], by=doctor, seen={one.pk: 1})
        assert "collegue a décidé entre-temps : annulé" in done.refusal

    def test_more_than_a_page_is_refused_as_a_whole(self, doctor):
        with pytest.raises(Refusal, match="au plus 30"):
            decide_several(keep, appointment_ids=range(1, MOST + 2), by=doctor)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_two_who_keep_overlapping_sets_neither_block_nor_decide_twice(self, doctor):
        patient = a_patient()  # all of one patient: each decision waits for the others
        made = consultations(doctor, 6, patient=patient)
        ids = [one.pk for one in made]
        delegate = a_user("collegue", "doctor")
        doctor.practitioner.delegations.create(delegate=delegate, given_at=SATURDAY_NOON)
        results = together(
            lambda: decide_several(keep, appointment_ids=ids[:4], by=doctor),
            lambda: decide_several(keep, appointment_ids=ids[2:][::-1], by=delegate),
        )
        assert results == [[Done(pk) for pk in ids[:4]], [Done(pk) for pk in ids[2:]]]
        assert Decision.objects.filter(basis="person").count() == 6
        assert Notice.objects.filter(state="open").count() == 1

    def test_keeping_against_letting_go_ends_with_one_answer_each(self, doctor):
        ids = [one.pk for one in consultations(doctor, 5)]
        delegate = a_user("collegue", "doctor")
        doctor.practitioner.delegations.create(delegate=delegate, given_at=SATURDAY_NOON)
        seen = dict.fromkeys(ids, 1)
        results = together(
            lambda: decide_several(keep, appointment_ids=ids, by=doctor, seen=seen),
            lambda: decide_several(let_go, appointment_ids=ids, by=delegate, seen=seen),
        )
        assert not [result for result in results if isinstance(result, Exception)]
        refused = [done.appointment_id for result in results for done in result if done.refusal]
        assert sorted(refused) == ids  # of the two, the one who came second
        assert Decision.objects.filter(basis="person").count() == 5
