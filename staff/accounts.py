"""How people sign in: accounts are given by an administrator, never taken."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.base import forms as factor
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from staff.sign_in import tries
from staff.sign_in.limits import Step


class ClosedAccountAdapter(DefaultAccountAdapter):
    """No sign-up page; passwords are tried within a budget that all processes share."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made in the reference data by an administrator."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse a try during a pause, before the password is looked at."""
        _begin(request, str(credentials.get("username", "")), Step.PASSWORD)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Check a password, and forget earlier failures when it is right."""
        user = super().authenticate(request, **credentials)
        if user:
            who = tries.visitor(request, str(credentials.get("username", "")))
            tries.passed(who, Step.PASSWORD)
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record the failure."""
        who = tries.visitor(request, str(credentials.get("username", "")))
        tries.failed(who, Step.PASSWORD)


class _Limited:
    """A form for a code of the second factor, tried within a budget that all processes share."""

    def clean_code(self) -> str:
        """Check a code."""
        account = self.user.get_username()  # type: ignore[attr-defined]
        who = _begin(context.request, account, Step.FACTOR)
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            tries.failed(who, Step.FACTOR)
            raise
        tries.passed(who, Step.FACTOR)
        return code


class AuthenticateForm(_Limited, factor.AuthenticateForm):
    """The code after the password."""


class ReauthenticateForm(_Limited, factor.ReauthenticateForm):
    """The code before something that matters."""


def _begin(request: HttpRequest, account: str, step: Step) -> tries.Visitor:
    who = tries.visitor(request, account)
    paused = tries.begin(who, step)
    if paused:
        request.sign_in_paused = paused  # type: ignore[attr-defined]  # for the middleware
        raise ValidationError(_("Trop d'essais. Attendez un peu, puis recommencez."))
    return who
