"""Tries to sign in, counted in the database, so that all processes share one count.

A try is stored before the password is checked, and deleted if it was right: many tries at once
cannot exceed a budget.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from staff import addresses, clock
from staff.database import lock_name
from staff.models import Role, SignInTry, User
from staff.services import audit
from staff.sign_in import devices
from staff.sign_in.limits import WINDOW, Budget, FailedTry, SignInStep, paused_until, slowed_until

KEPT = dt.timedelta(days=1)


@dataclass(frozen=True)
class Visitor:
    """One visitor: the account's name as typed, the address, and the known device."""

    account: str
    address: str
    device: str = ""


@dataclass(frozen=True)
class Paused:
    """A try that was refused without checking the password; ``until`` is of the real clock."""

    until: dt.datetime
    is_slowed: bool = False

    @property
    def shown_until(self) -> dt.datetime:
        """The end of the pause, as shown to people."""
        return clock.shown(self.until)


@dataclass(frozen=True)
class LockedOut:
    """An account to which strangers cannot sign in; ``until`` is the shown moment."""

    user: User
    until: dt.datetime
    failures: int
    addresses: int


def budget_of(step: SignInStep) -> Budget:
    """Return how many failures each kind of visitor has."""
    tries = settings.SIGN_IN_TRIES
    if step is SignInStep.PASSWORD:
        return Budget(device=tries, address=tries, strangers=5 * tries)
    return Budget(device=tries, address=tries, strangers=tries)


def visitor(request: HttpRequest, account: str) -> Visitor:
    """Return the visitor of a try to sign in."""
    address = addresses.source(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.TRUSTED_PROXIES,
    )
    user = User.objects.filter(username=account).first()
    device = devices.of(request, user) if user else ""
    return Visitor(folded(account), str(address or ""), device)


def folded(account: str) -> str:
    """Return the name under which tries are counted: spelling variants share a budget."""
    return unicodedata.normalize("NFKC", account).strip().casefold()[:150]


@transaction.atomic
def begin(who: Visitor, step: SignInStep) -> Paused | None:
    """Store a try, unless the visitor has to wait: then nothing is stored or extended."""
    lock_name(f"sign-in {who.account}")
    now = clock.real()
    until = paused_until(
        _failures(who.account, step, now),
        address=who.address,
        device=who.device,
        budget=budget_of(step),
        now=now,
    )
    if until:
        return Paused(until)
    if not who.device and (slow := slowed_until(_of_address(who, now), now=now)):
        return Paused(slow, is_slowed=True)
    SignInTry.objects.filter(at__lt=now - KEPT).delete()
    SignInTry.objects.create(
        account=who.account, step=step, address=who.address, device=who.device, at=now
    )
    return None


@transaction.atomic
def failed(who: Visitor, step: SignInStep) -> None:
    """Record in the trail that a try failed, and that a pause begins."""
    now = clock.real()
    user = User.objects.filter(username__iexact=who.account).first()
    audit.record(
        action=f"account.{step}_failed", by=None, subject=user, account=who.account, **_seen(who)
    )
    until = paused_until(
        _failures(who.account, step, now),
        address=who.address,
        device=who.device,
        budget=budget_of(step),
        now=now,
    )
    if until:
        audit.record(
            action="account.locked_out",
            by=None,
            subject=user,
            account=who.account,
            until=clock.shown(until),
            **_seen(who),
        )


def passed(who: Visitor, step: SignInStep) -> None:
    """Delete the failures of this device, or of the strangers at this address."""
    mine = SignInTry.objects.filter(account=who.account, step=step, device=who.device)
    (mine if who.device else mine.filter(address=who.address)).delete()


@transaction.atomic
def unlock(*, user: User, by: User | None) -> int:
    """End all pauses of an account; return the number of deleted failures."""
    forgotten, _models = SignInTry.objects.filter(account=folded(user.username)).delete()
    audit.record(action="account.unlocked", by=by, subject=user, failures=forgotten)
    return forgotten


def locked_out(role: Role | None = None) -> list[LockedOut]:
    """Return the accounts, of a role if given, to which strangers cannot sign in now.

    Three queries, however many there are.
    """
    now = clock.real()
    recent = SignInTry.objects.filter(at__gt=now - WINDOW, device="")
    by_account: dict[tuple[str, SignInStep], list[FailedTry]] = {}
    for one in recent:
        failure = FailedTry(one.at, one.address)
        by_account.setdefault((one.account, SignInStep(one.step)), []).append(failure)
    if not by_account:
        return []
    users = User.objects.filter(is_active=True)
    if role:
        users = users.filter(role_assignments__role=role)
    names = {folded(user.username): user for user in users.distinct()}
    found: dict[int, LockedOut] = {}
    for (account, step), failures in by_account.items():
        user = names.get(account)
        ends = [
            end
            for address in {one.address for one in failures}
            if (end := _pause_of_strangers(failures, address, step, now))
        ]
        if user and ends:
            found[user.pk] = LockedOut(
                user, clock.shown(max(ends)), len(failures), len({one.address for one in failures})
            )
    return sorted(found.values(), key=lambda one: str(one.user))


def _pause_of_strangers(
    failures: list[FailedTry], address: str, step: SignInStep, now: dt.datetime
) -> dt.datetime | None:
    return paused_until(failures, address=address, device="", budget=budget_of(step), now=now)


def _failures(account: str, step: SignInStep, now: dt.datetime) -> list[FailedTry]:
    rows = SignInTry.objects.filter(account=account, step=step, at__gt=now - WINDOW)
    return [FailedTry(one.at, one.address, one.device) for one in rows]


def _of_address(who: Visitor, now: dt.datetime) -> list[tuple[str, dt.datetime]]:
    rows = SignInTry.objects.filter(address=who.address, device="", at__gt=now - WINDOW)
    return list(rows.values_list("account", "at"))


def _seen(who: Visitor) -> dict[str, object]:
    return {"address": who.address, "known_device": bool(who.device)}
