"""Told once, and nobody lost."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from django.conf import settings
from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Lag

from appointments.models import Appointment, Basis, Bulletin, BulletinState, Decision, Status
from appointments.vocabulary import Outcome, Ruling, Service, Tell
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
)
from staff import clock
from staff.models import AuditEvent
from vivalia_continuity.promises.sentences import sentence

SWEPT_WITHIN = dt.timedelta(minutes=10)
STANDING = (Status.BOOKED, Status.ARRIVED)
_TRIED = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.SUPPRESSED)


def two_sms_handed_over() -> Iterator[str]:
    """A notice of which two SMS left, or may have, without anybody having sent one again.

    What ended as ``failed`` because nobody knows may have left too.
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
    """Return the SMS in whose place a person had another one sent."""
    events = AuditEvent.objects.filter(action="sms.resent").values_list("detail", flat=True)
    return {pk for detail in events for pk in detail["deliveries"]}


def reference_shared() -> Iterator[str]:
    """Two tries under one client reference: a gateway would take them for one message."""
    named = Delivery.objects.exclude(client_reference="").values("client_reference")
    shared = named.annotate(number=Count("pk")).filter(number__gt=1)
    yield from sentence(
        Delivery.objects.filter(client_reference__in=shared.values("client_reference")),
        "envois qui partagent leur référence avec un autre",
    )


def two_notices_pending() -> Iterator[str]:
    """A patient for whom two notices about one day wait to be handed over."""
    pending = Notice.objects.filter(state=NoticeState.OPEN, handed_over_at__isnull=True)
    earlier = pending.filter(
        patient=OuterRef("patient"), day=OuterRef("day"), version__lt=OuterRef("version")
    )
    yield from sentence(
        pending.filter(Exists(earlier)), "avis en attente alors qu'un autre attend déjà"
    )


def same_word_twice() -> Iterator[str]:
    """An appointment about which a patient was told the same word twice in a row."""
    heard = NoticeItem.objects.filter(
        notice__handed_over_at__isnull=False,
        notice__state__in=[NoticeState.OPEN, NoticeState.TOLD],
    )

    def before(value: F | Coalesce) -> Window:
        place, order = ["subject_id", "notice__day"], ["notice__version"]
        return Window(Lag(value), partition_by=place, order_by=order)

    repeated = heard.annotate(
        new_day=new_day("postponed_to"),
        word_before=before(F("word")),
        new_day_before=before(new_day("postponed_to")),
    ).filter(word=F("word_before"), new_day=F("new_day_before"))
    yield from sentence(
        repeated,
        "rendez-vous dont le patient a entendu deux fois la même chose",
        field="subject_id",
    )


def item_repeated() -> Iterator[str]:
    """An appointment that stands twice in one notice."""
    earlier = NoticeItem.objects.filter(
        notice=OuterRef("notice"), subject_id=OuterRef("subject_id"), pk__lt=OuterRef("pk")
    )
    yield from sentence(
        NoticeItem.objects.filter(Exists(earlier)),
        "rendez-vous cités deux fois dans un même avis",
        field="subject_id",
    )


def decided_but_not_told() -> Iterator[str]:
    """An outcome that the bulletin orders to tell, without any notice that says so."""
    says_it = _that_say_it().exclude(notice__state=NoticeState.WITHDRAWN)
    yield from sentence(
        _to_be_told().filter(~Exists(says_it)), "rendez-vous décidés dont aucun avis ne parle"
    )


def told_otherwise() -> Iterator[str]:
    """A patient whose last word on an appointment is no longer what holds."""
    latest = (
        NoticeItem.objects.filter(
            subject_id=OuterRef("pk"),
            notice__day=OuterRef("day"),
            notice__state__in=[NoticeState.OPEN, NoticeState.TOLD],
        )
        .annotate(new_day=new_day("postponed_to"))
        .order_by("-notice__version")
    )
    in_vain = _that_say_it().filter(notice__state=NoticeState.UNREACHABLE)
    changed = (
        Appointment.objects.filter(
            status__in=STANDING, outcome__in=[Outcome.CANCELLED, Outcome.MAINTAINED]
        )
        .annotate(
            last_word=Subquery(latest.values("word")[:1]),
            last_day=Subquery(latest.values("new_day")[:1]),
        )
        .filter(last_word__isnull=False)
        .exclude(last_word=F("outcome"), last_day=new_day("postponed_to"))
        .filter(~Exists(in_vain))
    )
    yield from sentence(changed, "rendez-vous dont le patient croit encore autre chose")


