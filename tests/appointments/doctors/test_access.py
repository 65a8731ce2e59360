"""Who may open the care screens and act there: every role, the wrong site, the wrong unit."""

import pytest
from django.test import Client
from django.urls import reverse

from appointments.models import Appointment, Decision, Opinion
from staff.models import Delegation, Role
from tests.appointments.bulletins.builders import SATURDAY_NOON, in_force
from tests.builders import a_practitioner, a_site, a_unit, a_user, an_appointment
from tests.pages import HTMX, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]

SCHEDULE = {"crisis_cell", "nurse", "medical_director", "call_agent", "ward_clerk", "auditor"}
KEEPERS = {"doctor", "surgeon"}
DELEGATES = {"nurse", "ward_clerk"}  # may keep in a doctor's name, once named
SPEAKERS = {"surgeon", "nurse", "medical_director"}
WATCHERS = {"crisis_cell", "auditor"}
ACTIONS_ON_OWN = ("keep", "let_go", "undo_keep", "contacted", "not_contacted")


@pytest.fixture
def consultation() -> Appointment:
    """Return a consultation of somebody else, ruled by the bulletin."""
    made = an_appointment(practitioner=a_practitioner("dr-other"))
    in_force()
    return made


def signed_in_as(*roles: str, **place) -> Client:
    return signed_in(a_user("somebody", *roles, **place))


@pytest.mark.parametrize("role", Role.values)
def test_the_schedule_opens_for_those_who_see_it(role):
    expected = 200 if role in SCHEDULE else 403
    assert signed_in_as(role).get(reverse("schedule")).status_code == expected


@pytest.mark.parametrize("role", Role.values)
def test_an_appointment_opens_for_those_who_see_the_schedule(role, consultation):
    expected = 200 if role in SCHEDULE else 404 if role in KEEPERS else 403
    client = signed_in_as(role)
    assert client.get(reverse("appointment", args=[consultation.pk])).status_code == expected


@pytest.mark.parametrize("role", Role.values)
def test_an_operation_also_opens_for_those_whose_opinion_is_asked(role, operation):
    expected = 200 if role in SCHEDULE | SPEAKERS else 404 if role in KEEPERS else 403
    client = signed_in_as(role)
    assert client.get(reverse("appointment", args=[operation.pk])).status_code == expected


@pytest.mark.parametrize("role", Role.values)
def test_a_doctors_day_opens_for_doctors_and_who_may_be_their_delegate(role):
    expected = 200 if role in KEEPERS | DELEGATES else 403
    assert signed_in_as(role).get(reverse("doctor_day")).status_code == expected


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("name", ACTIONS_ON_OWN)
def test_nobody_decides_about_somebody_elses_patient(name, role, consultation):
    decisions = Decision.objects.count()
    expected = 404 if role in KEEPERS | DELEGATES else 403
    client = signed_in_as(role)
    assert client.post(reverse(name, args=[consultation.pk])).status_code == expected
    assert Decision.objects.count() == decisions


@pytest.mark.parametrize("role", Role.values)
def test_the_operations_open_for_those_who_speak_rule_or_watch(role):
    expected = 200 if role in SPEAKERS | WATCHERS else 403
    assert signed_in_as(role).get(reverse("operations")).status_code == expected


@pytest.mark.parametrize("role", Role.values)
def test_an_opinion_is_taken_from_those_who_are_asked(role, operation):
    speaks_as = "nurse" if role == "nurse" else "surgeon"
    answer = signed_in_as(role).post(
        reverse("give_opinion", args=[operation.pk]), {"role": speaks_as, "view": "maintain"}
    )
    assert answer.status_code == (302 if role in SPEAKERS else 403)
    assert Opinion.objects.count() == (role in SPEAKERS)


@pytest.mark.parametrize("role", Role.values)
def test_only_the_medical_director_rules(role, operation):
    answer = signed_in_as(role).post(
        reverse("rule_operation", args=[operation.pk]), {"outcome": "maintained"}
    )
    may = role == "medical_director"
    assert answer.status_code == (302 if may else 403)
    operation.refresh_from_db()
    assert operation.outcome == ("maintained" if may else "under_review")


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("schedule", "get"),
        ("appointment", "get"),
        ("doctor_day", "get"),
        ("operations", "get"),
        *((name, "post") for name in (*ACTIONS_ON_OWN, "give_opinion", "rule_operation")),
    ],
)
class TestWithoutARole:
    def address(self, name: str) -> str:
        takes_none = {"schedule", "doctor_day", "operations"}
        return reverse(name, args=[] if name in takes_none else [an_appointment().pk])

    def test_a_stranger_is_sent_to_the_sign_in(self, name, method):
        answer = getattr(Client(), method)(self.address(name))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))

    def test_a_person_without_any_role_is_refused(self, name, method):
        assert getattr(signed_in_as(), method)(self.address(name)).status_code == 403


@pytest.mark.parametrize("name", [*ACTIONS_ON_OWN, "give_opinion", "rule_operation"])
def test_reading_an_address_never_decides(name, operation):
    client = signed_in_as("surgeon", "medical_director")
    assert client.get(reverse(name, args=[operation.pk])).status_code == 405


