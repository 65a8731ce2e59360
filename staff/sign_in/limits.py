"""Limits of failed sign-ins: pure functions over the moments of earlier failures.

The shape follows OWASP's "device cookies" (cheat sheet *Slow Down Online Guessing Attacks with
Device Cookies*): strangers share a budget for an account, and a device that signed in to that very
account before has one of its own, so that strangers cannot use up the owner's.

A try during a pause is refused and not counted: it does not make the pause longer.
"""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

WINDOW = dt.timedelta(minutes=15)
# An address that failed for so many accounts is probably guessing; its wait doubles each time.
# The people of a ward share an address, so it is slowed and never locked out.
SLOW_FROM_ACCOUNTS = 5
LONGEST_WAIT = dt.timedelta(seconds=60)


class SignInStep(TextChoices):
    """The step of a sign-in."""

    PASSWORD = "password", _("mot de passe")
    FACTOR = "factor", _("second facteur")  # a code of it, or a recovery code


@dataclass(frozen=True, slots=True)
class Budget:
    """How many failures within ``WINDOW`` each kind of visitor has for one account.

    Attributes:
        device: a device that signed in to this account before.
        address: all other devices of one address.
        strangers: all other devices together.
    """

    device: int
    address: int
    strangers: int


@dataclass(frozen=True, slots=True)
class FailedTry:
    """One earlier try that failed, within ``WINDOW``.

    ``device`` is the known device that failed; empty for all others.
    """

    at: dt.datetime
    address: str
    device: str = ""


def paused_until(
    failures: Collection[FailedTry], *, address: str, device: str, budget: Budget, now: dt.datetime
) -> dt.datetime | None:
    """Return the end of a visitor's pause for one account; None without one.

    Args:
        failures: of that account and step, of all visitors.
        address: the visitor's.
        device: the visitor's, when it is known to that account; else empty.
        budget: of that step.
        now: the current moment.
    """
    if device:
        return _full(failures, lambda one: one.device == device, budget.device, now)
    ends = (
        _full(failures, lambda one: not one.device and one.address == address, budget.address, now),
        _full(failures, lambda one: not one.device, budget.strangers, now),
    )
    return max((end for end in ends if end), default=None)


def slowed_until(
    failures: Collection[tuple[str, dt.datetime]], *, now: dt.datetime
) -> dt.datetime | None:
    """Return the end of an address's wait, after failures for too many accounts.

    Args:
        failures: account and moment of each failure of unknown devices at that address.
        now: the current moment.

    Returns:
        1, 2, 4 … 60 seconds after the last failure, from five different accounts on.
    """
    recent = [(account, at) for account, at in failures if at > now - WINDOW]
    accounts = len({account for account, _at in recent})
    if accounts < SLOW_FROM_ACCOUNTS:
        return None
    wait = min(dt.timedelta(seconds=2 ** (accounts - SLOW_FROM_ACCOUNTS)), LONGEST_WAIT)
    end = max(at for _account, at in recent) + wait
    return end if end > now else None


def _full(
    failures: Collection[FailedTry],
    counts: Callable[[FailedTry], bool],
    most: int,
    now: dt.datetime,
) -> dt.datetime | None:
    """Return when the oldest of the last ``most`` failures leaves the window."""
    moments = sorted(one.at for one in failures if counts(one) and one.at > now - WINDOW)
    return moments[-most] + WINDOW if len(moments) >= most else None
