"""Whether two accounts are two persons, where two must agree. Pure: no Django.

A person who makes an account, or sets its password or role, can sign in as it. So neither of the
two may have changed the other's account lately, nor may both have a password that one third person
gave them. Unlocking a sign-in is no change.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

LATELY = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AccountEdit:
    """Somebody made or changed an account.

    Attributes:
        account: id of the account.
        by: id of the account that did it; None for the command line.
        gives_password: whether that person knows the password since.
        at: when, aware.
    """

    account: int
    by: int | None
    gives_password: bool
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class IdentityDoubt:
    """Why two accounts may be one person.

    Attributes:
        by: id of the account that could act as another.
        accounts: ids of the accounts that it could act as.
        is_refused: False if a remark is enough.
    """

    by: int
    accounts: tuple[int, ...]
    is_refused: bool


def doubt(
    first: int, second: int, changes: Collection[AccountEdit], *, now: dt.datetime
) -> IdentityDoubt | None:
    """Return why two accounts may be one person; None without a reason.

    Args:
        first, second: ids of the two accounts.
        changes: every change of the two accounts, their owners' own included.
        now: the current moment.
    """
    for one, other in ((first, second), (second, first)):
        if any(
            change.account == other and change.by == one and now - change.at < LATELY
            for change in changes
        ):
            return IdentityDoubt(by=one, accounts=(other,), is_refused=True)
    givers = _givers(first, changes) & _givers(second, changes) - {first, second}
    for giver in sorted(givers):
        unchanged = tuple(
            account for account in (first, second) if not _has_own_password(account, changes)
        )
        return IdentityDoubt(
            by=giver, accounts=unchanged or (first, second), is_refused=bool(unchanged)
        )
    return None


def _givers(account: int, changes: Collection[AccountEdit]) -> set[int]:
    """Return the other accounts that made it or set its password."""
    return {
        change.by
        for change in changes
        if change.account == account and change.gives_password and change.by not in (None, account)
    }


def _has_own_password(account: int, changes: Collection[AccountEdit]) -> bool:
    """Whether the owner has changed the password since somebody else last set it."""
    given = [one for one in changes if one.account == account and one.gives_password]
    newest = max(given, key=lambda one: one.at, default=None)
    return newest is None or newest.by == account
