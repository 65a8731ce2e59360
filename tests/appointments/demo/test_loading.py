"""The demo hospital in the database: the same counts, people who can sign in, and only once."""

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from appointments.demo.accounts import ACCOUNTS, DEMO_PASSWORD
from appointments.demo.hospital import BULLETIN_DAY, DemoHospital, build
from appointments.demo.loading import load_demo, load_reference_data
from appointments.models import Appointment
from patients.models import Patient
from staff.access import Capability, scope_of
from staff.errors import Refusal
from staff.models import Practitioner, Role, RoleAssignment, Site, Unit, User

pytestmark = pytest.mark.django_db


def test_the_whole_hospital_lands_and_says_how_far_it_is():
    said: list[str] = []
    result = load_demo(report=said.append)
    assert (result.rejected, result.remarks) == ([], [])
    assert Appointment.objects.count() == result.created > 20_000
    assert Patient.objects.count() == 9000
    assert Practitioner.objects.count() == 250
    assert Patient.objects.filter(mobile="").count() == 720
    assert 60 <= Patient.objects.filter(national_number_valid=False).count() <= 160
    assert len(said) == 3


@pytest.fixture(scope="module")
def hospital() -> DemoHospital:
    """Build a smaller hospital, which no test can change."""
    return build(patients=2000)


@pytest.fixture
def people(hospital):
    """Load the reference data and the accounts alone."""
    load_reference_data(hospital)


def test_everybody_signs_in_with_the_one_password(people):
    request = RequestFactory().post("/account/login/")
    for account in ACCOUNTS:
        assert authenticate(request, username=account.username, password=DEMO_PASSWORD)


def test_every_role_has_somebody(people):
    assert set(RoleAssignment.objects.values_list("role", flat=True)) == set(Role.values)


def test_two_members_of_the_crisis_cell_can_approve_each_other(people):
    for name in ("crise1", "crise2"):
        user = User.objects.get(username=name)
        assert scope_of(user, Capability.APPROVE_BULLETIN).everywhere


def test_a_clerk_is_bound_to_a_site_and_another_to_a_unit(people):
    of_site = scope_of(User.objects.get(username="secretariat"), Capability.PRINT_ROSTERS)
    of_unit = scope_of(User.objects.get(username="secretariat2"), Capability.PRINT_ROSTERS)
    assert of_site.site_ids == {Site.objects.get(code="arlon").pk}
    assert of_unit.unit_ids == {Unit.objects.get(code="libramont-cardio").pk}


def test_doctors_and_surgeon_have_an_agenda_on_the_day(people, hospital):
    for name in ("docteur1", "docteur2", "docteur3", "chirurgien"):
        doctor = User.objects.get(username=name).practitioner
        mine = [
            record
            for record in hospital.records
            if record.practitioner_code == doctor.code and record.starts_at.date() == BULLETIN_DAY
        ]
        assert len(mine) >= 2
        account = f"{doctor.given_name} {doctor.family_name.upper()}"
        assert str(User.objects.get(username=name)) == account


def test_a_hospital_is_never_loaded_over_another(people):
    with pytest.raises(Refusal, match="déjà un hôpital"):
        load_demo()
