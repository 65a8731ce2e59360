"""Which calls are still to be made, and whose they are until their hour."""

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from notifications.models import Channel, Delivery, DeliveryState, NoticeState
from staff import clock

TO_CALL = (DeliveryState.QUEUED, DeliveryState.CLAIMED)
LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def claimed() -> Q:
    """Return the filter for tries that somebody has, by the index of leases.

    A bound that all of them keep, since SQLite finds nothing by "is not null".
    """
    return Q(state=DeliveryState.CLAIMED, lease_until__gt=LONG_AGO)


def first_calls_to_come() -> QuerySet[Delivery]:
    """Return the calls that wait for the release time of their bulletin, by us or by a doctor.

    Not a later try: the patient or the agent chose when.
    """
    return Delivery.objects.filter(
        channel=Channel.PHONE,
        state=DeliveryState.QUEUED,
        number=1,
        not_before__gt=clock.now(),
        notice__state=NoticeState.OPEN,
    )


def calls_before_release() -> QuerySet[Delivery]:
    """Return the calls that wait for the release time of their bulletin, as held SMS do.

    Not those that a doctor makes in person.
    """
    return first_calls_to_come().exclude(made_by_doctors())


def made_by_doctors() -> Q:
    """Return the filter for calls that are the doctor's until their hour; then they are ours."""
    return Q(
        state=DeliveryState.QUEUED,
        number=1,
        not_before__gt=clock.now(),
        notice__reserved_for__isnull=False,
    )


def said_of_doctors(number: int) -> str:
    """Return what follows a number of calls to make: how many more their doctors make."""
    if not number:
        return ""
    return ngettext(
        "et %(number)s que son médecin appelle",
        "et %(number)s que leurs médecins appellent",
        number,
    ) % {"number": number}
