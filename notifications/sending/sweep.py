"""Recovers what a crash, a hung gateway or an agent who went home left behind.

Beat runs it every few seconds, and so does a sender. Two may run at once: each step locks what
it changes and reads it again.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from notifications import rules
from notifications.gateways import Gateway
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import UNSENT, Channel, Delivery, DeliveryState, Failure
from notifications.receipts import receive as receiving
from notifications.rules import QuietHours
from notifications.sending import limits
from staff import clock
from staff.sentences import gettext_stored as _

BATCH = 500


@dataclass(frozen=True)
class Swept:
    """How many deliveries a sweep moved."""

    reclaimed: int = 0
    became_unknown: int = 0
    queued_again: int = 0
    called_instead: int = 0
    too_late: int = 0
    kept_quiet: int = 0
    receipts_matched: int = 0
    asked_again: int = 0


def sweep(*, gateways: Sequence[Gateway] | None) -> Swept:
    """Move on every delivery whose lease or limit has run out.

    Args:
        gateways: those in use; they decide whether an unknown message may be submitted again.
            None where the settings cannot be read: then nothing is submitted again, and no
            message counts as lost because its gateway is gone.
    """
    limits.note_presence()
    left = Delivery.objects.filter(lease_until__lt=clock.real())
    names = None if gateways is None else [gateway.name for gateway in gateways]
    repeating = [gateway.name for gateway in gateways or () if gateway.honours_reference]
    swept = Swept(
        receipts_matched=receiving.match_late(),
        reclaimed=_each(left.filter(state=DeliveryState.CLAIMED), _reclaim),
        became_unknown=_each(left.filter(state=DeliveryState.SUBMITTING), _lose)
        + _each(left.filter(state=DeliveryState.ACCEPTED), _miss_the_receipt),
        queued_again=_each(_repeatable(repeating), _queue_again),
        called_instead=_each(_given_up(repeating), _call) + _each(_stranded(names), _call),
        too_late=_each_unsent(_too_late(), _expire),
        kept_quiet=_each_unsent(_passed_by(), _keep_quiet),
    )
    return replace(swept, asked_again=notice_states.answer())


def _each_unsent(deliveries: QuerySet[Delivery], move: Callable[[list[Delivery]], None]) -> int:
    """Move those that wait to be sent, one state at a time: each state has an index of its own."""
    return sum(_each(deliveries.filter(state=state), move) for state in UNSENT)


def _each(deliveries: QuerySet[Delivery], move: Callable[[list[Delivery]], None]) -> int:
    """Move the deliveries batch by batch, each batch locked and read again; return how many.

    Without ORDER BY: with it, SQLite reads the whole table by its ids.
    """
    moved = 0
    while ids := list(deliveries.values_list("id", flat=True)[:BATCH]):
        with transaction.atomic():
            locked = delivery_states.lock(deliveries.filter(pk__in=ids))
            if locked:
                move(locked)
        moved += len(locked)
        if len(ids) < BATCH:
            break
    return moved


# --- what is moved, and how -------------------------------------------------------------------


def _reclaim(deliveries: list[Delivery]) -> None:
    delivery_states.give_back([one.pk for one in deliveries])


def _lose(deliveries: list[Delivery]) -> None:
    said = _("Le serveur s'est arrêté pendant la remise.")
    delivery_states.become_unknown([one.pk for one in deliveries], said)


def _miss_the_receipt(deliveries: list[Delivery]) -> None:
    said = _("L'opérateur l'a pris, mais n'en a plus rien dit.")
    delivery_states.become_unknown([one.pk for one in deliveries], said)


def _repeatable(repeating: Sequence[str]) -> QuerySet[Delivery]:
    """Return what is unknown at a gateway that sends each reference once.

    What has the gateway's id was accepted: only its receipt is missing, so it is not submitted
    again.
    """
    return Delivery.objects.filter(
        _is_timely(), state=DeliveryState.UNKNOWN, gateway__in=repeating, provider_id=""
    )


def _is_timely() -> Q:
    """Return the condition that a try may be repeated: submitted lately, and still of use."""
    since = notice_states.later(-settings.SMS_UNKNOWN_SECONDS)
    of_use = Q(notice__first_at__gte=notice_states.earliest_appointment())
    return Q(submitted_at__gt=since) & of_use


def _queue_again(deliveries: list[Delivery]) -> None:
    delivery_states.requeue([one.pk for one in deliveries], at=clock.now())


def _given_up(repeating: Sequence[str]) -> QuerySet[Delivery]:
    """Return what is unknown for too long; repeated tries count from their first submission."""
    repeated = Q(gateway__in=repeating, provider_id="") & ~_is_timely()
    unknown = Delivery.objects.filter(state=DeliveryState.UNKNOWN)
    return unknown.filter(Q(lease_until__lt=clock.real()) | repeated)


def _stranded(names: Sequence[str] | None) -> QuerySet[Delivery]:
    """Return what may have left through a gateway that is gone or silent: no other may send it."""
    gone = Q() if names is None else ~Q(gateway__in=names)
    return Delivery.objects.filter(
        gone | ~_is_timely(),
        ~Q(client_reference=""),
        channel=Channel.SMS,
        state=DeliveryState.QUEUED,
    )


def _call(deliveries: list[Delivery]) -> None:
    said = _("Sort inconnu, appelé à la place.")
    follow_up.end_and_call(
        deliveries, state=DeliveryState.FAILED, failure=Failure.UNKNOWN, remark=said
    )


def _too_late() -> QuerySet[Delivery]:
    """Return what was not sent and is of no more use: the patient may be on the way already."""
    latest = notice_states.earliest_appointment()
    return _of_day_or_before(clock.local_day(latest)).filter(
        notice__first_at__lt=latest, client_reference=""
    )


def _expire(deliveries: list[Delivery]) -> None:
    follow_up.end_and_call(deliveries, state=DeliveryState.EXPIRED, failure=Failure.EXPIRED)


def _passed_by() -> QuerySet[Delivery]:
    """Return what waits for the end of quiet hours and would then be of no more use."""
    now = clock.now()
    quiet = QuietHours.parse(settings.SMS_QUIET_HOURS)
    if not quiet.is_quiet(now):
        return Delivery.objects.none()
    latest = notice_states.earliest_appointment(quiet.next_allowed(now))
    return _of_day_or_before(clock.local_day(latest)).filter(
        notice__first_at__lt=latest,
        not_before__lte=now,  # until then doctors may still keep the patient
        ignores_quiet_hours=False,
        client_reference="",
    )


def _keep_quiet(deliveries: list[Delivery]) -> None:
    follow_up.end_and_call(deliveries, state=DeliveryState.SUPPRESSED, failure=Failure.QUIET_HOURS)


def _of_day_or_before(day: dt.date) -> QuerySet[Delivery]:
    """Return the SMS about a day or one before it; the index on urgency finds them."""
    return Delivery.objects.filter(channel=Channel.SMS, urgency__lt=rules.urgency(day, rules.RANKS))
