"""The transitions of a notice: nothing else writes ``Notice.state``.

::

    function       from                 to
    open_told      –                    told         (it was said on the phone just now)
    tell           open, unreachable    told
    give_up        open                 unreachable
    withdraw       open, unreachable    withdrawn
    reopen         told                 open         (the call was noted by mistake)

``opening`` opens notices set by set; ``follow_up`` opens those that carry over what a withdrawn one
said. ``hand_over``, ``take_back`` and ``note_heard`` write ``handed_over_at`` and no state. Each
function moves only notices in one of its from-states, inside the caller's transaction.

The order of locks is: the patient, the notices by id, their deliveries. Withdrawing a notice and
handing it over both lock it first, so that each sees what the other did.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, NullIf

from notifications import rules
from notifications.models import Notice, NoticeState, ToAskAgain
from patients.models import Patient
from staff import clock
from staff.database import among, is_postgresql
from staff.models import User

Pair = tuple[int, dt.date]
"""A patient and a day."""
_ASKED_AT_ONCE = 200
_answerers: list[Callable[[Iterable[Pair]], object]] = []


def lock_patient(patient_id: int) -> None:
    """Lock a patient, before their notices; inserting a notice about them does not wait."""
    patients = Patient.objects.select_for_update(no_key=True)
    list(patients.filter(pk=patient_id).values_list("pk", flat=True))


def lock(ids: Iterable[int]) -> None:
    """Lock notices by id; on SQLite the transaction itself is the lock."""
    if is_postgresql():
        found = Notice.objects.filter(among("id", ids)).order_by("id")
        list(found.select_for_update().values_list("id", flat=True))


# --- when an SMS is of use ------------------------------------------------------------------


def later(seconds: float) -> dt.datetime:
    """Return the hospital's moment so many seconds from now, also across a change of the clock."""
    return clock.now().astimezone(dt.UTC) + dt.timedelta(seconds=seconds)


def latest_departure(first_at: dt.datetime) -> dt.datetime:
    """Return the moment after which an SMS about an appointment is of no more use."""
    return rules.latest_departure(first_at, seconds_before=settings.SMS_LATEST_SECONDS)


def earliest_appointment(leaves_at: dt.datetime | None = None) -> dt.datetime:
    """Return the earliest appointment about which an SMS is of use that leaves then, or now."""
    leaves_at = leaves_at or clock.now()
    # In UTC: on the wall clock half an hour from now may lie an hour and a half ahead.
    return leaves_at.astimezone(dt.UTC) + dt.timedelta(seconds=settings.SMS_LATEST_SECONDS)


# --- transitions ----------------------------------------------------------------------------


def newer_than_outer(path: str = "") -> QuerySet[Notice]:
    """Return the later versions of a notice of an outer query that were not withdrawn.

    Args:
        path: from the outer query's model to its notice, as ``notice__``.
    """
    return Notice.objects.filter(
        patient=OuterRef(f"{path}patient"),
        day=OuterRef(f"{path}day"),
        version__gt=OuterRef(f"{path}version"),
    ).exclude(state=NoticeState.WITHDRAWN)


def hand_over(ids: Iterable[int], *, at: dt.datetime) -> None:
    """Note when the first message of each notice left."""
    Notice.objects.filter(among("id", ids), handed_over_at=None).update(handed_over_at=at)


def take_back(ids: Iterable[int], *, replaced: Collection[int]) -> set[int]:
    """Note that no message of these notices, under lock, left: they may be withdrawn again.

    ``replaced`` ones were withdrawn for a newer one, and were not heard either.

    Returns:
        the ids of those that are still to be told.
    """
    mine = Notice.objects.filter(pk__in=ids)
    gone = Q(state=NoticeState.WITHDRAWN, pk__in=replaced)
    mine.filter(Q(state=NoticeState.OPEN) | gone).update(handed_over_at=None)
    return set(mine.filter(state=NoticeState.OPEN).values_list("pk", flat=True))


