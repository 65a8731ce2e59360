"""Under which number and which name a hospital is seen on a phone."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from staff import phone_numbers
from staff.models import AuditEvent, Site
from tests.builders import a_site, a_user


class TestNumbers:
    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("+3263231111", "+3263231111"),
            ("063/23.11.11", "+3263231111"),
            ("00 352 621 123 456", "+352621123456"),
            ("+33 3 82 00 00 00", "+33382000000"),
        ],
    )
    def test_a_number_is_read_as_people_write_it(self, written, number) -> None:
        assert phone_numbers.international(written) == number

    @pytest.mark.parametrize("written", ["", "063", "rappel", "+32", "+32632311112222", "+999123"])
    def test_what_cannot_be_dialled_is_refused_by_name(self, written) -> None:
        with pytest.raises(ValidationError, match="n'est pas un numéro") as refusal:
            phone_numbers.international(written)
        assert f"« {written} »" in refusal.value.message


class TestSenders:
    @pytest.mark.parametrize("sender", ["", "Vivalia", "Vivalia1234", "1Hopital", "A"])
    def test_a_short_name_is_kept_as_it_is(self, sender) -> None:
        assert phone_numbers.sender(sender) == sender

    def test_a_number_becomes_e164(self) -> None:
        assert phone_numbers.sender("+32 460 00 00 00") == "+32460000000"

    @pytest.mark.parametrize(
        "sender",
        ["Vivalia12345", "Hôpital", "Vivalia Ln", "063231111", "8888", "Viva\nlia", "é", "Via!"],
    )
    def test_another_is_refused_with_what_would_do(self, sender) -> None:
        with pytest.raises(ValidationError, match="11 lettres"):
            phone_numbers.sender(sender)


@pytest.mark.django_db
class TestTheDatabase:
    def test_it_keeps_no_name_that_is_too_long_for_a_phone(self) -> None:
        refused = pytest.raises(IntegrityError, match="site_sms_sender_short_or_number")
        with refused, transaction.atomic():
            a_site("arlon", sms_sender="DouzeLettres")
        assert not Site.objects.exists()


@pytest.mark.django_db
class TestTheReferenceData:
    @pytest.fixture
    def administrator(self, client: Client) -> Client:
        ada = a_user("ada")
        ada.is_staff = True
        ada.save()
        client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def save(self, administrator: Client, **numbers: str) -> str:
        site = a_site("arlon")
        values = {"code": "arlon", "name": "Arlon", "callback_number": "+3263000000", **numbers}
        address = reverse("admin:staff_site_change", args=[site.pk])
        return administrator.post(address, values, follow=True).content.decode()

    def test_a_site_gets_its_numbers_as_e164_and_the_trail_says_so(self, administrator) -> None:
        self.save(administrator, callback_number="063 23 11 11", sms_sender="Vivalia")
        site = Site.objects.get()
        assert (site.callback_number, site.sms_sender) == ("+3263231111", "Vivalia")
        assert AuditEvent.objects.filter(action="site.changed").exists()

    def test_wrong_numbers_are_both_named_and_nothing_is_saved(self, administrator) -> None:
        page = self.save(administrator, callback_number="063", sms_sender="Hôpital d'Arlon")
        assert "« 063 » n&#x27;est pas un numéro" in page
        assert "ne peut pas être un expéditeur" in page
        assert Site.objects.get().sms_sender == ""

    def test_a_missing_number_is_asked_for_once(self, administrator) -> None:
        page = self.save(administrator, callback_number="")
        assert page.count("obligatoire") == 1
        assert "n&#x27;est pas un numéro" not in page
