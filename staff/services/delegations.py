"""Delegations: a practitioner lets somebody else keep patients in their name."""

from django.db import transaction
from django.utils.translation import gettext as _

from staff import clock
from staff.access import Capability, may, require
from staff.errors import AccessRefused, Refusal
from staff.models import Delegation, Practitioner, User
from staff.services import audit


@transaction.atomic
def name(*, practitioner_id: int, delegate_id: int, by: User) -> Delegation:
    """Let somebody keep patients in a practitioner's name; return an existing delegation as it is.

    Args:
        practitioner_id: the practitioner; must be ``by``, since a delegate cannot delegate.
        delegate_id: the new delegate.
        by: the user who delegates.

    Raises:
        Refusal: it is not theirs, or the other's role does not keep patients.
    """
    practitioner = _own(practitioner_id, by)
    delegate = User.objects.filter(pk=delegate_id).first()
    if delegate is None or not may(delegate, Capability.KEEP_AS_DELEGATE):
        raise Refusal(
            _("Choisissez quelqu'un dont le rôle permet de garder des patients."), field="delegate"
        )
    if delegate.pk == by.pk:
        raise Refusal(_("Vous gardez déjà vos propres patients."), field="delegate")
    standing = practitioner.delegations.filter(delegate=delegate, revoked_at=None).first()
    if standing is not None:
        return standing
    given = practitioner.delegations.create(delegate=delegate, given_at=clock.now())
    _record("delegation.given", given, by)
    return given


@transaction.atomic
def revoke(*, delegation_id: int, by: User) -> Delegation:
    """Revoke a delegation, from the next tap on; return a revoked one as it is.

    Args:
        delegation_id: the delegation.
        by: the practitioner who gave it.

    Raises:
        Refusal: it is not theirs.
    """
    found = Delegation.objects.filter(pk=delegation_id).first()
    if found is None:
        raise AccessRefused(_("Cette délégation n'est pas la vôtre."))
    _own(found.practitioner_id, by)
    found.refresh_from_db()  # under the practitioner's lock: perhaps revoked meanwhile
    if found.revoked_at is None:
        found.revoked_at = clock.now()
        found.save(update_fields=["revoked_at"])
        _record("delegation.revoked", found, by)
    return found


def _own(practitioner_id: int, by: User) -> Practitioner:
    """Return the user's own practitioner, locked; refuse another's."""
    require(by, Capability.KEEP)
    mine = Practitioner.objects.select_for_update().filter(pk=practitioner_id, user=by).first()
    if mine is None:
        raise AccessRefused(_("Vous ne pouvez nommer un délégué que pour vos propres patients."))
    return mine


def _record(action: str, delegation: Delegation, by: User) -> None:
    audit.record(
        action=action,
        by=by,
        subject=delegation,
        practitioner=delegation.practitioner.code,
        delegate=delegation.delegate.username,
    )
