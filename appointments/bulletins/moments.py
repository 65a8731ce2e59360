"""Moments of a bulletin that make no sense, before anybody approves it. Pure.

None of them is refused: a bulletin of the last hour may well have to leave at once. Whoever writes
and whoever approves reads what would happen.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.bulletins.sentences import moment_in_words
from appointments.rules import BRUSSELS, ClauseTerms
from appointments.vocabulary import KeptBy, Ruling, Tell
from notifications.quiet_hours import QuietHours
from notifications.vocabulary import Channel


class MomentDoubt(TextChoices):
    """What is odd about a moment, each with the sentence that says what would happen."""

    WINDOW_PAST = (
        "window_past",
        _("Tous les jours de ce bulletin sont passés : il ne change plus rien."),
    )
    WINDOW_BEGUN = (
        "window_begun",
        _(
            "Les premiers jours de ce bulletin sont déjà passés : il ne vaut qu'à partir "
            "d'aujourd'hui."
        ),
    )
    RELEASE_PAST = (
        "release_past",
        _(
            "L'heure d'envoi (%(moment)s) est passée : les SMS ne sont pas retenus après "
            "l'approbation, ce qui ne laisse pas le temps de garder des patients."
        ),
    )
    KEEP_PAST = (
        "keep_past",
        _(
            "Le délai pour garder des patients (%(moment)s) est passé : personne ne pourra plus en "
            "garder."
        ),
    )
    KEEP_AFTER_RELEASE = (
        "keep_after_release",
        _(
            "Le délai pour garder des patients (%(moment)s) finit après le départ des SMS "
            "(%(other)s) : des patients liraient qu'ils sont annulés avant d'être gardés."
        ),
    )
    KEEP_AFTER_APPOINTMENTS = (
        "keep_after_appointments",
        _(
            "Le délai pour garder des patients (%(moment)s) finit après le premier rendez-vous "
            "(%(other)s) : nul n'est gardé une fois que son rendez-vous a commencé."
        ),
    )


@dataclass(frozen=True)
class Doubtful:
    """One odd moment, and the one that it stands too early or too late for."""

    doubt: MomentDoubt
    moment: dt.datetime
    other: dt.datetime


def doubtful_moments(
    *,
    days: Sequence[dt.date],
    release_at: dt.datetime,
    clauses: Iterable[ClauseTerms],
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
        found.append(Doubtful(MomentDoubt.WINDOW_PAST, last_ends, now))
    elif days[0] < today:
        found.append(Doubtful(MomentDoubt.WINDOW_BEGUN, now, now))
    if release_at <= now and any(map(_tells_by_sms, listed)):
        found.append(Doubtful(MomentDoubt.RELEASE_PAST, release_at, now))
    for clause in listed:
        may_be_kept = clause.kept_by != KeptBy.NOBODY and clause.ruling != Ruling.MAINTAIN
        if clause.keep_until and may_be_kept:
            found += _of_deadline(clause, clause.keep_until, days, release_at, first_starts, now)
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda one: list(MomentDoubt).index(one.doubt))


def _of_deadline(
    clause: ClauseTerms,
    until: dt.datetime,
    days: Sequence[dt.date],
    release_at: dt.datetime,
    first_starts: Mapping[dt.date, dt.datetime],
    now: dt.datetime,
) -> list[Doubtful]:
    if until <= now:
        return [Doubtful(MomentDoubt.KEEP_PAST, until, now)]
    found = []
    leaves_at = max(release_at, now)
    if _tells_by_sms(clause) and until > leaves_at:
        found.append(Doubtful(MomentDoubt.KEEP_AFTER_RELEASE, until, leaves_at))
    meant = first_starts.keys() & (clause.days or set(days))
    starts = [first_starts[day] for day in meant]
    if starts and until > min(starts):
        found.append(Doubtful(MomentDoubt.KEEP_AFTER_APPOINTMENTS, until, min(starts)))
    return found


def _tells_by_sms(clause: ClauseTerms) -> bool:
    """Whether a clause has SMS sent as soon as it is in force."""
    return (
        clause.channel == Channel.SMS
        and clause.tell != Tell.NOBODY
        and clause.ruling != Ruling.CASE_BY_CASE
    )


def in_words(one: Doubtful) -> str:
    """Return an odd moment as a sentence that says what would happen."""
    words = {"moment": moment_in_words(one.moment), "other": moment_in_words(one.other)}
    return str(one.doubt.label) % words


def approval_in_words(
    *, release_at: dt.datetime, sends: bool, hours: QuietHours, now: dt.datetime
) -> str:
    """Return what approving does at once, and what it leaves for later.

    Args:
        release_at: from when the SMS of the bulletin leave.
        sends: whether there are any.
        hours: the quiet hours that they wait for.
        now: the current moment.
    """
    said = [_("L'approbation écrit les décisions et ouvre les avis aussitôt.")]
    leaves_at = hours.next_allowed(max(release_at, now))
    words = {"moment": moment_in_words(release_at), "leaves": moment_in_words(leaves_at)}
    if not sends:
        pass
    elif leaves_at <= now:
        said.append(
            _(
                "L'heure d'envoi (%(moment)s) est passée : les SMS partent aussitôt, et ne se "
                "reprennent plus."
            )
        )
    elif release_at <= now:
        said.append(
            _(
                "L'heure d'envoi (%(moment)s) est passée : seules les heures calmes retiennent les "
                "SMS, qui partent à partir du %(leaves)s."
            )
        )
    else:
        said.append(
            _("Les SMS partent à partir du %(leaves)s ; jusque-là ils peuvent encore être retenus.")
        )
    return " ".join(str(one) % words for one in said)


def release_in_words(
    *,
    release_at: dt.datetime,
    approved_at: dt.datetime | None,
    released_at: dt.datetime | None,
    has_ended: bool,
    now: dt.datetime,
) -> str:
    """Return when the SMS of a bulletin leave or left, true at any moment.

    Args:
        release_at: the hour that was ordered.
        approved_at: None for a draft.
        released_at: when somebody let them go before that hour.
        has_ended: whether the bulletin orders nothing any more: its SMS may have left or not.
        now: the current moment.
    """
    words = {"moment": _at_length(release_at), "early": _at_length(released_at or release_at)}
    if released_at:
        text = _("SMS partis dès le %(early)s, au lieu du %(moment)s")
    elif has_ended:
        text = _("SMS prévus à partir du %(moment)s")
    elif release_at > now:
        text = _("SMS à partir du %(moment)s")
    elif approved_at is None:
        text = _("SMS non retenus après l'approbation : l'heure d'envoi (%(moment)s) est passée")
    elif approved_at > release_at:
        text = _("SMS non retenus : l'heure d'envoi (%(moment)s) était passée à l'approbation")
    else:
        text = _("SMS depuis le %(moment)s")
    return str(text) % words


def _at_length(moment: dt.datetime) -> str:
    """Return ``dimanche 15 mai à 18:00``, in Brussels."""
    local = moment.astimezone(BRUSSELS)
    words = {"day": date_format(local, "l j F"), "hour": f"{local:%H:%M}"}
    return gettext("%(day)s à %(hour)s") % words
