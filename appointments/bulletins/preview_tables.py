"""The counts of a preview, arranged as people read them: day, service, then site by outcome.

Pure: counts and names in, rows out.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from appointments.models import Outcome, Service

UNDECIDED = ""
OUTCOMES = (Outcome.MAINTAINED, Outcome.UNDER_REVIEW, Outcome.CANCELLED, UNDECIDED)
BAR_WIDTH = 1000  # units of the picture's own scale


class Count(Protocol):
    """What is read of a ``PreviewCount``."""

    @property
    def day(self) -> dt.date: ...
    @property
    def site(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def was(self) -> str: ...
    @property
    def appointments(self) -> int: ...


@dataclass(frozen=True)
class Segment:
    """One piece of a bar: where it starts and how wide it is, of ``BAR_WIDTH``."""

    outcome: str
    label: str
    appointments: int
    start: int
    width: int


@dataclass(frozen=True)
class ServiceTable:
    """One service on one day; each row of ``sites`` has one number for each segment's outcome."""

    label: str
    segments: tuple[Segment, ...]
    sites: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class DayTables:
    """One day of the preview."""

    day: dt.date
    total: int
    changed: int
    services: tuple[ServiceTable, ...]


def tables_of(counts: Iterable[Count], site_names: Mapping[str, str]) -> tuple[DayTables, ...]:
    """Return the counts by day and service; sites in the order of ``site_names``."""
    listed = list(counts)
    days = []
    for day in sorted({count.day for count in listed}):
        on_day = [count for count in listed if count.day == day]
        by_service = {
            service: [count for count in on_day if count.service == service] for service in Service
        }
        largest = max(map(_sum, by_service.values()))
        services = tuple(
            _service_table(service, of_service, site_names, largest)
            for service, of_service in by_service.items()
            if of_service
        )
        days.append(DayTables(day, _sum(on_day), _changed(on_day), services))
    return tuple(days)


def totals_of(counts: Iterable[Count]) -> tuple[tuple[str, int], ...]:
    """Return how many appointments each outcome has over all days, in the order of ``OUTCOMES``."""
    by_outcome: Counter[str] = Counter()
    for count in counts:
        by_outcome[count.outcome] += count.appointments
    return tuple((outcome, by_outcome[outcome]) for outcome in OUTCOMES)


def _service_table(
    service: Service, counts: list[Count], site_names: Mapping[str, str], largest: int
) -> ServiceTable:
    segments = _segments(totals_of(counts), largest)
    sites = []
    for code, name in site_names.items():
        at_site = [count for count in counts if count.site == code]
        if at_site:
            numbers = dict(totals_of(at_site))
            sites.append((name, tuple(numbers[segment.outcome] for segment in segments)))
    return ServiceTable(label=str(service.label), segments=segments, sites=tuple(sites))


def _segments(totals: tuple[tuple[str, int], ...], whole: int) -> tuple[Segment, ...]:
    """Return the pieces of a bar; edges are rounded, not widths, so that they always meet.

    Args:
        totals: appointments by outcome.
        whole: how many fill the picture: the largest service of the day, so that bars compare.
    """
    segments, before = [], 0
    for outcome, number in totals:
        start = round(BAR_WIDTH * before / whole)
        end = round(BAR_WIDTH * (before + number) / whole)
        if number:
            segments.append(Segment(outcome, _label(outcome, number), number, start, end - start))
        before += number
    return tuple(segments)


def _label(outcome: str, number: int) -> str:
    """Return what follows the number, as in ``3 annulés``."""
    if outcome == Outcome.MAINTAINED:
        return ngettext("maintenu", "maintenus", number)
    if outcome == Outcome.CANCELLED:
        return ngettext("annulé", "annulés", number)
    return _("à examiner") if outcome == Outcome.UNDER_REVIEW else _("sans décision")


def _sum(counts: Iterable[Count]) -> int:
    return sum(count.appointments for count in counts)


def _changed(counts: Iterable[Count]) -> int:
    return sum(count.appointments for count in counts if count.outcome != count.was)


