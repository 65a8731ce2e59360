"""Opinions on an operation, and the Medical Director's ruling."""

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import (
    Appointment,
    Decision,
    Opinion,
    Outcome,
    Service,
    View,
)
from appointments.queries.in_force import keeper_of
from appointments.queries.opinions import opinion_roles
from appointments.services import deciding
from appointments.services.keeping import decide_in_person
from staff import clock
from staff.access import Capability, require
from staff.errors import AccessRefused, Refusal
from staff.models import User
from staff.services import audit


@transaction.atomic
def give_opinion(
    *, appointment_id: int, by: User, role: str, view: str, comment: str = ""
) -> Opinion:
    """Note a colleague's view on an operation of their scope; the same again is only returned.

    Args:
        role: ``OpinionRole``: as what they speak, one of ``opinion_roles``.
        view: ``View``: what they think should happen.

    Raises:
        Refusal: not an operation, not in their scope, or an unknown word.
    """
    appointment = deciding.locked(appointment_id)
    if appointment.service != Service.SURGERY:
        raise Refusal(_("Un avis se donne sur une opération."))
    _require_at(appointment, by, Capability.GIVE_OPINION)
    if role not in opinion_roles(by) or view not in View.values:
        raise Refusal(_("Choisissez en tant que quoi vous parlez, et votre avis."))
    standing = appointment.opinions.filter(role=role, given_by=by).order_by("given_at", "id").last()
    if standing is not None and (standing.view, standing.comment) == (view, comment):
        return standing
    opinion = Opinion.objects.create(
        appointment=appointment,
        role=role,
        view=view,
        comment=comment,
        given_by=by,
        given_at=clock.now(),
    )
    audit.record(action="operation.opinion", by=by, subject=appointment, role=role, view=view)
    return opinion


@transaction.atomic
def rule(
    *, appointment_id: int, by: User, outcome: str, reason: str = "", seen: int | None = None
) -> Decision:
    """Rule on an operation that the bulletin leaves to the Medical Director.

    Args:
        appointment_id: the operation.
        by: who rules.
        outcome: ``maintained`` or ``cancelled``.
        reason: in their words.
        seen: the version of the decision that they had before their eyes, as far as known.

    Raises:
        Refusal: not theirs to rule, not a ruling, or another director ruled meanwhile.
    """
    appointment = deciding.locked(appointment_id)
    _require_at(appointment, by, Capability.RULE_ON_OPERATIONS)
    if outcome not in (Outcome.MAINTAINED, Outcome.CANCELLED):
        raise Refusal(_("Décidez : maintenue ou annulée."), field="outcome")
    return decide_in_person(
        appointment,
        keeper=keeper_of(by),
        outcome=outcome,
        by=by,
        reason=reason,
        seen=seen,
        action="operation.ruled",
        noted={"outcome": outcome},
    )


def _require_at(appointment: Appointment, by: User, capability: Capability) -> None:
    """Refuse a capability that is not held at the appointment's place."""
    scope = require(by, capability)
    unit = appointment.unit
    if not scope.covers(site_id=unit.site_id, unit_id=unit.pk):
        raise AccessRefused(_("Cette opération n'est pas de votre ressort."))
