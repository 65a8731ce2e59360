"""Changes of accounts, and whether two accounts are two persons."""

from django.db.models import Q

from staff import clock, two_persons
from staff.errors import Refusal
from staff.models import AccountChange, User
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

_GIVES_PASSWORD = {AccountChange.What.MADE, AccountChange.What.PASSWORD}


def note(*, account: User, what: AccountChange.What, by: User | None) -> None:
    """Record that somebody made or changed an account; call it in the same transaction."""
    AccountChange.objects.create(account=account, what=what, by=by, at=clock.real())


def require_two_persons(first: User, second: User) -> Stored:
    """Refuse if one person could be behind both accounts.

    Args:
        first: the author of the bulletin.
        second: the user who approves it.

    Returns:
        A sentence to show and record, if one third person made both accounts and each has set a
        password of its own since; else empty.

    Raises:
        Refusal: names who changed whose account, and what to do.
    """
    found = two_persons.doubt(first.pk, second.pk, _changes(first, second), now=clock.real())
    if found is None:
        return ""
    names = User.objects.in_bulk([found.by, *found.accounts])
    accounts: Stored = str(names[found.accounts[0]])
    if len(found.accounts) > 1:
        pair = {"first": accounts, "second": names[found.accounts[1]]}
        accounts = _("%(first)s et %(second)s") % pair
    words = {"by": names[found.by], "accounts": accounts}
    if not found.is_refused:
        return _("Les comptes de %(accounts)s ont été créés par la même personne, %(by)s.") % words
    if found.by in (first.pk, second.pk):
        raise Refusal(
            _(
                "%(by)s a créé ou modifié le compte de %(accounts)s il y a moins de 24 heures : "
                "ces deux comptes ne comptent pas pour deux personnes. Demandez à quelqu'un "
                "d'autre."
            )
            % words
        )
    raise Refusal(
        _(
            "%(by)s a donné les mots de passe des deux comptes. Doivent d'abord choisir un mot de "
            "passe à eux (Mon compte, Mot de passe) : %(accounts)s."
        )
        % words
    )


def _changes(first: User, second: User) -> list[two_persons.AccountEdit]:
    rows = AccountChange.objects.filter(Q(account=first) | Q(account=second))
    return [
        two_persons.AccountEdit(
            account=row.account_id,
            by=row.by_id,
            gives_password=row.what in _GIVES_PASSWORD,
            at=row.at,
        )
        for row in rows
    ]
