"""A practitioner names who keeps patients in their name, and takes it back."""

import pytest
from django.test import Client
from django.urls import reverse

from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent, Delegation, Role, User
from staff.services import delegations
from tests.builders import a_practitioner, a_user
from tests.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague() -> User:
    return a_user("collegue", Role.SURGEON, first_name="Ada", last_name="Aide")


def named(doctor: User, delegate: User) -> Delegation:
    return delegations.name(
        practitioner_id=doctor.practitioner.pk, delegate_id=delegate.pk, by=doctor
    )


def actions() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__startswith="delegation")
        .order_by("sequence")
        .values_list("action", flat=True)
    )


class TestNaming:
    def test_it_is_given_once_however_often_it_is_asked(self, doctor, colleague):
        given = named(doctor, colleague)
        assert named(doctor, colleague) == given
        assert actions() == ["delegation.given"]
        event = AuditEvent.objects.get(action="delegation.given")
        assert event.detail == {"practitioner": "dr-1", "delegate": "collegue"}

    @pytest.mark.parametrize("role", Role.values)
    def test_doctors_nurses_and_secretaries_are_named_and_nobody_else(self, doctor, role):
        other = a_user("autre", role)
        if role in (Role.DOCTOR, Role.SURGEON, Role.NURSE, Role.WARD_CLERK):
            assert named(doctor, other).delegate == other
        else:
            with pytest.raises(Refusal, match="dont le rôle permet de garder"):
                named(doctor, other)

    def test_an_account_that_is_closed_is_not_named(self, doctor, colleague):
        User.objects.filter(pk=colleague.pk).update(is_active=False)
        with pytest.raises(Refusal):
            named(doctor, colleague)

    def test_nobody_names_themselves_or_nobody(self, doctor):
        for delegate_id in (doctor.pk, 10**9):
            with pytest.raises(Refusal):
                delegations.name(
                    practitioner_id=doctor.practitioner.pk, delegate_id=delegate_id, by=doctor
                )

    def test_a_delegate_names_no_other(self, doctor, colleague):
        named(doctor, colleague)
        with pytest.raises(AccessRefused):
            delegations.name(
                practitioner_id=doctor.practitioner.pk,
                delegate_id=a_user("tiers", Role.DOCTOR).pk,
                by=colleague,
            )
        assert Delegation.objects.count() == 1


class TestRevoking:
    def test_it_ends_once_and_may_be_given_again(self, doctor, colleague):
        given = named(doctor, colleague)
        ended = delegations.revoke(delegation_id=given.pk, by=doctor)
        again = delegations.revoke(delegation_id=given.pk, by=doctor)
        assert ended.revoked_at == again.revoked_at is not None
        assert named(doctor, colleague) != given
        assert actions() == ["delegation.given", "delegation.revoked", "delegation.given"]

    def test_only_who_gave_it_takes_it_back(self, doctor, colleague):
        given = named(doctor, colleague)
        for by, pk in ((colleague, given.pk), (doctor, 10**9)):
            with pytest.raises(AccessRefused):
                delegations.revoke(delegation_id=pk, by=by)
        given.refresh_from_db()
        assert given.revoked_at is None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_name_once(doctor, colleague):
    first, second = together(lambda: named(doctor, colleague), lambda: named(doctor, colleague))
    assert first == second
    assert actions() == ["delegation.given"]


class TestThePage:
    @pytest.fixture
    def client(self, doctor) -> Client:
        client = Client()
        client.force_login(doctor)
        return client

    def test_naming_and_taking_back_are_said_back(self, client, colleague):
        page = client.post(reverse("delegates"), {"delegate": colleague.pk}, follow=True)
        assert "Ada AIDE peut maintenant garder vos patients" in page.content.decode()
        given = Delegation.objects.get()
        page = client.post(reverse("delegate_revoke", args=[given.pk]), follow=True)
        assert "Ada AIDE ne garde plus de patients" in page.content.decode()
        assert "Personne ne garde de patients en votre nom" in page.content.decode()

    def test_only_colleagues_who_keep_patients_are_offered(self, client, doctor, colleague):
        for role in Role.values:
            a_user(f"un {role}", role)
        offered = client.get(reverse("delegates")).context["form"].fields["delegate"].queryset
        assert {user.username for user in offered} == {
            "collegue",
            "un doctor",
            "un surgeon",
            "un nurse",
            "un ward_clerk",
        }

    @pytest.mark.parametrize(
        ("sent", "sentence"), [("", "Choisissez d&#x27;abord"), ("999999", "dont le rôle permet")]
    )
    def test_a_bad_choice_is_said_at_the_field(self, client, sent, sentence):
        answer = client.post(reverse("delegates"), {"delegate": sent})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()

    def test_whoever_has_no_agenda_is_told_what_to_do(self, colleague):
        client = Client()
        client.force_login(colleague)
        page = client.get(reverse("delegates")).content.decode()
        assert "n'est lié à aucun praticien" in page.replace("&#x27;", "'")
        assert client.post(reverse("delegates"), {"delegate": "1"}).status_code == 422

    def test_another_s_delegation_is_not_taken_back(self, client, colleague):
        other = a_practitioner("dr-2", user=a_user("autre", Role.DOCTOR))
        given = delegations.name(practitioner_id=other.pk, delegate_id=colleague.pk, by=other.user)
        page = client.post(reverse("delegate_revoke", args=[given.pk]), follow=True)
        assert "que pour vos propres patients" in page.content.decode()
        given.refresh_from_db()
        assert given.revoked_at is None

    def test_the_doctor_s_day_leads_there_but_not_in_another_s_name(self, client, doctor):
        other = a_practitioner("dr-2")
        other.delegations.create(delegate=doctor, given_at="2022-05-14T12:00:00+02:00")
        own = client.get(reverse("doctor_day")).content.decode()
        lent = client.get(reverse("doctor_day"), {"practitioner": "dr-2"}).content.decode()
        assert reverse("delegates") in own
        assert reverse("delegates") not in lent

    def test_the_number_of_queries_does_not_grow_with_the_delegates(
        self, client, doctor, django_assert_max_num_queries
    ):
        queries = []
        for number in (1, 5):
            for n in range(number):
                named(doctor, a_user(f"c{number}-{n}", Role.DOCTOR))
            with django_assert_max_num_queries(30) as counted:
                client.get(reverse("delegates"))
            queries.append(len(counted))
        assert queries[0] == queries[1]
