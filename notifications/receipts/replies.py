"""What patients write back, and what a person does about it.

STOP ends SMS at once, for every patient with that mobile. What was about to leave is told by
phone, since an opt-out of reminders must not silence a cancellation. An agent asks the patient
which of the two they meant (``handle``); until then they are called.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from notifications.access import notices_of
from notifications.gateways import Inbound
from notifications.lifecycle import delivery_states, follow_up, notice_states
from notifications.models import (
    WITHDRAWABLE,
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeState,
    Reply,
    ReplyMeaning,
    ReplyOutcome,
)
from notifications.receipts.stop_words import asks_to_stop
from notifications.rules import international, key_of, one_line
from patients.models import Patient
from staff import clock
from staff.access import Capability, scope_of
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

LONGEST_TEXT = 2000


def visible_replies(user: User) -> QuerySet[Reply]:
    """Return the replies to notices of a person's sites, and of patients who have one there.

    A reply from an unknown number belongs to no site: those who work for the whole group see it.
    """
    if scope_of(user, Capability.WORK_CALL_LIST).everywhere:
        return Reply.objects.all()
    theirs = Notice.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST), patient=OuterRef("patient")
    )
    without_notice = Q(Exists(theirs), notice=None)
    return Reply.objects.filter(
        notices_of(user, Capability.WORK_CALL_LIST, path="notice__") | without_notice
    )


def replies_waiting(user: User) -> int:
    """Return how many replies wait for somebody."""
    return visible_replies(user).filter(handled_at=None).count()


@transaction.atomic
def arrive(*, gateway: str, inbound: Sequence[Inbound]) -> int:
    """Keep what patients wrote, each once, and let a STOP take effect; return how many are new."""
    found = _new(gateway, [_read(gateway, one) for one in inbound])
    if not found:
        return 0
    phones = {reply.phone for reply in found}
    patients = _locked_patients(phones)
    senders = _senders(patients, phones)
    for reply in found:
        reply.patient_id, reply.notice_id = senders.get(reply.phone, (None, None))
    stopped = {reply.phone for reply in found if reply.meaning == ReplyMeaning.STOP}
    unwilling = [pk for pk, mobile in patients.items() if mobile in stopped]
    # By id, in one go: the notices that may lose their SMS, and those replied to.
    unsent = _unsent(unwilling).values_list("notice_id", flat=True)
    notice_states.lock({*unsent, *(reply.notice_id for reply in found if reply.notice_id)})
    if unwilling:
        _stop_sms(unwilling)
    Reply.objects.bulk_create(found, ignore_conflicts=True)
    if unwilling:
        audit.record(action="patients.sms_stopped", by=None, patients=sorted(unwilling))
    return len(found)


@transaction.atomic
def handle(*, reply_id: int, outcome: ReplyOutcome | str, by: User) -> Reply:
    """Record the outcome of a reply, and apply it to every patient with that mobile.

    Args:
        reply_id: a reply that the person may see.
        outcome: ``no_sms_at_all``: all is told by phone; ``no_reminders``: SMS about changes
            are wanted, reminders are not; ``sms_again``: both; ``seen``: nothing changes.
        by: who spoke with the patient.

    Raises:
        Refusal: no such reply, or a colleague was faster.
    """
    outcome = ReplyOutcome(outcome)
    phone = visible_replies(by).filter(pk=reply_id).values_list("phone", flat=True).first()
    if phone is None:
        raise Refusal(_("Cette réponse n'existe pas."))
    patients = _locked_patients({phone})
    reply = Reply.objects.select_for_update().get(pk=reply_id)
    if reply.handled_at:
        raise Refusal(_("%s a déjà traité cette réponse.") % reply.handled_by)
    _carry_out(outcome, list(patients))
    reply.outcome, reply.handled_at, reply.handled_by = outcome, clock.now(), by
    reply.save(update_fields=["outcome", "handled_at", "handled_by"])
    audit.record(action=f"reply.{outcome}", by=by, subject=reply, patients=sorted(patients))
    return reply


def _carry_out(outcome: ReplyOutcome, patient_ids: Collection[int]) -> None:
    if outcome == ReplyOutcome.SEEN or not patient_ids:
        return
    concerned = Patient.objects.filter(pk__in=patient_ids)
    if outcome == ReplyOutcome.NO_SMS_AT_ALL:
        _stop_sms(patient_ids)
    elif outcome == ReplyOutcome.NO_REMINDERS:
        concerned.update(sms_opt_out_at=None)
        concerned.filter(reminder_opt_out_at=None).update(reminder_opt_out_at=clock.now())
    else:
        concerned.update(sms_opt_out_at=None, reminder_opt_out_at=None)


def _read(gateway: str, one: Inbound) -> Reply:
    """Return the reply; without a key or a moment of the gateway, one text counts once a day."""
    when = one.happened_at.isoformat() if one.happened_at else clock.today().isoformat()
    text = "\n".join(one_line(line, len(line)) for line in one.text.splitlines())[:LONGEST_TEXT]
    return Reply(
        gateway=gateway,
        key=key_of(one.key, one.phone, one.text, when),
        phone=international(one.phone),
        text=text,
        meaning=ReplyMeaning.STOP if asks_to_stop(text) else ReplyMeaning.OTHER,
        received_at=clock.now(),
    )


def _new(gateway: str, read: Sequence[Reply]) -> list[Reply]:
    by_key = {reply.key: reply for reply in read}
    kept = Reply.objects.filter(gateway=gateway, key__in=by_key).values_list("key", flat=True)
    for key in kept:
        del by_key[key]
    return list(by_key.values())


def _locked_patients(phones: Collection[str]) -> dict[int, str]:
    """Lock the patients with these mobiles, by id; return id → mobile."""
    patients = Patient.objects.filter(mobile__in={one for one in phones if one}).order_by("id")
    return dict(patients.select_for_update().values_list("id", "mobile"))


def _senders(
    patients: Mapping[int, str], phones: Collection[str]
) -> dict[str, tuple[int, int | None]]:
    """Return phone → the patient who wrote, and the notice of the last SMS that they got there.

    Of several patients with one phone, the one who got the newest SMS. If none of them ever got
    one, nobody knows who wrote.
    """
    number = Counter(patients.values())
    senders: dict[str, tuple[int, int | None]] = {
        mobile: (pk, None) for pk, mobile in patients.items() if number[mobile] == 1
    }
    handed_over = Delivery.objects.filter(
        channel=Channel.SMS,
        submitted_at__isnull=False,
        notice__patient__in=patients,
        address__in=phones,
    )
    newest_last = handed_over.order_by("submitted_at", "id")
    rows = newest_last.values_list("address", "notice__patient_id", "notice_id")
    for address, patient_id, notice_id in rows:
        if patients[patient_id] == address:
            senders[address] = (patient_id, notice_id)
    return senders


def _unsent(patient_ids: Collection[int]) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        channel=Channel.SMS,
        state__in=WITHDRAWABLE,
        notice__state=NoticeState.OPEN,
        notice__patient__in=patient_ids,
    )


def _stop_sms(patient_ids: Collection[int]) -> None:
    """Send these patients no more SMS; what was about to leave is told by phone.

    A call is not due before its SMS was: until then a doctor may keep the patient.
    """
    willing = Patient.objects.filter(pk__in=patient_ids, sms_opt_out_at=None)
    willing.update(sms_opt_out_at=clock.now())
    unsent = delivery_states.lock(_unsent(patient_ids))
    follow_up.end_and_call(
        unsent, state=DeliveryState.SUPPRESSED, failure=Failure.OPTED_OUT, as_planned=True
    )
