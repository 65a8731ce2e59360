"""What somebody noted as told by mistake is taken back: the patient is to be called again.

Only by whoever noted it, and only while a call is of use. The try stays in the history as
withdrawn, since nothing was said in it, and a new one takes its place under the same notice.
"""

import datetime as dt

from django.db import transaction

from notifications.lifecycle import settling
from notifications.models import Channel, Delivery, DeliveryState, Notice, NoticeState
from staff import clock
from staff.errors import Refusal
from staff.models import User
from staff.sentences import gettext_stored as _
from staff.services import audit

_SLIP = _("Noté par erreur : à rappeler.")


@transaction.atomic
def take_back(*, delivery_id: int, by: User) -> list[Notice]:
    """Reopen what was told in a call that was noted by mistake, and put the call back.

    What was noted together is taken back together, as in ``calls.log``.

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
    if settling.superseded(together):
        raise Refusal(_("La décision a changé depuis : le patient en est averti à nouveau."))
    now = clock.now()
    if min(one.notice.first_at for one in together) <= now:
        raise Refusal(_("Le rendez-vous a commencé : il n'y a plus d'appel à passer."))
    settling.finish(together, state=DeliveryState.WITHDRAWN, at=now, remark=_SLIP)
    for one in together:
        Delivery.objects.filter(pk=one.pk).update(submitted_at=None)  # nothing was said
        _reopen(one.notice, noted_at)
    settling.call_instead(together, at=now, as_planned=True)
    for one in together:
        audit.record(action="call.taken_back", by=by, subject=one.notice, call=one.number)
    return [one.notice for one in together]


def _noted_by(delivery_id: int, by: User) -> list[Delivery]:
    """Lock the calls by which somebody told the patient of a call what still counts as told."""
    calls = Delivery.objects.filter(channel=Channel.PHONE)
    patient_id = calls.filter(pk=delivery_id).values_list("notice__patient", flat=True).first()
    if patient_id is None:
        return []
    settling.lock_patient(patient_id)
    return settling.lock(
        calls.filter(
            notice__patient=patient_id,
            notice__state=NoticeState.TOLD,
            notice__settled_by=by,
            state=DeliveryState.DELIVERED,
            caller=by,
        )
    )


def _reopen(notice: Notice, noted_at: dt.datetime) -> None:
    if notice.handed_over_at == noted_at:  # by nothing but this call
        notice.handed_over_at = None
    notice.state, notice.settled_at, notice.settled_by = NoticeState.OPEN, None, None
    notice.save()
    notice.items.update(new_day_suits=None, new_day_answered_at=None)  # nobody was asked
