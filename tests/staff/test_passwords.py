"""Passwords that somebody who knows the hospital would try."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from staff.models import AccountChange, AuditEvent, User
from staff.passwords import why_guessable


@pytest.mark.parametrize(
    "password",
    [
        *("aaaaaaaaaaaa", "abcabcabcabc", "xyxyxyxyxyxyxy", "Ardenne1Ardenne1"),
        *("123456789012", "abcdefghijkl", "987654321098"),
        *("Motdepasse2026!", "M0tdep@sse2026", "bonjour123456", "Soleil2022!!!", "bonjoursoleil1"),
        *("Wachtwoord2026", "welkom123456!", "azertyuiop12", "Décembre2026!", "Vivalia-2026-!"),
        *("hopital.arlon6", "202605140930!"),
    ],
)
def test_what_people_here_would_try_is_refused(password):
    assert why_guessable(password)


@pytest.mark.parametrize(
    "password",
    [
        *("cheval vert sous la table", "7rK!pq-Vm2xw", "tramontane-9-girafe", "motdepasse-de-test"),
        *("bonjour soleil chocolat maison", "Wk4$zzq81LmP", "Écluse;Brume;Orge"),
    ],
)
def test_words_without_a_link_and_drawn_signs_are_accepted(password):
    assert why_guessable(password) == ""


@pytest.mark.parametrize("password", ["dupont-leclerc1", "Anne.2026.2026", "anneDupont999"])
def test_ones_own_name_with_digits_is_refused(password):
    user = User(username="adupont", first_name="Anne", last_name="Dupont-Leclerc")
    with pytest.raises(ValidationError):
        validate_password(password, user)


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["motdepasse2026", "password", "ada.ada.ada1"])
def test_a_superuser_of_the_command_line_has_no_guessable_password(monkeypatch, password):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    with pytest.raises(CommandError):
        call_command("createsuperuser", username="ada", email="", interactive=False)
    assert not User.objects.filter(username="ada").exists()


@pytest.mark.django_db
def test_a_first_account_is_in_the_trail(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "cheval vert sous la table")
    call_command("createsuperuser", username="ada", email="", interactive=False, verbosity=0)
    made = User.objects.get(username="ada")
    event = AuditEvent.objects.get(action="account.made")
    assert (event.object_id, event.actor) == (str(made.pk), None)
    assert AccountChange.objects.get(account=made).by is None
