"""Checks of the SMS handed over: their time and their text."""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, Subquery

from appointments.models import Decision, Outcome
from notifications.models import (
    Channel,
    ClockStep,
    Delivery,
    NoticeItem,
    Sending,
    Word,
    notice_id_of,
)
from notifications.texts.forbidden_words import medical_words_in
from vivalia_continuity.promises.sentences import SHOWN, sentence

GRACE = dt.timedelta(seconds=2)
SKEW = dt.timedelta(seconds=10)  # a step is noticed some seconds after it was made


def sms_against_a_standing_decision() -> Iterator[str]:
    """An SMS saying "cancelled" that was handed over when the appointment was maintained."""
    standing = Decision.objects.filter(
        appointment=OuterRef("subject_id"),
        decided_at__lt=OuterRef("notice__deliveries__submitted_at"),
    ).order_by("-version")
    against = (
        NoticeItem.objects.filter(
            word=Word.CANCELLED,
            notice__deliveries__channel=Channel.SMS,
            notice__deliveries__submitted_at__isnull=False,
        )
        .annotate(
            stood=Subquery(standing.values("outcome")[:1]),
            stood_for=Subquery(standing.values("day")[:1]),
        )
        .filter(stood=Outcome.MAINTAINED, stood_for=F("notice__day"))
        .exclude(_has_no_order("notice__deliveries__submitted_at"))
    )
    yield from sentence(
        against,
        "rendez-vous maintenus dont le patient a reçu un SMS d'annulation",
        field="subject_id",
    )


def sent_while_paused() -> Iterator[str]:
    """An SMS handed over while all sending was paused, except the batch under way."""
    paused = Sending.objects.filter(paused_at__lt=OuterRef("submitted_at") - GRACE)
    yield from sentence(
        Delivery.objects.filter(Exists(paused), channel=Channel.SMS).exclude(
            _has_no_order("submitted_at")
        ),
        "SMS remis alors que l'envoi est en pause",
    )


def _has_no_order(column: str) -> Q:
    """Whether a moment cannot be compared with others, because its hour occurred twice.

    The database's clock was set back (``ClockStep``). The hosts' clocks write no moments.
    """
    step = ClockStep.objects.filter(
        noticed_at__lte=OuterRef(column) + SKEW, was_at__gte=OuterRef(column) - SKEW
    )
    return Q(Exists(step))


def bodies() -> Iterator[str]:
    """An SMS with a medical word, or one that its reader could not check."""
    sent = (
        Delivery.objects.filter(channel=Channel.SMS)
        .filter(Q(submitted_at__isnull=False) | ~Q(body=""))
        .values_list("pk", "notice_id", "body", "notice__site__callback_number")
    )
    found: dict[str, list[int]] = {}
    for pk, notice_id, body, callback_number in sent.iterator(chunk_size=2000):
        for fault in _faults(notice_id, body, callback_number):
            found.setdefault(fault, []).append(pk)
    for fault, deliveries in found.items():
        first = ", ".join(map(str, deliveries[:SHOWN]))
        yield f"{len(deliveries)} SMS {fault} : {first}{'…' if len(deliveries) > SHOWN else ''}"


def _faults(notice_id: int, body: str, callback_number: str) -> Iterator[str]:
    words = [word.strip(".,") for word in body.split()]
    references = [word for word in words if "-" in word and notice_id_of(word) == notice_id]
    if not references:
        yield "sans la référence de leur avis"
    # A reference is random: one in a few hundred contains DR or CT by chance.
    said = " ".join(word for word in words if word not in references)
    if medical_words_in(said, harmless=[settings.HOSPITAL_NAME]):
        yield "qui disent quelque chose de médical"
    if callback_number.removeprefix("+") not in "".join(filter(str.isdigit, body)):
        yield "sans le numéro à rappeler"
