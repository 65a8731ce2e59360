"""The results of the demonstration: counts, and the messages as a file."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import Count

from appointments.demo.hospital import BULLETIN_DAY
from appointments.models import Appointment, Outcome, Service, Status
from notifications import rules
from notifications.models import Channel, Delivery, DeliveryState, NoticeState
from notifications.telling.progress import notices_by_state, progress


def decisions() -> Iterator[str]:
    """Yield a table: services down, outcomes across, for what was planned on the day."""
    counted = (
        Appointment.objects.filter(day=BULLETIN_DAY, status=Status.BOOKED)
        .values_list("service", "outcome")
        .annotate(Count("pk"))
        .order_by()
    )
    numbers = {(service, outcome): number for service, outcome, number in counted}
    heads = {
        Outcome.CANCELLED.value: "annulés",
        Outcome.MAINTAINED.value: "maintenus",
        Outcome.UNDER_REVIEW.value: "à examiner",
        "": "sans décision",
    }
    yield f"   {'':<20}" + "".join(f"{head:>15}" for head in heads.values())
    for service in Service:
        row = [numbers.get((service.value, outcome), 0) for outcome in heads]
        if any(row):
            yield f"   {service.label:<20}" + "".join(f"{number or '–':>15}" for number in row)


def notices() -> Iterator[str]:
    """Yield the counts of notices by state, then of tries by channel and state."""
    now = progress()
    opened = notices_by_state()
    states = [(str(NoticeState(state).label), number) for state, number in opened.items()]
    yield "   Avis : " + _listed(states)
    for channel, tries in now.deliveries.items():
        states = [(str(DeliveryState(state).label), number) for state, number in tries.items()]
        yield f"   {Channel(channel).label} : " + _listed(states)


def _listed(counts: Iterable[tuple[object, int]]) -> str:
    return ", ".join(f"{label} {number}" for label, number in counts if number) or "aucun"


def sms_left() -> int:
    """Return how many SMS have not been settled by a worker yet."""
    now = progress()
    return now.sms_total - now.sms_done


def write_messages(path: Path) -> int:
    """Write every SMS that left to a CSV file; return how many."""
    sent = (
        Delivery.objects.filter(channel=Channel.SMS, submitted_at__isnull=False)
        .order_by("pk")
        .values_list("notice_id", "address", "notice__patient__language", "state", "parts", "body")
    )
    number = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Référence", "Numéro", "Langue", "État", "Parties", "Texte"])
        for notice_id, *columns in sent.iterator(chunk_size=2000):
            rows.writerow([rules.reference_of(notice_id, settings.SECRET_KEY), *columns])
            number += 1
    return number


def one_message_per_language() -> Iterator[str]:
    """Yield the first SMS of each language."""
    seen = set()
    for language, body in (
        Delivery.objects.filter(channel=Channel.SMS)
        .exclude(body="")
        .order_by("pk")
        .values_list("notice__patient__language", "body")
    ):
        if language not in seen:
            seen.add(language)
            yield f"   {language} : {body}"
