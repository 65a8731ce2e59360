"""How far the telling is: the numbers, and the patients behind them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Coalesce

from notifications.access import notices_of
from notifications.lifecycle.call_states import TO_CALL, first_calls_to_come, made_by_doctors
from notifications.models import (
    Channel,
    Delivery,
    DeliveryState,
    Notice,
    NoticeItem,
    NoticeState,
    Sending,
)
from staff import clock
from staff.access import Capability
from staff.lookups import numbers_of
from staff.models import User

BY_APPOINTMENT = ("day", "first_at", "id")
LISTED = (NoticeState.OPEN, NoticeState.TOLD, NoticeState.UNREACHABLE)
"""How a patient can stand."""
UNSENT = (
    DeliveryState.HELD,
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SUBMITTING,
)
WAITING = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SUBMITTING)
NOT_REACHED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SUPPRESSED)


@dataclass(frozen=True)
class Progress:
    """Counts of patients and tries.

    ``patients`` are counted once for each day, by the state of the notice that says how they
    stand (``last_words``): a patient who was told what no longer holds is still to be told.
    ``calls_before_release`` wait for their bulletin's release time; ``calls_by_doctors`` are made
    by the doctor who kept the patient, and are no calls of ours until then.
    """

    patients: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, dict[str, int]] = field(default_factory=dict)
    paused: bool = False
    calls_before_release: int = 0
    calls_by_doctors: int = 0

    @property
    def waits_for_release(self) -> bool:
        """Whether a button may let something go before its release time."""
        return bool(self.deliveries["sms"][DeliveryState.HELD] or self.calls_before_release)

    @property
    def calls_left(self) -> int:
        """Calls still to be made by us."""
        every = sum(self.deliveries["phone"][state] for state in TO_CALL)
        return every - self.calls_by_doctors

    @property
    def sms_total(self) -> int:
        """SMS to be sent and sent, without withdrawn ones."""
        sms = self.deliveries["sms"]
        return sum(sms.values()) - sms[DeliveryState.WITHDRAWN]

    @property
    def sms_done(self) -> int:
        """SMS that need no more sending, whatever came of them."""
        return self.sms_total - self._count_sms(UNSENT)

    @property
    def sms_waiting(self) -> int:
        """SMS that are due or leaving."""
        return self._count_sms(WAITING)

    @property
    def sms_not_reached(self) -> int:
        """SMS that ended without reaching anybody."""
        return self._count_sms(NOT_REACHED)

    @property
    def told(self) -> int:
        """Patients who know what holds."""
        return self.patients[NoticeState.TOLD]

    @property
    def to_tell(self) -> int:
        """Patients to whom something is to be told, or was."""
        return sum(self.patients.values())

    def _count_sms(self, states: tuple[DeliveryState, ...]) -> int:
        return sum(self.deliveries["sms"][state] for state in states)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for ``--json``."""
        return {
            "paused": self.paused,
            "patients": self.patients,
            "deliveries": self.deliveries,
            "calls_left": self.calls_left,
            "calls_by_doctors": self.calls_by_doctors,
            "sms_total": self.sms_total,
            "sms_done": self.sms_done,
        }


def progress(user: User | None = None, *, since: dt.date | None = None) -> Progress:
    """Return the counts in four queries.

    Args:
        user: who looks; None for everything.
        since: count the notices about this day and later, and the open ones of earlier days;
            yesterday by default, so that weeks of telling cost no more than one day.
            ``dt.date.min`` counts all.
    """
    since = since or counted_since()
    patients = {state.value: 0 for state in LISTED}
    said_last = Notice.objects.filter(_seen_by(user), last_words())
    for state, count in _counted(said_last, since, "state"):
        patients[state] += count
    deliveries = {channel.value: {state.value: 0 for state in DeliveryState} for channel in Channel}
    tried = Delivery.objects.filter(_seen_by(user, "notice__"))
    for channel, state, count in _counted(tried, since, "channel", "state", path="notice__"):
        deliveries[channel][state] += count
    calls = (
        first_calls_to_come()
        .filter(_seen_by(user, "notice__"))
        .aggregate(
            calls_before_release=Count("pk", filter=~made_by_doctors()),
            calls_by_doctors=Count("pk", filter=made_by_doctors()),
        )
    )
    return Progress(
        patients=patients,
        deliveries=deliveries,
        paused=Sending.is_paused(),
        **calls,
    )


def notices_by_state(*, since: dt.date | None = None) -> dict[str, int]:
    """Return how many notices are in each state (one query); ``since`` as for ``progress``."""
    notices = {state.value: 0 for state in NoticeState}
    for state, count in _counted(Notice.objects.all(), since or counted_since(), "state"):
        notices[state] += count
    return notices