def _that_say_it() -> QuerySet[NoticeItem]:
    """Return what says what holds for an appointment of an outer query."""
    return NoticeItem.objects.alias(new_day=new_day("postponed_to")).filter(
        subject_id=OuterRef("pk"),
        notice__day=OuterRef("day"),
        word=OuterRef("outcome"),
        new_day=new_day(OuterRef("postponed_to")),
    )


def new_day(field: str | OuterRef | Subquery) -> Coalesce:
    """Return the day given instead; where there is none, a date that equals itself."""
    return Coalesce(field, Value(dt.date.min, output_field=DateField()))


def open_without_a_try() -> Iterator[str]:
    """An open notice that nobody and nothing is about to deliver."""
    live = Delivery.objects.filter(notice=OuterRef("pk"), state__in=LIVE)
    yield from sentence(
        Notice.objects.filter(~Exists(live), state=NoticeState.OPEN),
        "avis ouverts que plus rien ne porte",
    )


def waiting_in_vain() -> Iterator[str]:
    """An SMS that waits although it is of no more use: its patient should be called by now.

    Also while sending is paused. A sweep ends such a try within seconds.
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
    """A notice given up without a single try to show for it."""
    tries = Delivery.objects.filter(notice=OuterRef("pk"), state__in=_TRIED)
    yield from sentence(
        Notice.objects.filter(~Exists(tries), state=NoticeState.UNREACHABLE),
        "avis déclarés injoignables sans qu'aucun essai ne soit noté",
    )


def told_without_a_hand_over() -> Iterator[str]:
    """A notice called told although nothing was ever handed over."""
    reached = Delivery.objects.filter(notice=OuterRef("pk"), state__in=HANDED_OVER)
    yield from sentence(
        Notice.objects.filter(~Exists(reached), state=NoticeState.TOLD),
        "avis déclarés dits sans qu'aucun envoi ne l'ait porté",
    )


def _to_be_told() -> QuerySet[Appointment]:
    """Return the appointments whose standing outcome the bulletin in force orders to tell.

    A clause's own decision names its clause. A person's decision is held against the clause
    that ruled before it, as long as the bulletin of that clause still rules the day alone.
    """
    clause = (
        Decision.objects.filter(appointment=OuterRef("pk"), basis=Basis.CLAUSE, day=OuterRef("day"))
        .filter(bulletin__state=BulletinState.IN_FORCE)
        .order_by("-version")
    )
    newer = Bulletin.objects.filter(
        Q(approved_at__gt=OuterRef("ruled_at"))
        | Q(approved_at=OuterRef("ruled_at"), pk__gt=OuterRef("ruling_bulletin")),
        state=BulletinState.IN_FORCE,
        first_day__lte=OuterRef("day"),
        last_day__gte=OuterRef("day"),
    )
    tells_it = Q(tell=Tell.BOTH) | Q(tell=F("outcome"))
    kept = Q(outcome_basis=Basis.PERSON, outcome=Outcome.MAINTAINED, ruling=Ruling.CANCEL)
    return (
        Appointment.objects.filter(
            status__in=STANDING,
            outcome__in=[Outcome.CANCELLED, Outcome.MAINTAINED],
            outcome_basis__in=[Basis.CLAUSE, Basis.PERSON],
        )
        .exclude(service=Service.EMERGENCY)
        .annotate(
            ruling_bulletin=Subquery(clause.values("bulletin")[:1]),
            ruled_at=Subquery(clause.values("bulletin__approved_at")[:1]),
            ruling=Subquery(clause.values("clause__ruling")[:1]),
            tell=Subquery(clause.values("clause__tell")[:1]),
        )
        .annotate(
            is_told=Case(
                When(kept, then=True),
                When(postponed_to__isnull=False, then=True),
                When(tells_it, then=True),
                default=False,
                output_field=BooleanField(),
            )
        )
        .filter(~Exists(newer), is_told=True)
    )
