"""Capabilities of roles, the places where they hold, and the acts that need two persons.

One table (``GRANTS``) lists the capabilities of each role; role assignments give the places. Views
use ``requires``, services ``require``, and every list is narrowed with ``scope_of``. Where two must
agree, services use ``require_two_persons``.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _

from staff import clock
from staff.errors import AccessRefused, Refusal
from staff.models import AccountChange, Role, User
from staff.requests import SignedInRequest
from staff.sentences import Stored, gettext_stored
from staff.two_persons import AccountEdit, doubt

# True for every row; unlike an empty Q() also when joined by "or".
EVERYTHING = ~Q(pk__in=[])
_GIVES_PASSWORD = {AccountChange.What.MADE, AccountChange.What.PASSWORD}


class Capability(enum.Enum):
    """An action that a role allows."""

    SEE_BOARD = "see_board"
    SEE_SCHEDULE = "see_schedule"  # appointments and patients of the scope
    SEE_BULLETINS = "see_bulletins"
    DRAFT_BULLETIN = "draft_bulletin"
    APPROVE_BULLETIN = "approve_bulletin"
    HOLD_SENDING = "hold_sending"  # pause, resume, release now
    SEE_OUTBOX = "see_outbox"
    EDIT_TEXTS = "edit_texts"  # of messages, for the whole group
    KEEP = "keep"  # which patients is answered by appointments/rules.py
    KEEP_AS_DELEGATE = "keep_as_delegate"  # in the name of who named them, and of nobody else
    GIVE_OPINION = "give_opinion"
    RULE_ON_OPERATIONS = "rule_on_operations"
    WORK_CALL_LIST = "work_call_list"
    PRINT_ROSTERS = "print_rosters"
    RECORD_ARRIVALS = "record_arrivals"  # what happened on the day: came, done, absent
    LOAD_FEEDS = "load_feeds"
    SEE_TRAIL = "see_trail"


C = Capability
GRANTS: dict[Role, frozenset[Capability]] = {
    Role.CRISIS_CELL: frozenset(
        {
            C.SEE_BOARD,
            C.SEE_SCHEDULE,
            C.SEE_BULLETINS,
            C.DRAFT_BULLETIN,
            C.APPROVE_BULLETIN,
            C.HOLD_SENDING,
            C.SEE_OUTBOX,
            C.EDIT_TEXTS,
            C.WORK_CALL_LIST,
            C.PRINT_ROSTERS,
            C.LOAD_FEEDS,
        }
    ),
    Role.DOCTOR: frozenset({C.SEE_BULLETINS, C.KEEP, C.KEEP_AS_DELEGATE}),
    Role.SURGEON: frozenset({C.SEE_BULLETINS, C.KEEP, C.KEEP_AS_DELEGATE, C.GIVE_OPINION}),
    Role.NURSE: frozenset(
        {
            C.SEE_BULLETINS,
            C.SEE_SCHEDULE,
            C.KEEP_AS_DELEGATE,
            C.GIVE_OPINION,
            C.PRINT_ROSTERS,
            C.RECORD_ARRIVALS,
        }
    ),
    Role.MEDICAL_DIRECTOR: frozenset(
        {C.SEE_BOARD, C.SEE_SCHEDULE, C.SEE_BULLETINS, C.GIVE_OPINION, C.RULE_ON_OPERATIONS}
    ),
    Role.CALL_AGENT: frozenset({C.SEE_SCHEDULE, C.SEE_BULLETINS, C.WORK_CALL_LIST}),
    Role.WARD_CLERK: frozenset(
        {
            C.SEE_SCHEDULE,
            C.SEE_BULLETINS,
            C.KEEP_AS_DELEGATE,
            C.PRINT_ROSTERS,
            C.RECORD_ARRIVALS,
        }
    ),
    Role.FEED_OPERATOR: frozenset({C.SEE_BULLETINS, C.LOAD_FEEDS}),
    Role.AUDITOR: frozenset(
        {C.SEE_BOARD, C.SEE_SCHEDULE, C.SEE_BULLETINS, C.SEE_OUTBOX, C.SEE_TRAIL}
    ),
}


@dataclass(frozen=True)
class AccessScope:
    """The places of a capability: everywhere, or some sites and units."""

    everywhere: bool = False
    site_ids: frozenset[int] = frozenset()
    unit_ids: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.site_ids or self.unit_ids)

    def covers(self, *, site_id: int | None, unit_id: int | None = None) -> bool:
        """Whether a place lies inside the scope."""
        return self.everywhere or site_id in self.site_ids or unit_id in self.unit_ids

    def units(self, path: str = "unit") -> Q:
        """Return the filter for rows whose unit is reached by ``path``."""
        if self.everywhere:
            return EVERYTHING
        return Q(**{f"{path}__site__in": self.site_ids}) | Q(**{f"{path}__in": self.unit_ids})


def scope_of(user: User, capability: Capability) -> AccessScope:
    """Return where ``user`` holds ``capability`` (one query per user object, then cached)."""
    if not user.is_authenticated or not user.is_active:
        return AccessScope()
    if not hasattr(user, "_assignments"):
        user._assignments = list(  # type: ignore[attr-defined]
            user.role_assignments.values_list("role", "site_id", "unit_id")
        )
    sites, units = set(), set()
    for role, site_id, unit_id in user._assignments:  # type: ignore[attr-defined]
        if capability not in GRANTS[Role(role)]:
            continue
        if site_id is None and unit_id is None:
            return AccessScope(everywhere=True)
        if site_id is not None:
            sites.add(site_id)
        else:
            units.add(unit_id)
    return AccessScope(site_ids=frozenset(sites), unit_ids=frozenset(units))


def may(user: User, capability: Capability) -> bool:
    """Whether the user holds the capability anywhere at all."""
    return bool(scope_of(user, capability))


def require(user: User, capability: Capability) -> AccessScope:
    """Return the scope of a capability.

    Raises:
        AccessRefused: the user holds it nowhere.
    """
    scope = scope_of(user, capability)
    if not scope:
        raise AccessRefused(_("Votre rôle ne permet pas cette action. Voyez la cellule de crise."))
    return scope


def require_everywhere(user: User, capability: Capability) -> None:
    """Refuse unless the capability is held for the whole group (bulletins, sending)."""
    if not require(user, capability).everywhere:
        raise AccessRefused(
            _("Cette action vaut pour tout le groupe ; votre rôle se limite à un site.")
        )


def requires(*capabilities: Capability, everywhere: bool = False) -> Callable[..., Any]:
    """Decorate a view: sign-in first, then any one of the capabilities, else 403.

    With ``everywhere`` the first one must be held for the whole group.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not any(may(request.user, capability) for capability in capabilities):
                require(request.user, capabilities[0])
            if everywhere:
                require_everywhere(request.user, capabilities[0])
            return view(request, *args, **kwargs)

        guarded.capabilities = capabilities  # type: ignore[attr-defined]
        return guarded

    return decorate


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
    found = doubt(first.pk, second.pk, _changes(first, second), now=clock.real())
    if found is None:
        return ""
    names = User.objects.in_bulk([found.by, *found.accounts])
    accounts: Stored = str(names[found.accounts[0]])
    if len(found.accounts) > 1:
        pair = {"first": accounts, "second": names[found.accounts[1]]}
        accounts = gettext_stored("%(first)s et %(second)s") % pair
    words = {"by": names[found.by], "accounts": accounts}
    if not found.is_refused:
        return (
            gettext_stored(
                "Les comptes de %(accounts)s ont été créés par la même personne, %(by)s."
            )
            % words
        )
    if found.by in (first.pk, second.pk):
        raise Refusal(
            gettext_stored(
                "%(by)s a créé ou modifié le compte de %(accounts)s il y a moins de 24 heures : "
                "ces deux comptes ne comptent pas pour deux personnes. Demandez à quelqu'un "
                "d'autre."
            )
            % words
        )
    raise Refusal(
        gettext_stored(
            "%(by)s a donné les mots de passe des deux comptes. Doivent d'abord choisir un mot de "
            "passe à eux (Mon compte, Mot de passe) : %(accounts)s."
        )
        % words
    )


def _changes(first: User, second: User) -> list[AccountEdit]:
    rows = AccountChange.objects.filter(Q(account=first) | Q(account=second))
    return [
        AccountEdit(
            account=row.account_id,
            by=row.by_id,
            gives_password=row.what in _GIVES_PASSWORD,
            at=row.at,
        )
        for row in rows
    ]
