"""The transitions of calls, which are tries too, and the filters for calls still to be made.

::

    function    from                                to
    claim       queued, claimed (lease ran out)     claimed
    end         held, queued, claimed, withdrawn    delivered, failed
    note        –                                   delivered   (the patient called us)
    take_back   delivered                           withdrawn, and its notice open again
"""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import ngettext

from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import (
    WITHDRAWABLE,
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeItem,
    NoticeState,
)
from staff import clock
from staff.errors import Refusal
from staff.models import User
from staff.sentences import Stored
from staff.sentences import gettext_stored as _
from staff.services import audit

TO_CALL = (DeliveryState.QUEUED, DeliveryState.CLAIMED)
LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SLIP = _("Noté par erreur : à rappeler.")


def claimed() -> Q:
    """Return the filter for claimed tries, by the index of leases."""
    # A bound that all of them keep: SQLite does not use the index for "is not null".
    return Q(state=DeliveryState.CLAIMED, lease_until__gt=LONG_AGO)


def first_calls_to_come() -> QuerySet[Delivery]:
    """Return the calls that wait for their bulletin's release time, by us or by a doctor."""
    return Delivery.objects.filter(
        _first_and_later(), channel=Channel.PHONE, notice__state=NoticeState.OPEN
    )


def calls_before_release() -> QuerySet[Delivery]:
    """Return the calls of ours that wait for their bulletin's release time, as held SMS do."""
    return first_calls_to_come().exclude(made_by_doctors())


def made_by_doctors() -> Q:
    """Return the filter for calls that the doctor makes until they are due; then they are ours."""
    return _first_and_later() & Q(notice__reserved_for__isnull=False)


def _first_and_later() -> Q:
    # Not a later try: the patient or the agent chose when.
    return Q(state=DeliveryState.QUEUED, number=1, not_before__gt=clock.now())


def said_of_doctors(number: int) -> str:
    """Return the words after a number of calls of ours: how many more doctors make."""
    if not number:
        return ""
    return ngettext(
        "et %(number)s que son médecin appelle",
        "et %(number)s que leurs médecins appellent",
        number,
    ) % {"number": number}


def claim(ids: Iterable[int], *, by: User, seconds: float, on_paper: bool) -> None:
    """Lease calls that are due and free, under lock, to an agent for so many seconds.

    ``on_paper``: the agent calls without the screen.
    """
    Delivery.objects.filter(pk__in=ids, state__in=TO_CALL).update(
        state=DeliveryState.CLAIMED,
        claimed_by=by.get_username()[:80],
        caller=by,
        lease_until=clock.real() + dt.timedelta(seconds=seconds),
        printed_at=clock.now() if on_paper else None,
    )


def end(
    call: Delivery,
    *,
    by: User,
    at: dt.datetime,
    failure: Failure | str = "",
    remark: Stored = "",
) -> None:
    """End a call that was made, or withdrawn while an agent was making it.

    Without a failure the patient was reached.
    """
    written = {
        "state": DeliveryState.FAILED if failure else DeliveryState.DELIVERED,
        "failure": failure,
        "caller": by,
        "remark": remark,
        "address": call.address,
        "submitted_at": call.submitted_at or at,
        "finished_at": at,
        "lease_until": None,
    }
    allowed = (*WITHDRAWABLE, DeliveryState.WITHDRAWN)
    Delivery.objects.filter(pk=call.pk, state__in=allowed).update(**written)
    for name, value in written.items():
        setattr(call, name, value)


def note(notice_id: int, *, by: User, at: dt.datetime, remark: Stored, urgency: int = 0) -> None:
    """Keep a call that was not on the list: the patient called us and was told."""
    calls = Delivery.objects.filter(notice=notice_id, channel=Channel.PHONE)
    last = calls.order_by("-number").values_list("number", flat=True).first()
    Delivery.objects.create(
        notice_id=notice_id,
        channel=Channel.PHONE,
        number=(last or 0) + 1,
        state=DeliveryState.DELIVERED,
        not_before=at,
        urgency=urgency,
        submitted_at=at,
        finished_at=at,
        caller=by,
        remark=remark,
    )


@transaction.atomic
def take_back(*, delivery_id: int, by: User) -> list[Notice]:
    """Reopen what was noted as told by mistake, and put the call back on the list.

    All calls noted at the same moment are taken back. They stay in the history as withdrawn,
    since nothing was said in them, and a new call is opened for each notice.

    Args:
        delivery_id: the call.
        by: the person who noted it; nobody else may take it back.

    Returns:
        the notices that are open again.

    Raises:
        Refusal: somebody else noted it, the decision changed since, or the appointment has
            begun; says which.
    """
    calls = _noted_by(delivery_id, by)
    call = next((one for one in calls if one.pk == delivery_id), None)
    if call is None or call.finished_at is None:
        raise Refusal(_("Seule la personne qui a noté l'appel peut revenir dessus."))
    noted_at = call.finished_at
    together = [one for one in calls if one.finished_at == noted_at]
    if follow_up.superseded(together):
        raise Refusal(_("La décision a changé depuis : le patient en est averti à nouveau."))
    now = clock.now()
    if min(one.notice.first_at for one in together) <= now:
        raise Refusal(_("Le rendez-vous a commencé : il n'y a plus d'appel à passer."))
    made = Delivery.objects.filter(pk__in=[one.pk for one in together])
    made.filter(state=DeliveryState.DELIVERED).update(
        state=DeliveryState.WITHDRAWN,
        finished_at=now,
        lease_until=None,
        failure="",
        remark=_SLIP,
        submitted_at=None,  # nothing was said
    )
    reopened = [one.notice_id for one in together]
    notice_states.reopen(reopened, noted_at=noted_at)
    # The patient did not answer for a new day either.
    NoticeItem.objects.filter(notice__in=reopened).update(
        new_day_suits=None, new_day_answered_at=None
    )
    follow_up.open_calls({one.notice_id: one for one in together}, at=now, as_planned=True)
    for one in together:
        audit.record(action="call.taken_back", by=by, subject=one.notice, call=one.number)
    return [one.notice for one in together]


def _noted_by(delivery_id: int, by: User) -> list[Delivery]:
    """Lock the calls by which a person told a call's patient and which still count as told."""
    calls = Delivery.objects.filter(channel=Channel.PHONE)
    patient_id = calls.filter(pk=delivery_id).values_list("notice__patient", flat=True).first()
    if patient_id is None:
        return []
    notice_states.lock_patient(patient_id)
    return delivery_states.lock(
        calls.filter(
            notice__patient=patient_id,
            notice__state=NoticeState.TOLD,
            notice__settled_by=by,
            state=DeliveryState.DELIVERED,
            caller=by,
        )
    )