def tell(ids: Iterable[int], *, at: dt.datetime, by: User | None = None) -> None:
    """Close notices as told, by a person or a gateway (None).

    For a notice that was given up, a person's word counts, and a gateway's receipt unless a newer
    version was opened since.
    """
    in_time = Q() if by else Q(~Exists(newer_than_outer()))
    given_up = in_time & Q(state=NoticeState.UNREACHABLE)
    Notice.objects.filter(among("id", ids), Q(state=NoticeState.OPEN) | given_up).update(
        state=NoticeState.TOLD,
        settled_at=at,
        settled_by=by,
        handed_over_at=Coalesce("handed_over_at", at),
    )


def note_heard(ids: Iterable[int], *, at: dt.datetime) -> None:
    """Note that withdrawn notices were heard after all (ADR 0014)."""
    Notice.objects.filter(pk__in=ids, state=NoticeState.WITHDRAWN).update(handed_over_at=at)


def give_up(ids: Iterable[int], *, at: dt.datetime, by: User) -> None:
    """Close notices as unreachable: nothing is left to try."""
    Notice.objects.filter(pk__in=ids, state=NoticeState.OPEN).update(
        state=NoticeState.UNREACHABLE, settled_at=at, settled_by=by
    )


def withdraw(ids: Iterable[int] | RawSQL, *, at: dt.datetime) -> None:
    """Withdraw notices: what they say is no longer to be told, or a newer one says it.

    They are under lock; SQL may select them.
    """
    untold = (NoticeState.OPEN, NoticeState.UNREACHABLE)
    Notice.objects.filter(pk__in=ids, state__in=untold).update(
        state=NoticeState.WITHDRAWN, settled_at=at, settled_by=None
    )


def reopen(ids: Iterable[int], *, noted_at: dt.datetime) -> None:
    """Open told notices again: the call noted at that moment was never made."""
    Notice.objects.filter(pk__in=ids, state=NoticeState.TOLD).update(
        state=NoticeState.OPEN,
        settled_at=None,
        settled_by=None,
        handed_over_at=NullIf("handed_over_at", noted_at),  # unless something else left before
    )


def open_told(
    *,
    patient_id: int,
    day: dt.date,
    site_id: int,
    first_at: dt.datetime,
    at: dt.datetime,
    by: User,
) -> Notice:
    """Open the next version of a notice as told: the patient heard it before it was due."""
    known = Notice.objects.filter(patient=patient_id, day=day).aggregate(last=Max("version"))
    return Notice.objects.create(
        patient_id=patient_id,
        day=day,
        version=(known["last"] or 0) + 1,
        state=NoticeState.TOLD,
        site_id=site_id,
        first_at=first_at,
        created_at=at,
        handed_over_at=at,
        settled_at=at,
        settled_by=by,
    )


# --- what is owed is asked again ------------------------------------------------------------
#
# When a receipt comes late, or a gateway says that it took nothing, after the decision changed, a
# notice opened meanwhile may be needless, or one may be missing. Only the app that plans knows what
# is owed, and its locks come before those that are held here. So patient and day are stored, and
# the next sweep, a few seconds later, brings them in line.


def answer_with(align: Callable[[Iterable[Pair]], object]) -> None:
    """Register the function that brings the notices of patients and days in line."""
    _answerers[:] = [align]


def ask_again(pairs: Iterable[Pair]) -> None:
    """Store patients and days, inside the transaction that changed what was heard."""
    ToAskAgain.objects.bulk_create(
        ToAskAgain(patient_id=patient_id, day=day) for patient_id, day in sorted(set(pairs))
    )


def answer() -> int:
    """Bring the stored patients and days in line; return how many."""
    answered = 0
    stored = ToAskAgain.objects.order_by("id").values_list("id", "patient", "day")
    while kept := list(stored[:_ASKED_AT_ONCE]):
        pairs = {(patient_id, day) for _pk, patient_id, day in kept}
        with transaction.atomic():
            for align in _answerers:
                align(pairs)
            # By id: a row added meanwhile about the same patient stays.
            ToAskAgain.objects.filter(pk__in=[pk for pk, *_pair in kept]).delete()
        answered += len(pairs)
    return answered