def last_words() -> Q:
    """Return the filter for the notice of each patient and day that says how they stand.

    An open one before a closed one, since something is still to be said; else the newest. A
    withdrawn one never counts.
    """
    state = ExpressionWrapper(OuterRef("state"), output_field=CharField())
    newer = Q(version__gt=OuterRef("version"))
    stronger = (
        Notice.objects.annotate(its_state=state)
        .filter(patient=OuterRef("patient"), day=OuterRef("day"))
        .exclude(state=NoticeState.WITHDRAWN)
        .filter(
            Q(state=NoticeState.OPEN) & (newer | ~Q(its_state=NoticeState.OPEN))
            | ~Q(state=NoticeState.OPEN) & ~Q(its_state=NoticeState.OPEN) & newer
        )
    )
    return Q(~Exists(stronger), ~Q(state=NoticeState.WITHDRAWN))


def holding_untrue(user: User | None = None) -> int:
    """Return how many patients heard what no longer holds, and not yet what does (one query).

    Each notice of today or later that is open or given up is compared with what was handed over
    before it.
    """
    given = Coalesce("postponed_to", Value(dt.date.min))
    before = (
        NoticeItem.objects.annotate(given=given)
        .filter(
            subject_id=OuterRef("subject_id"),
            notice__patient=OuterRef("notice__patient"),
            notice__day=OuterRef("notice__day"),
            notice__version__lt=OuterRef("notice__version"),
            notice__handed_over_at__isnull=False,
        )
        .exclude(word=OuterRef("word"), given=OuterRef("given"))
    )
    unheard = NoticeItem.objects.annotate(given=given).filter(
        _seen_by(user, "notice__"),
        Exists(before),
        notice__day__gte=clock.today(),
        notice__state__in=[NoticeState.OPEN, NoticeState.UNREACHABLE],
    )
    counted: dict[str, int] = unheard.aggregate(patients=Count("notice__patient", distinct=True))
    return counted["patients"]


def _counted(
    rows: QuerySet[Any], since: dt.date, *columns: str, path: str = ""
) -> Iterable[tuple[Any, ...]]:
    """Return how often each combination of values occurs, in at most two rows (one query).

    One part for each index: the notices about the day and later, the open ones before it.
    """
    coming = Q(**{f"{path}day__gte": since})
    late = Q(**{f"{path}day__lt": since, f"{path}state": NoticeState.OPEN})
    counted: QuerySet[Any, tuple[Any, ...]] = rows.order_by().values_list(*columns)
    first, second = (counted.filter(arm).annotate(Count("pk")) for arm in (coming, late))
    both: QuerySet[Any, tuple[Any, ...]] = first.union(second, all=True)
    return both


def _seen_by(user: User | None, path: str = "") -> Q:
    return notices_of(user, Capability.SEE_BOARD, Capability.SEE_OUTBOX, path=path)


def counted_since() -> dt.date:
    """Return the first day whose notices are counted even when they are closed: yesterday."""
    return clock.today() - dt.timedelta(days=1)


def current(since: dt.date, path: str = "pk", *, within: Q | None = None) -> Q:
    """Return the filter for the notices about a day and later, and for all that are open.

    ``path`` is how the queryset reaches the notice; ``within`` a filter, so that fewer are read.
    """
    coming, still_open = Q(day__gte=since), Q(state=NoticeState.OPEN)
    wanted = numbers_of(
        *(Notice.objects.filter(within or Q(), arm) for arm in (coming, still_open))
    )
    return Q(**{f"{path}__in": wanted})


def notices_in(user: User, state: NoticeState) -> QuerySet[Notice]:
    """Return the last word to each patient and day in a state, those that ``progress`` counts.

    Each comes with its patient and site and, as ``tries``, the tries in their order.
    """
    # As ``current`` counts: of what is open every day, so that the index finds the order.
    days = Q() if state == NoticeState.OPEN else Q(day__gte=counted_since())
    tries = Delivery.objects.select_related("caller").order_by("id")
    return (
        Notice.objects.filter(
            days, last_words(), notices_of(user, Capability.SEE_OUTBOX), state=state
        )
        .select_related("patient", "site", "reserved_for", "settled_by")
        .prefetch_related(Prefetch("deliveries", tries, to_attr="tries"))
    )


def standing_or_heard() -> Q:
    """Return the filter for items whose notice stands, or was withdrawn and arrived all the same.

    What a withdrawn notice said was heard then (ADR 0014).
    """
    arrived = Delivery.objects.filter(notice=OuterRef("notice"), state=DeliveryState.DELIVERED)
    was_heard = Q(Exists(arrived), notice__handed_over_at__isnull=False)
    return ~Q(notice__state=NoticeState.WITHDRAWN) | was_heard
