"""Records sign-ins, sign-outs, passwords and second factors in the trail.

allauth's own signals, not Django's: those also fire without a person (tests, commands).
"""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factor
from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from staff import clock
from staff.models import AccountChange, User
from staff.services import audit
from staff.sign_in import tries

# Session key of the language chosen before sign-in. A cookie would stay for the next person at a
# shared computer.
CHOSEN_LANGUAGE = "chosen_language"


@receiver(account.user_logged_in)
def signed_in(request: HttpRequest, user: User, **_more: Any) -> None:
    """Record a sign-in with its address; the answer makes the device a known one."""
    who = tries.visitor(request, user.get_username())
    audit.record(
        action="account.signed_in",
        by=user,
        subject=user,
        address=who.address,
        known_device=bool(who.device),
    )
    request.signed_in_now = user  # type: ignore[attr-defined]
    chosen = request.session.pop(CHOSEN_LANGUAGE, "")
    if chosen in dict(settings.LANGUAGES) and chosen != user.language:
        user.language = chosen
        user.save(update_fields=["language"])


@receiver(user_logged_out)
def signed_out(user: User | None, **_more: Any) -> None:
    """Record a sign-out."""
    if user is not None:
        audit.record(action="account.signed_out", by=user, subject=user)


@receiver([account.password_changed, account.password_set, account.password_reset])
def password_changed(user: User, **_more: Any) -> None:
    """Record that somebody changed their own password."""
    AccountChange.note(account=user, what=AccountChange.What.PASSWORD, by=user)
    audit.record(action="account.password_changed", by=user, subject=user)


@receiver(factor.authenticator_added)
def factor_added(user: User, authenticator: Any, **_more: Any) -> None:
    """Record a new second factor; the page of keys shows since when it exists."""
    authenticator.created_at = clock.now()
    authenticator.save(update_fields=["created_at"])
    _factor("added", user, authenticator)


@receiver(factor.authenticator_removed)
def factor_removed(user: User, authenticator: Any, **_more: Any) -> None:
    """Record that a second factor was removed."""
    _factor("removed", user, authenticator)


@receiver(factor.authenticator_reset)
def factor_reset(user: User, authenticator: Any, **_more: Any) -> None:
    """Record that recovery codes were made anew."""
    _factor("reset", user, authenticator)


def _factor(what: str, user: User, authenticator: Any) -> None:
    audit.record(
        action=f"account.factor_{what}", by=user, subject=user, kind=str(authenticator.type)
    )
