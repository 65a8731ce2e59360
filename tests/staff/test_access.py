"""Who may do what, and where: roles give capabilities, assignments give places."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from appointments.models import Appointment
from staff.access import (
    GRANTS,
    AccessScope,
    Capability,
    may,
    require,
    require_everywhere,
    requires,
    scope_of,
)
from staff.errors import AccessRefused
from staff.models import Role, RoleAssignment, User
from tests.builders import a_site, a_unit, a_user, an_appointment

pytestmark = pytest.mark.django_db
SEE = Capability.SEE_SCHEDULE


def test_every_role_is_granted_something_and_every_capability_is_held_by_some_role():
    assert set(GRANTS) == set(Role)
    assert frozenset().union(*GRANTS.values()) == set(Capability)


def test_the_auditor_changes_nothing():
    changing = set(Capability) - {
        Capability.SEE_BOARD,
        Capability.SEE_SCHEDULE,
        Capability.SEE_BULLETINS,
        Capability.SEE_OUTBOX,
        Capability.SEE_TRAIL,
    }
    assert not GRANTS[Role.AUDITOR] & changing


@pytest.mark.parametrize(
    ("capability", "roles"),
    [
        (Capability.APPROVE_BULLETIN, {Role.CRISIS_CELL}),
        (Capability.HOLD_SENDING, {Role.CRISIS_CELL}),
        (Capability.RULE_ON_OPERATIONS, {Role.MEDICAL_DIRECTOR}),
        (Capability.SEE_TRAIL, {Role.AUDITOR}),
    ],
)
def test_what_only_one_role_may_do(capability, roles):
    assert {role for role in Role if capability in GRANTS[role]} == roles


def test_a_role_without_a_place_holds_everywhere():
    scope = scope_of(a_user("anne", Role.WARD_CLERK), SEE)
    assert scope.everywhere
    assert scope.covers(site_id=1, unit_id=2)


def test_a_role_at_a_site_covers_its_units_and_no_other_site():
    arlon, virton = a_site("arlon"), a_site("virton")
    scope = scope_of(a_user("anne", Role.WARD_CLERK, site=arlon), SEE)
    assert scope.covers(site_id=arlon.pk, unit_id=a_unit(site=arlon).pk)
    assert not scope.covers(site_id=virton.pk, unit_id=a_unit("v", site=virton).pk)


def test_a_role_in_a_unit_covers_that_unit_alone():
    mine, other = a_unit("mine"), a_unit("other")
    scope = scope_of(a_user("anne", Role.WARD_CLERK, unit=mine), SEE)
    assert scope.covers(site_id=mine.site_id, unit_id=mine.pk)
    assert not scope.covers(site_id=other.site_id, unit_id=other.pk)


def test_several_assignments_add_up():
    user = a_user("anne", Role.WARD_CLERK, unit=a_unit("mine"))
    RoleAssignment.objects.create(user=user, role=Role.NURSE, site=a_site("virton"))
    scope = scope_of(user, SEE)
    assert scope == AccessScope(
        site_ids=frozenset({a_site("virton").pk}), unit_ids=frozenset({a_unit("mine").pk})
    )


def test_a_capability_of_another_role_at_a_place_lends_it_no_wider_reach():
    user = a_user("anne", Role.WARD_CLERK, site=a_site("arlon"))
    RoleAssignment.objects.create(user=user, role=Role.DOCTOR)  # keeps everywhere, sees no schedule
    assert not scope_of(user, SEE).everywhere
    assert scope_of(user, Capability.KEEP).everywhere


@pytest.mark.parametrize("state", ["stranger", "inactive", "without role"])
def test_who_has_no_role_may_nothing(state):
    user = AnonymousUser() if state == "stranger" else a_user("anne")
    if state == "inactive":
        RoleAssignment.objects.create(user=user, role=Role.AUDITOR)
        user.is_active = False
    assert not any(may(user, capability) for capability in Capability)


def test_a_superuser_without_a_role_may_nothing_with_patients():
    user = a_user("anne")
    user.is_superuser = user.is_staff = True
    assert not any(may(user, capability) for capability in Capability)


def test_a_list_is_narrowed_to_the_scope():
    mine, other = a_unit("mine", site="arlon"), a_unit("other", site="virton")
    seen = an_appointment(unit=mine)
    an_appointment(unit=other)
    for user in (
        a_user("anne", Role.WARD_CLERK, site=mine.site),
        a_user("luc", Role.WARD_CLERK, unit=mine),
    ):
        assert list(Appointment.objects.filter(scope_of(user, SEE).units())) == [seen]
    everything = AccessScope().units() | scope_of(a_user("tout", Role.WARD_CLERK), SEE).units()
    assert Appointment.objects.filter(everything).count() == 2


def test_a_scope_of_nowhere_finds_nothing():
    an_appointment()
    assert not Appointment.objects.filter(AccessScope().units()).exists()


def test_require_returns_the_scope_or_refuses():
    user = a_user("anne", Role.WARD_CLERK, site=a_site())
    assert require(user, SEE).site_ids == {a_site().pk}
    with pytest.raises(AccessRefused):
        require(user, Capability.SEE_TRAIL)


def test_what_holds_for_the_group_is_refused_to_a_site():
    with pytest.raises(AccessRefused, match="tout le groupe"):
        require_everywhere(
            a_user("anne", Role.CRISIS_CELL, site=a_site()), Capability.APPROVE_BULLETIN
        )
    require_everywhere(a_user("luc", Role.CRISIS_CELL), Capability.APPROVE_BULLETIN)


def test_scopes_cost_one_query_for_each_user(django_assert_num_queries):
    user = User.objects.get(pk=a_user("anne", Role.CRISIS_CELL).pk)
    with django_assert_num_queries(1):
        for capability in Capability:
            scope_of(user, capability)


def asked_by(rf: RequestFactory, user, *capabilities: Capability) -> HttpResponse:
    request = rf.get("/quelque-part/")
    request.user = user
    return requires(*capabilities)(lambda request: HttpResponse("vu"))(request)


def test_a_view_opens_with_any_one_of_its_capabilities(rf: RequestFactory):
    clerk = a_user("anne", Role.WARD_CLERK)
    assert asked_by(rf, clerk, Capability.SEE_TRAIL, SEE).content == b"vu"
    with pytest.raises(AccessRefused):
        asked_by(rf, clerk, Capability.SEE_TRAIL)


def test_a_view_asks_a_stranger_to_sign_in(rf: RequestFactory):
    assert asked_by(rf, AnonymousUser(), SEE).status_code == 302


def test_the_database_refuses_a_role_at_a_site_and_in_a_unit_at_once():
    user, unit = a_user("anne"), a_unit()
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(user=user, role=Role.NURSE, site=unit.site, unit=unit)


def test_the_database_refuses_the_same_role_twice():
    user = a_user("anne", Role.NURSE)
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleAssignment.objects.create(user=user, role=Role.NURSE)
