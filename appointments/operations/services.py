"""Opinions on an operation, and the Medical Director's ruling."""

import datetime as dt

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.decisions import acts
from appointments.decisions.in_force import keeper_of
from appointments.decisions.keeping import decide_in_person, take_back
from appointments.models import (
    Appointment,
    Basis,
    Decision,
    Opinion,
    Outcome,
    Service,
    View,
)
from appointments.operations.queries import day_off, opinion_roles, postponed_from
from staff import clock
from staff.access import Capability, require
from staff.errors import AccessRefused, Refusal
from staff.models import User
from staff.services import audit

LATEST_POSTPONED = dt.timedelta(days=366)  # a later day is a typing error


class ToConfirm(Refusal):
    """What was asked can be done, but only after the person said yes to a question."""


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
    appointment = acts.locked(appointment_id)
    if appointment.service != Service.SURGERY:
        raise Refusal(_("Un avis se donne sur une opération."))
    _require_at(appointment, by, Capability.GIVE_OPINION)
    if role not in opinion_roles(by) or view not in View.values:
        raise Refusal(_("Choisissez votre rôle, puis votre avis."))
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
    *,
    appointment_id: int,
    by: User,
    outcome: str,
    postponed_to: dt.date | None = None,
    reason: str = "",
    seen: int | None = None,
    heard: int | None = None,
    may_reverse: bool = True,
    may_be_day_off: bool = True,
) -> Decision:
    """Rule on an operation that the bulletin leaves to the Medical Director.

    Args:
        appointment_id: the operation.
        by: who rules.
        outcome: ``maintained`` or ``cancelled``.
        postponed_to: the later day on which a cancelled operation takes place instead.
        reason: in their words.
        seen: the version of the decision that they had before their eyes, as far as known.
        heard: the number of the last opinion that they had before their eyes, 0 for none; None
            if that is not known.
        may_reverse: whether they were asked about changing what a person ruled already, and
            said yes; a second click is no answer.
        may_be_day_off: whether they were asked about the weekend or holiday that they chose.

    Raises:
        ToConfirm: they are to be asked first.
        Refusal: not theirs to rule, not a ruling, or meanwhile another director ruled or a
            colleague spoke.
    """
    appointment = acts.locked(appointment_id)
    _require_at(appointment, by, Capability.RULE_ON_OPERATIONS)
    if outcome not in (Outcome.MAINTAINED, Outcome.CANCELLED):
        raise Refusal(_("Décidez : maintenue, annulée ou reportée."), field="outcome")
    if postponed_to is not None:
        _check_new_day(postponed_to, appointment, outcome)
    _check_heard(appointment, heard=heard, by=by)
    if not may_reverse:
        _check_standing(appointment, outcome=outcome, postponed_to=postponed_to, seen=seen, by=by)
    if postponed_to is not None and not may_be_day_off:
        _check_day_off(postponed_to)
    return decide_in_person(
        appointment,
        keeper=keeper_of(by),
        outcome=outcome,
        by=by,
        reason=reason,
        seen=seen,
        action="operation.ruled",
        postponed_to=postponed_to,
        noted={"outcome": outcome}
        | ({"postponed_to": postponed_to.isoformat()} if postponed_to else {}),
    )


@transaction.atomic
def undo(*, appointment_id: int, by: User, seen: int | None = None) -> Decision:
    """Take a ruling back: the operation waits for one again, or takes place as planned.

    Args:
        appointment_id: the operation.
        by: who rules on it now; without a bulletin that leaves it to anybody, who ruled.
        seen: the version of the decision that they had before their eyes, as far as known.

    Raises:
        Refusal: not theirs to take back, or another director ruled meanwhile.
    """
    appointment = acts.locked(appointment_id)
    _require_at(appointment, by, Capability.RULE_ON_OPERATIONS)
    return take_back(
        appointment, keeper=keeper_of(by), by=by, seen=seen, action="operation.ruling_undone"
    )


def _check_standing(
    appointment: Appointment,
    *,
    outcome: str,
    postponed_to: dt.date | None,
    seen: int | None,
    by: User,
) -> None:
    """Refuse to change a ruling; say so if another director ruled meanwhile."""
    standing = acts.standing(appointment)
    if standing is None or standing.basis != Basis.PERSON:
        return
    if standing.outcome == Outcome.UNDER_REVIEW:  # sent back: there is nothing to change
        return
    if (standing.outcome, standing.postponed_to) == (outcome, postponed_to):
        return
    acts.check_seen(standing, seen=seen, by=by)
    raise ToConfirm(
        _(
            "Cette opération est déjà décidée : %(outcome)s. Rien n'a changé. Pour en décider "
            "autrement, ouvrez « Changer la décision » et confirmez."
        )
        % {"outcome": _in_words(standing)}
    )


def _in_words(decision: Decision) -> str:
    if decision.postponed_to:
        return _("reporté au %(day)s") % {"day": date_format(decision.postponed_to, "j/m/Y")}
    return decision.get_outcome_display()


def _check_new_day(day: dt.date, appointment: Appointment, outcome: str) -> None:
    """Refuse a day to which nobody can postpone the operation."""
    if outcome != Outcome.CANCELLED:
        raise Refusal(_("Une opération maintenue garde son jour."), field="postponed_to")
    earliest = postponed_from(appointment.day)
    latest = clock.today() + LATEST_POSTPONED
    if not earliest <= day <= latest:
        raise Refusal(
            _("Reporter au %(day)s n'est pas possible ; choisissez du %(first)s au %(last)s.")
            % {
                "day": date_format(day, "j/m/Y"),
                "first": date_format(earliest, "j/m/Y"),
                "last": date_format(latest, "j/m/Y"),
            },
            field="postponed_to",
        )


def _check_day_off(day: dt.date) -> None:
    """Ask whether a weekend or holiday is meant."""
    if why := day_off(day):
        raise ToConfirm(
            _(
                "Le %(day)s n'est pas un jour ouvrable (%(why)s). "
                "Choisissez un autre jour, ou confirmez."
            )
            % {"day": date_format(day, "j/m/Y"), "why": why.label},
            field="postponed_to",
        )


def _check_heard(appointment: Appointment, *, heard: int | None, by: User) -> None:
    """Refuse a ruling if a colleague gave an opinion after the director's page was shown."""
    if heard is None:
        return
    unheard = appointment.opinions.filter(pk__gt=heard).exclude(given_by=by)
    if newest := unheard.select_related("given_by").order_by("id").last():
        raise Refusal(
            _("%(person)s a donné un avis entre-temps : %(view)s. Lisez-le, puis décidez.")
            % {"person": newest.given_by, "view": newest.get_view_display()}
        )


def _require_at(appointment: Appointment, by: User, capability: Capability) -> None:
    """Refuse a capability that is not held at the appointment's place."""
    scope = require(by, capability)
    unit = appointment.unit
    if not scope.covers(site_id=unit.site_id, unit_id=unit.pk):
        raise AccessRefused(_("Cette opération n'est pas de votre ressort."))
