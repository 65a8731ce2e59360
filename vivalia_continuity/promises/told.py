"""Checks that each patient is told once and none is forgotten."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.db.models import (
    Count,
    DateField,
    Exists,
    F,
    OuterRef,
    Q,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import Coalesce, Lag

from appointments.decisions import rulings
from appointments.models import Appointment, Status
from notifications.models import (
    HANDED_OVER,
    LIVE,
    UNSENT,
    Channel,
    Delivery,
    DeliveryState,
    Failure,
    Notice,
    NoticeItem,
    NoticeState,
    Word,
)
from staff import clock
from staff.models import AuditEvent
from vivalia_continuity.promises.sentences import sentence

SWEPT_WITHIN = dt.timedelta(minutes=10)
STANDING = (Status.BOOKED, Status.ARRIVED)
_TRIED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SUPPRESSED)


def two_sms_handed_over() -> Iterator[str]:
    """A notice with two SMS that left, or may have left, although no person resent one.

    A delivery that is ``failed`` because its fate stayed unknown may have left too.
    """
    left = Delivery.objects.filter(
        Q(state__in=HANDED_OVER) | Q(state=DeliveryState.FAILED, failure=Failure.UNKNOWN),
        channel=Channel.SMS,
    )
    several = left.values("notice").annotate(number=Count("pk")).filter(number__gt=1)
    pairs = list(left.filter(notice__in=several.values("notice")).values_list("pk", "notice_id"))
    resent = _resent_by_a_person() if pairs else set()
    by_machine = Counter(notice_id for pk, notice_id in pairs if pk not in resent)
    faulty = [notice_id for notice_id, number in by_machine.items() if number > 1]
    yield from sentence(Notice.objects.filter(pk__in=faulty), "avis dont deux SMS sont partis")


def _resent_by_a_person() -> set[int]:
    """Return the SMS that a person resent."""
    events = AuditEvent.objects.filter(action="sms.resent").values_list("detail", flat=True)
    return {pk for detail in events for pk in detail["deliveries"]}


def reference_shared() -> Iterator[str]:
    """Two deliveries with one client reference: a gateway takes them for one message."""
    named = Delivery.objects.exclude(client_reference="").values("client_reference")
    shared = named.annotate(number=Count("pk")).filter(number__gt=1)
    yield from sentence(
        Delivery.objects.filter(client_reference__in=shared.values("client_reference")),
        "envois qui partagent leur référence avec un autre",
    )


def two_notices_pending() -> Iterator[str]:
    """A patient with two pending notices about one day."""
    pending = Notice.objects.filter(state=NoticeState.OPEN, handed_over_at__isnull=True)
    earlier = pending.filter(
        patient=OuterRef("patient"), day=OuterRef("day"), version__lt=OuterRef("version")
    )
    yield from sentence(
        pending.filter(Exists(earlier)), "avis en attente alors qu'un autre attend déjà"
    )


def same_word_twice() -> Iterator[str]:
    """An appointment with the same outcome told twice in a row.

    What a withdrawn notice may have said in between is another word, also where the gateway
    reported afterwards that its SMS failed: a person then tells what holds once more.
    """
    standing = [NoticeState.OPEN, NoticeState.TOLD]
    heard = NoticeItem.objects.filter(notice__handed_over_at__isnull=False).exclude(
        notice__state=NoticeState.UNREACHABLE
    )

    def before(value: F | Coalesce) -> Window:
        place = ["notice__patient", "subject_id", "notice__day"]
        order = ["notice__handed_over_at", "notice__version"]
        return Window(Lag(value), partition_by=place, order_by=order)

    repeated = heard.annotate(
        new_day=new_day("postponed_to"),
        word_before=before(F("word")),
        new_day_before=before(new_day("postponed_to")),
        hour_before=before(F("starts_at")),
        state_before=before(F("notice__state")),
    ).filter(
        # In one condition with a window: alone, the state would narrow what the windows see.
        Q(notice__state=NoticeState.OPEN, word=F("word_before"))
        | Q(notice__state=NoticeState.TOLD, word=F("word_before")),
        Q(word=Word.CANCELLED) | Q(starts_at=F("hour_before")),  # a new hour is a new outcome
        state_before__in=standing,
        new_day=F("new_day_before"),
    )
    yield from sentence(
        repeated,
        "rendez-vous dont le patient a entendu deux fois la même chose",
        field="subject_id",
    )


def item_repeated() -> Iterator[str]:
    """An appointment that occurs twice in one notice."""
    earlier = NoticeItem.objects.filter(
        notice=OuterRef("notice"), subject_id=OuterRef("subject_id"), pk__lt=OuterRef("pk")
    )
    yield from sentence(
        NoticeItem.objects.filter(Exists(earlier)),
        "rendez-vous cités deux fois dans un même avis",
        field="subject_id",
    )


def decided_but_not_told() -> Iterator[str]:
    """An outcome owed to a patient without a notice of it."""
    yield from _unsaid("rendez-vous décidés dont aucun avis ne parle", heard=False)


def told_otherwise() -> Iterator[str]:
    """A patient who was last told an outcome that no longer holds."""
    yield from _unsaid("rendez-vous dont le patient croit encore autre chose", heard=True)


def _unsaid(what: str, *, heard: bool) -> Iterator[str]:
    """Return the outcomes that are owed by the rules and that no notice will tell."""
    unsaid = [pk for pk, has_heard in rulings.unsaid() if has_heard == heard]
    yield from sentence(Appointment.objects.filter(pk__in=unsaid), what)


def new_day(field: str | OuterRef | Subquery) -> Coalesce:
    """Return the day given instead; without one, a date that equals itself."""
    return Coalesce(field, Value(dt.date.min, output_field=DateField()))


def open_without_a_try() -> Iterator[str]:
    """An open notice without a live delivery, by SMS or by phone."""
    live = Delivery.objects.filter(notice=OuterRef("pk"), state__in=LIVE)
    yield from sentence(
        Notice.objects.filter(~Exists(live), state=NoticeState.OPEN),
        "avis ouverts que plus rien ne porte",
    )


def waiting_in_vain() -> Iterator[str]:
    """An SMS that waits past its deadline: its patient should be called.

    Also while sending is paused. A sweep ends such a delivery within seconds.
    """
    too_late = clock.now().astimezone(dt.UTC) - SWEPT_WITHIN
    waiting = Delivery.objects.filter(
        channel=Channel.SMS,
        state__in=UNSENT,
        client_reference="",
        notice__first_at__lt=too_late + dt.timedelta(seconds=settings.SMS_LATEST_SECONDS),
    )
    yield from sentence(waiting, "SMS qui attendent encore alors qu'ils ne servent plus")


def unreachable_without_a_try() -> Iterator[str]:
    """A notice given up without any delivery."""
    tries = Delivery.objects.filter(notice=OuterRef("pk"), state__in=_TRIED)
    yield from sentence(
        Notice.objects.filter(~Exists(tries), state=NoticeState.UNREACHABLE),
        "avis déclarés injoignables sans qu'aucun essai ne soit noté",
    )


def told_without_a_hand_over() -> Iterator[str]:
    """A told notice of which no delivery was handed over."""
    reached = Delivery.objects.filter(notice=OuterRef("pk"), state__in=HANDED_OVER)
    yield from sentence(
        Notice.objects.filter(~Exists(reached), state=NoticeState.TOLD),
        "avis déclarés dits sans qu'aucun envoi ne l'ait porté",
    )