# Whole sentences: no language builds them from the same pieces.
_SENTENCES = {
    (UNDECIDED, Outcome.CANCELLED): ngettext_lazy(
        "%(number)d rendez-vous sans décision passe à annulé",
        "%(number)d rendez-vous sans décision passent à annulé",
        "number",
    ),
    (UNDECIDED, Outcome.MAINTAINED): ngettext_lazy(
        "%(number)d rendez-vous sans décision passe à maintenu",
        "%(number)d rendez-vous sans décision passent à maintenu",
        "number",
    ),
    (UNDECIDED, Outcome.UNDER_REVIEW): ngettext_lazy(
        "%(number)d rendez-vous sans décision passe à « à examiner »",
        "%(number)d rendez-vous sans décision passent à « à examiner »",
        "number",
    ),
    (Outcome.CANCELLED, Outcome.MAINTAINED): ngettext_lazy(
        "%(number)d rendez-vous passe d'annulé à maintenu",
        "%(number)d rendez-vous passent d'annulé à maintenu",
        "number",
    ),
    (Outcome.CANCELLED, Outcome.UNDER_REVIEW): ngettext_lazy(
        "%(number)d rendez-vous passe d'annulé à « à examiner »",
        "%(number)d rendez-vous passent d'annulé à « à examiner »",
        "number",
    ),
    (Outcome.MAINTAINED, Outcome.CANCELLED): ngettext_lazy(
        "%(number)d rendez-vous passe de maintenu à annulé",
        "%(number)d rendez-vous passent de maintenu à annulé",
        "number",
    ),
    (Outcome.MAINTAINED, Outcome.UNDER_REVIEW): ngettext_lazy(
        "%(number)d rendez-vous passe de maintenu à « à examiner »",
        "%(number)d rendez-vous passent de maintenu à « à examiner »",
        "number",
    ),
    (Outcome.UNDER_REVIEW, Outcome.CANCELLED): ngettext_lazy(
        "%(number)d rendez-vous passe de « à examiner » à annulé",
        "%(number)d rendez-vous passent de « à examiner » à annulé",
        "number",
    ),
    (Outcome.UNDER_REVIEW, Outcome.MAINTAINED): ngettext_lazy(
        "%(number)d rendez-vous passe de « à examiner » à maintenu",
        "%(number)d rendez-vous passent de « à examiner » à maintenu",
        "number",
    ),
}


@dataclass(frozen=True)
class ServiceChange:
    """One service; ``numbers`` has one number for each of the change's ``sites``."""

    label: str
    numbers: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class OutcomeChange:
    """The appointments that go from one outcome to another."""

    was: str
    outcome: str
    appointments: int
    sentence: str
    sites: tuple[str, ...]
    services: tuple[ServiceChange, ...]


@dataclass(frozen=True)
class ClauseChanges:
    """How a draft reads beside the bulletin that rules the same days, if one does.

    Attributes:
        number, title: of that bulletin; 0 and nothing where none rules.
        days: those of the draft's days that it rules.
        added: what the draft orders otherwise on these days.
        dropped: what it orders there instead.
        still: the days that it goes on ruling after the draft is approved.
    """

    number: int
    title: str
    days: tuple[dt.date, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    still: tuple[dt.date, ...] = ()


def changes_of(counts: Iterable[Count], site_names: Mapping[str, str]) -> tuple[OutcomeChange, ...]:
    """Return what changes, by what it was and what it becomes; the most appointments first."""
    listed = [count for count in counts if count.outcome != count.was]
    changes = [
        _change(was, outcome, of_pair, site_names)
        for was in OUTCOMES
        for outcome in OUTCOMES
        if (of_pair := [one for one in listed if (one.was, one.outcome) == (was, outcome)])
    ]
    return tuple(sorted(changes, key=lambda change: -change.appointments))


def _change(
    was: str, outcome: str, counts: list[Count], site_names: Mapping[str, str]
) -> OutcomeChange:
    places: Counter[tuple[str, str]] = Counter()
    for count in counts:
        places[count.service, count.site] += count.appointments
    sites = [code for code in site_names if any(site == code for _service, site in places)]
    services = []
    for service in Service:
        numbers = tuple(places[service, site] for site in sites)
        if any(numbers):
            services.append(ServiceChange(str(service.label), numbers, sum(numbers)))
    total = sum(places.values())
    return OutcomeChange(
        was=was,
        outcome=outcome,
        appointments=total,
        sentence=_sentence(was, outcome, total),
        sites=tuple(site_names[code] for code in sites),
        services=tuple(services),
    )


def _sentence(was: str, outcome: str, number: int) -> str:
    sentence = _SENTENCES[Outcome(was) if was else UNDECIDED, Outcome(outcome)]
    return str(sentence % {"number": number})
