"""Sign-in: an administrator makes the accounts, nobody signs up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.base import forms as factor
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from staff.sign_in import tries
from staff.sign_in.limits import SignInStep


class ClosedAccountAdapter(DefaultAccountAdapter):
    """No sign-up page; a budget shared by all processes limits wrong passwords."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made in the reference data by an administrator."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse a try during a pause, before the password is checked."""
        _begin(request, str(credentials.get("username", "")), SignInStep.PASSWORD)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Check a password, and delete earlier failures if it is right."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user:
            who = tries.visitor(request, str(credentials.get("username", "")))
            tries.passed(who, SignInStep.PASSWORD)
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record the failure."""
        who = tries.visitor(request, str(credentials.get("username", "")))
        tries.failed(who, SignInStep.PASSWORD)


class _Limited:
    """A form for a code of the second factor; a shared budget limits wrong codes."""

    def clean_code(self) -> str:
        """Check a code."""
        account = self.user.get_username()  # type: ignore[attr-defined]
        who = _begin(context.request, account, SignInStep.FACTOR)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            _use_once(self.authenticator, code)  # type: ignore[attr-defined]
        except ValidationError:
            tries.failed(who, SignInStep.FACTOR)
            raise
        tries.passed(who, SignInStep.FACTOR)
        return code


class AuthenticateForm(_Limited, factor.AuthenticateForm):
    """The code after the password."""


class ReauthenticateForm(_Limited, factor.ReauthenticateForm):
    """The code before a sensitive action."""


def _use_once(authenticator: Authenticator, code: str) -> None:
    """Store the used code of a TOTP device in the database, and refuse a second use.

    allauth stores it in the cache of one process only, so another process would accept it again
    (RFC 6238, section 5.2: never a second time). It stores used recovery codes in the database.

    Raises:
        ValidationError: this code, or a later one, was used already.
    """
    if authenticator.type != Authenticator.Type.TOTP:
        return
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        counter = _counter_of(decrypt(row.data["secret"]), code)
        if counter <= row.data.get("used_counter", -1):
            raise factor.get_adapter().validation_error("incorrect_code")
        row.data["used_counter"] = counter
        row.save(update_fields=["data"])


def _counter_of(secret: str, code: str) -> int:
    """Return the number of the half minute of a valid code."""
    counters: list[int] = list(totp.yield_hotp_counters_from_time())
    typed = normalize_user_code(code)
    for counter in (counters[0] - 1, *counters):  # it may have ended since allauth looked
        if totp.format_hotp_value(totp.hotp_value(secret, counter)) == typed:
            return counter
    return counters[-1]


def _begin(request: HttpRequest, account: str, step: SignInStep) -> tries.Visitor:
    who = tries.visitor(request, account)
    paused = tries.begin(who, step)
    if paused:
        request.sign_in_paused = paused  # type: ignore[attr-defined]  # for the middleware
        raise ValidationError(_("Trop d'essais. Attendez un peu, puis recommencez."))
    return who
