"""A hospital whose consultations of tomorrow are cancelled, made by the services themselves.

``manage.py verify`` looks at decisions, bulletins and the trail as well as at messages: data that
was only put together by hand would fail it for reasons of its own.
"""

import datetime as dt
from collections.abc import Iterator

from django.utils import timezone

from appointments.bulletins import services as bulletins
from appointments.feeds.importing.results import Terms
from appointments.feeds.importing.services import load_records
from appointments.feeds.records import ScheduleRecord
from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from appointments.vocabulary import AgeFrom
from notifications.models import Delivery
from staff import clock
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell
from tests.builders import a_unit, at

FEED = "agenda"


def a_hospital_with(number: int) -> None:
    """Load so many consultations of tomorrow and cancel them; their SMS are due at once."""
    approve(a_bulletin_about(number))
    sms = Delivery.objects.filter(channel="sms", notice__state="open")
    assert sms.count() == number


def a_bulletin_about(
    number: int, *, starts_at: dt.datetime | None = None, release_at: dt.datetime | None = None
) -> Bulletin:
    """Load so many consultations and draft the bulletin that cancels them.

    Args:
        number: patients, each with a mobile and one consultation.
        starts_at: of all of them; late tomorrow unless given.
        release_at: of the SMS; an hour ago unless given.
    """
    starts_at = starts_at or tomorrow_at(23)
    load_consultations(number, starts_at=starts_at)
    author = somebody_in_the_crisis_cell("crise1")
    draft = bulletins.draft(
        by=author,
        title="Consultations annulées",
        first_day=starts_at.date(),
        last_day=starts_at.date(),
        release_at=release_at or timezone.localtime() - dt.timedelta(hours=1),
        clauses=[ClauseTerms("cancel", "cancelled", services=("consultation",))],
    )
    return bulletins.ready(bulletin_id=draft.pk, by=author)


def tomorrow_at(hour: int) -> dt.datetime:
    """Return this hour of tomorrow, in Brussels."""
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    return at(f"{tomorrow} {hour:02}:10")


def load_consultations(number: int, *, starts_at: dt.datetime) -> None:
    """Load so many patients with one consultation each; what is in force rules on them."""
    a_unit()
    records = _consultations(number, starts_at)
    load_records(feed_name=FEED, records=records, terms=Terms(clock.now(), AgeFrom.LOADING))


def approve(bulletin: Bulletin) -> None:
    """Put the bulletin in force, by somebody else than its author."""
    bulletins.approve(bulletin_id=bulletin.pk, by=somebody_in_the_crisis_cell("crise2"))


def _consultations(number: int, starts_at: dt.datetime) -> Iterator[ScheduleRecord]:
    for place in range(1, number + 1):
        yield ScheduleRecord(
            line=place,
            source_id=f"{starts_at:%H}-{place}",
            patient_id=f"{starts_at:%H}-{place}",
            family_name=f"Essai{place}",
            birth_date=dt.date(1960, 1, 1),
            phones=(f"+3247{starts_at:%H}{place:05d}",),
            site="arlon",
            unit="arlon-cardio",
            service="consultation",
            starts_at=starts_at,
        )
