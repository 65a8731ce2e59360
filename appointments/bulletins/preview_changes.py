"""What a draft changes, against what holds: appointments by outcome, and clauses. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import ngettext_lazy

from appointments.bulletins.preview_tables import OUTCOMES, UNDECIDED, Count
from appointments.models import Service
from appointments.vocabulary import Outcome

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
class Change:
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


def changes_of(counts: Iterable[Count], site_names: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what changes, by what it was and what it becomes; the most appointments first."""
    listed = [count for count in counts if count.outcome != count.was]
    changes = [
        _change(was, outcome, of_pair, site_names)
        for was in OUTCOMES
        for outcome in OUTCOMES
        if (of_pair := [one for one in listed if (one.was, one.outcome) == (was, outcome)])
    ]
    return tuple(sorted(changes, key=lambda change: -change.appointments))


def _change(was: str, outcome: str, counts: list[Count], site_names: Mapping[str, str]) -> Change:
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
    return Change(
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
