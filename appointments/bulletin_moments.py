"""Moments of a bulletin that make no sense, before anybody approves it. Pure.

None of them is refused: a bulletin of the last hour may well have to leave at once. Whoever writes
and whoever approves reads what would happen.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from appointments.rules import BRUSSELS, Clause
from appointments.sentences import moment_in_words
from appointments.vocabulary import Channel, KeptBy, Ruling, Tell


class Doubt(StrEnum):
    """What is odd about a moment."""

    WINDOW_PAST = "window_past"
    WINDOW_BEGUN = "window_begun"
    RELEASE_PAST = "release_past"
    KEEP_PAST = "keep_past"
    KEEP_AFTER_RELEASE = "keep_after_release"
    KEEP_AFTER_APPOINTMENTS = "keep_after_appointments"


@dataclass(frozen=True)
class Doubtful:
    """One odd moment, and the one that it stands too early or too late for."""

    doubt: Doubt
    moment: dt.datetime
    other: dt.datetime


_SENTENCES = {
    Doubt.WINDOW_PAST: _("Tous les jours de ce bulletin sont passés : il ne change plus rien."),
    Doubt.WINDOW_BEGUN: _(
        "Les premiers jours de ce bulletin sont déjà passés : il ne vaut qu'à partir d'aujourd'hui."
    ),
    Doubt.RELEASE_PAST: _(
        "L'heure d'envoi (%(moment)s) est passée : les SMS partent tout de suite après "
        "l'approbation, sans laisser le temps de garder des patients."
    ),
    Doubt.KEEP_PAST: _(
        "Le délai pour garder des patients (%(moment)s) est passé : personne ne pourra plus en "
        "garder."
    ),
    Doubt.KEEP_AFTER_RELEASE: _(
        "Le délai pour garder des patients (%(moment)s) finit après le départ des SMS "
        "(%(other)s) : des patients liraient qu'ils sont annulés avant d'être gardés."
    ),
    Doubt.KEEP_AFTER_APPOINTMENTS: _(
        "Le délai pour garder des patients (%(moment)s) finit après le premier rendez-vous "
        "(%(other)s) : nul n'est gardé une fois que son rendez-vous a commencé."
    ),
}


def doubtful_moments(
    *,
    days: Sequence[dt.date],
    release_at: dt.datetime,
    clauses: Iterable[Clause],
    first_starts: Mapping[dt.date, dt.datetime],
    now: dt.datetime,
) -> list[Doubtful]:
    """Return the odd moments of a bulletin, each once, the most important first.

    Args:
        days: its window, in order.
        release_at: from when its SMS leave; only of interest when a clause tells by SMS.
        clauses: what it orders; a deadline counts where somebody may keep.
        first_starts: by day, when its first appointment begins; days without any are absent.
        now: the current moment.
    """
    listed, today = list(clauses), now.astimezone(BRUSSELS).date()
    last_ends = dt.datetime.combine(days[-1] + dt.timedelta(days=1), dt.time(), tzinfo=BRUSSELS)
    found = []
    if days[-1] < today:
        found.append(Doubtful(Doubt.WINDOW_PAST, last_ends, now))
    elif days[0] < today:
        found.append(Doubtful(Doubt.WINDOW_BEGUN, now, now))
    if release_at <= now and any(map(_tells_by_sms, listed)):
        found.append(Doubtful(Doubt.RELEASE_PAST, release_at, now))
    for clause in listed:
        if clause.keep_until and _may_be_kept(clause):
            found += _of_deadline(clause, clause.keep_until, days, release_at, first_starts, now)
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda one: list(Doubt).index(one.doubt))


def _of_deadline(
    clause: Clause,
    until: dt.datetime,
    days: Sequence[dt.date],
    release_at: dt.datetime,
    first_starts: Mapping[dt.date, dt.datetime],
    now: dt.datetime,
) -> list[Doubtful]:
    if until <= now:
        return [Doubtful(Doubt.KEEP_PAST, until, now)]
    found = []
    leaves_at = max(release_at, now)
    if _tells_by_sms(clause) and until > leaves_at:
        found.append(Doubtful(Doubt.KEEP_AFTER_RELEASE, until, leaves_at))
    meant = first_starts.keys() & (clause.days or set(days))
    starts = [first_starts[day] for day in meant]
    if starts and until > min(starts):
        found.append(Doubtful(Doubt.KEEP_AFTER_APPOINTMENTS, until, min(starts)))
    return found


def _tells_by_sms(clause: Clause) -> bool:
    """Whether a clause has SMS sent as soon as it is in force."""
    return (
        clause.channel == Channel.SMS
        and clause.tell != Tell.NOBODY
        and clause.ruling != Ruling.CASE_BY_CASE
    )


def _may_be_kept(clause: Clause) -> bool:
    return clause.kept_by != KeptBy.NOBODY and clause.ruling != Ruling.MAINTAIN


def in_words(one: Doubtful) -> str:
    """Return an odd moment as a sentence that says what would happen."""
    words = {"moment": moment_in_words(one.moment), "other": moment_in_words(one.other)}
    return str(_SENTENCES[one.doubt]) % words