class TestTheWrongPlace:
    @pytest.mark.parametrize("role", sorted(SCHEDULE | SPEAKERS))
    def test_an_appointment_of_another_site_is_not_found(self, role, operation):
        client = signed_in_as(role, site=a_site("virton"))
        assert client.get(reverse("appointment", args=[operation.pk])).status_code == 404

    @pytest.mark.parametrize("role", sorted(SCHEDULE | SPEAKERS))
    def test_an_appointment_of_another_unit_of_the_site_is_not_found(self, role, operation):
        client = signed_in_as(role, unit=a_unit("arlon-ortho"))
        assert client.get(reverse("appointment", args=[operation.pk])).status_code == 404

    def test_an_appointment_of_ones_own_unit_is_found(self, operation):
        client = signed_in_as("ward_clerk", unit=operation.unit)
        assert client.get(reverse("appointment", args=[operation.pk])).status_code == 200

    def test_the_schedule_lists_ones_own_places_only(self, operation):
        an_appointment(unit=a_unit("virton-cardio", site="virton"))
        client = signed_in_as("ward_clerk", unit=operation.unit)
        page = client.get(reverse("schedule")).context["page"]
        assert [row.pk for row in page.items] == [operation.pk]

    def test_asking_the_schedule_for_another_site_lists_nothing_and_says_so(self, operation):
        a_site("virton")
        answer = signed_in_as("ward_clerk", unit=operation.unit).get(
            reverse("schedule"), {"site": "virton"}
        )
        assert answer.context["page"].items == []
        assert "refusal" in answer.content.decode()

    @pytest.mark.parametrize("role", sorted(SPEAKERS))
    def test_operations_of_another_site_are_neither_listed_nor_spoken_of(self, role, operation):
        client = signed_in_as(role, site=a_site("virton"))
        day = client.get(reverse("operations"), {"day": "2022-05-16"})
        assert day.context["operations"] == []
        opinion = {"role": "surgeon", "view": "maintain"}
        address = reverse("give_opinion", args=[operation.pk])
        assert client.post(address, opinion).status_code == 404
        assert Opinion.objects.count() == 0

    def test_a_director_of_one_site_does_not_rule_at_another(self, operation):
        client = signed_in_as("medical_director", site=a_site("virton"))
        address = reverse("rule_operation", args=[operation.pk])
        assert client.post(address, {"outcome": "cancelled"}).status_code == 404

    def test_who_only_watches_a_site_does_not_rule_there(self, operation):
        user = a_user("both", "crisis_cell")
        user.role_assignments.create(role="medical_director", site=a_site("virton"))
        client = signed_in(user)
        address = reverse("rule_operation", args=[operation.pk])
        assert client.post(address, {"outcome": "cancelled"}).status_code == 403
        page = client.get(reverse("operations"), {"day": "2022-05-16"})
        assert not page.context["operations"][0].may_rule


class TestOnesOwn:
    def test_a_surgeon_who_directs_another_site_is_sent_to_the_operation(self):
        surgeon = a_user("chirurgien", "surgeon")
        surgeon.role_assignments.create(role="medical_director", site=a_site("virton"))
        theatre = a_unit("arlon-bloc", kind="operating_theatre")
        doctor = a_practitioner("dr-s", user=surgeon)
        own = an_appointment(service="surgery", unit=theatre, practitioner=doctor)
        in_force()
        client = signed_in(surgeon)
        day = client.get(reverse("doctor_day")).content.decode()
        assert "Seul le Directeur médical décide de cette opération." in day
        assert f"/operations/?day=2022-05-16#operation-{own.pk}" in day
        assert reverse("keep", args=[own.pk]) + '" hx' not in day
        for name in ("keep", "let_go", "undo_keep"):
            answer = client.post(reverse(name, args=[own.pk]), headers=HTMX)
            assert answer.status_code == 409
        own.refresh_from_db()
        assert own.outcome == "under_review"
        page = client.get(reverse("operations"), {"day": "2022-05-16"})
        assert "Seul le Directeur médical décide" in page.content.decode()

    def test_a_doctor_who_may_not_open_operations_gets_no_link_to_them(self):
        doctor = a_user("docteur", "doctor")
        an_appointment(service="surgery", practitioner=a_practitioner("dr-1", user=doctor))
        in_force()
        client = signed_in(doctor)
        assert "/operations/" not in client.get(reverse("doctor_day")).content.decode()

    def test_a_doctor_opens_and_keeps_their_own(self):
        doctor = a_user("docteur", "doctor", site=a_site("virton"))
        own = an_appointment(practitioner=a_practitioner("dr-1", user=doctor))
        in_force()
        client = signed_in(doctor)
        assert client.get(reverse("appointment", args=[own.pk])).status_code == 200
        assert client.post(reverse("keep", args=[own.pk])).status_code == 302
        own.refresh_from_db()
        assert own.outcome == "maintained"

    def test_a_delegate_does_so_until_the_delegation_is_taken_back(self, consultation):
        delegate = a_user("delegate", "doctor")
        lent = Delegation.objects.create(
            practitioner=consultation.practitioner, delegate=delegate, given_at=SATURDAY_NOON
        )
        client = signed_in(delegate)
        address = reverse("keep", args=[consultation.pk])
        assert client.post(address).status_code == 302
        lent.revoked_at = SATURDAY_NOON
        lent.save()
        assert client.post(address).status_code == 404
        assert client.get(reverse("appointment", args=[consultation.pk])).status_code == 404
