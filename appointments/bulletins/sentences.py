"""What a bulletin orders and when, as sentences that a nurse could check.

Pure: the names of sites and units come in, French goes out (and the reader's language where a
translation exists). Adjectives agree: "consultations annulées", "centres Covid arrêtés". Each
sentence is made from a statement of ``decisions.effective_orders``: it holds as it stands, with its
exceptions in it.

A moment that makes no sense is said and never refused: a bulletin of the last hour may well have to
leave at once. Whoever writes and whoever approves reads what would happen.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.utils.translation import pgettext_lazy as in_sentence

from appointments.decisions import effective_orders
from appointments.decisions.effective_orders import MOST_LEFT_OUT, Effect, Exempt, Statement, World
from appointments.models import KeptBy, Outcome, ProtectedGroup, Ruling, Service, Tell
from appointments.rules import OUTCOME_OF, ClauseTerms, numbered
from notifications.rules import QuietHours
from notifications.vocabulary import Channel
from staff import clock
from staff.clock import BRUSSELS

# What a sentence calls each service, with the gender and number that its adjective takes.
_SUBJECTS = {
    Service.CONSULTATION: (gettext_lazy("consultations"), "fp"),
    Service.SURGERY: (gettext_lazy("opérations"), "fp"),
    Service.RADIOLOGY: (gettext_lazy("radiologie"), "fs"),
    Service.NUCLEAR_MEDICINE: (gettext_lazy("médecine nucléaire"), "fs"),
    Service.BLOOD_SAMPLING: (gettext_lazy("prises de sang"), "fp"),
    Service.COVID_CENTRE: (gettext_lazy("centres Covid"), "mp"),
    Service.EMERGENCY: (gettext_lazy("urgences"), "fp"),
    Service.DAY_HOSPITAL: (gettext_lazy("hôpital de jour"), "ms"),
    Service.DIALYSIS: (gettext_lazy("dialyses"), "fp"),
    Service.OTHER: (gettext_lazy("autres activités"), "fp"),
}
_RULINGS = {
    Outcome.CANCELLED: {
        "fs": in_sentence("féminin singulier", "annulée"),
        "fp": in_sentence("féminin pluriel", "annulées"),
        "ms": in_sentence("masculin singulier", "annulé"),
        "mp": in_sentence("masculin pluriel", "annulés"),
    },
    Outcome.MAINTAINED: {
        "fs": in_sentence("féminin singulier", "maintenue"),
        "fp": in_sentence("féminin pluriel", "maintenues"),
        "ms": in_sentence("masculin singulier", "maintenu"),
        "mp": in_sentence("masculin pluriel", "maintenus"),
    },
}
_TOLD = {
    (Outcome.CANCELLED, Channel.SMS): gettext_lazy("prévenir les annulés par SMS"),
    (Outcome.CANCELLED, Channel.PHONE): gettext_lazy("prévenir les annulés par téléphone"),
    (Outcome.MAINTAINED, Channel.SMS): gettext_lazy("prévenir les maintenus par SMS"),
    (Outcome.MAINTAINED, Channel.PHONE): gettext_lazy("prévenir les maintenus par téléphone"),
    (Outcome.UNDER_REVIEW, Channel.SMS): gettext_lazy("prévenir chaque patient par SMS"),
    (Outcome.UNDER_REVIEW, Channel.PHONE): gettext_lazy("prévenir chaque patient par téléphone"),
}
_KEEPERS = {
    (KeptBy.DOCTOR, False): gettext_lazy("le médecin concerné peut garder"),
    (KeptBy.DOCTOR, True): gettext_lazy("le médecin concerné peut garder jusqu'au %(until)s"),
    (KeptBy.MEDICAL_DIRECTOR, False): gettext_lazy("le Directeur médical tranche"),
    (KeptBy.MEDICAL_DIRECTOR, True): gettext_lazy(
        "le Directeur médical tranche jusqu'au %(until)s"
    ),
}
_KEEPERS_TOO_LATE = {
    KeptBy.DOCTOR: gettext_lazy(
        "le médecin concerné ne peut plus garder : le délai (%(until)s) est passé"
    ),
    KeptBy.MEDICAL_DIRECTOR: gettext_lazy(
        "le Directeur médical ne tranche plus : le délai (%(until)s) est passé"
    ),
}
_EFFECTS = {ruling: Effect(outcome) for ruling, outcome in OUTCOME_OF.items()}


@dataclass(frozen=True)
class PlaceNames:
    """The names of sites and units by code; a code without a name is shown itself.

    ``site_of`` gives the site's code of each unit's.
    """

    sites: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    site_of: Mapping[str, str] = field(default_factory=dict)

    def world(self, days: Sequence[dt.date]) -> World:
        """Return all these places on some days."""
        return World(tuple(self.sites), tuple(days), self.site_of)


def order_sentences(
    clauses: Sequence[ClauseTerms],
    names: PlaceNames,
    days: Sequence[dt.date],
    *,
    now: dt.datetime | None = None,
) -> list[str]:
    """Return what clauses order on these days: for whom what holds, who is told, who may keep.

    Args:
        clauses: what is ordered.
        names: of the places.
        days: on which they rule.
        now: the current moment, by which a deadline is past; without it none is.
    """
    world = names.world(days)
    found = effective_orders.statements(numbered(clauses), world, effective_orders.whole_order)
    return _in_words(found, names, days, partial(_whole_order, now=now))


def public_sentences(
    found: Sequence[Statement], names: PlaceNames, days: Sequence[dt.date]
) -> list[str]:
    """Return what the public may know of statements: whom they mean and what holds."""
    return _in_words(found, names, days, _outcome)


def compared_sentences(
    old: Sequence[ClauseTerms],
    new: Sequence[ClauseTerms],
    names: PlaceNames,
    days: Sequence[dt.date],
    *,
    now: dt.datetime | None = None,
) -> tuple[list[str], list[str]]:
    """Return what the new clauses order on these days and the old do not, and the reverse.

    ``now`` is as for ``order_sentences``.
    """
    say = partial(_whole_order, now=now)
    dropped, added = effective_orders.compared(numbered(old), numbered(new), names.world(days))
    return (
        _in_words(added, names, days, say),
        _in_words(dropped, names, days, say),
    )


def _in_words(
    found: Sequence[Statement],
    names: PlaceNames,
    days: Sequence[dt.date],
    say: Callable[[Effect, str], str],
) -> list[str]:
    return [sentence for statement in found for sentence in _sentences(statement, names, days, say)]


def _sentences(
    statement: Statement,
    names: PlaceNames,
    days: Sequence[dt.date],
    say: Callable[[Effect, str], str],
) -> list[str]:
    """Return one sentence, or one for each kind of patient where only those are ruled."""
    subject, agreement = _subject(statement.services)
    whom = [subject, _where(statement, names), *_when(statement.days, days)]
    effect, exempt = statement.said.effect, statement.said.exempt
    if effect is None:
        return [_ruled([*whom, _patients(one)], say(one.effect, agreement)) for one in exempt]
    sentence = _ruled(whom, say(effect, agreement))
    if not exempt:
        return [sentence]
    exceptions = [_ruled([_patients(one)], say(one.effect, agreement)) for one in exempt]
    words = {"order": sentence, "exceptions": " ; ".join(exceptions)}
    return [_("%(order)s (sauf %(exceptions)s)") % words]


def _ruled(whom: Sequence[str], ruling: str) -> str:
    return _("%(whom)s : %(ruling)s") % {"whom": ", ".join(whom), "ruling": ruling}


def _outcome(effect: Effect, agreement: str) -> str:
    if effect.outcome == Outcome.UNDER_REVIEW:
        return _("au cas par cas")
    return str(_RULINGS[effect.outcome][agreement])


def _whole_order(effect: Effect, agreement: str, *, now: dt.datetime | None = None) -> str:
    words = [_outcome(effect, agreement)]
    words.append(
        str(_TOLD[effect.outcome, effect.told]) if effect.told else _("ne prévenir personne")
    )
    if effect.kept_by != KeptBy.NOBODY:
        keeper = _KEEPERS[effect.kept_by, effect.keep_until is not None]
        if now and effect.keep_until and effect.keep_until <= now:
            keeper = _KEEPERS_TOO_LATE[effect.kept_by]
        words.append(str(keeper) % {"until": moment_in_words(effect.keep_until)})
    return " ; ".join(words)


def clause_in_words(clause: ClauseTerms, names: PlaceNames) -> str:
    """Return whom a clause means and what it says, as it was written, whatever overrules it."""
    subject, agreement = _subject(clause.services)
    words = [subject]
    if clause.sites:
        words.append(get_text_list([names.sites.get(code, code) for code in clause.sites], _("et")))
    elif not clause.units:
        words.append(_("tous les sites"))
    if clause.units:
        words.append(get_text_list([names.units.get(code, code) for code in clause.units], _("et")))
    if clause.days:
        words.append(_on_days(clause.days))
    if clause.groups:
        words.append(_patients(Exempt(clause.groups, _EFFECTS[Ruling(clause.ruling)])))
    return _ruled(words, _outcome(_EFFECTS[Ruling(clause.ruling)], agreement))


def moment_in_words(moment: dt.datetime | None) -> str:
    """Return ``dimanche 15/05 à 18:00``, in Brussels; nothing for no moment."""
    if moment is None:
        return ""
    local = moment.astimezone(BRUSSELS)
    return _("%(day)s à %(hour)s") % {"day": day_in_words(local.date()), "hour": f"{local:%H:%M}"}


def day_in_words(day: dt.date) -> str:
    """Return ``lundi 16/05``."""
    return date_format(day, "l d/m")


def days_in_words(days: Sequence[dt.date]) -> str:
    """Return ``lundi 16/05, du mercredi 18/05 au samedi 21/05``, for days in their order."""
    return ", ".join(
        day_in_words(run[0])
        if len(run) == 1
        else _("du %(first)s au %(last)s")
        % {"first": day_in_words(run[0]), "last": day_in_words(run[-1])}
        for run in runs_of(days)
    )


def runs_of(days: Sequence[dt.date]) -> list[list[dt.date]]:
    """Return days in their order, those together that follow each other."""
    runs: list[list[dt.date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == dt.timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def duration_in_words(seconds: float) -> str:
    """Return ``2 h 05``, ``12 min`` or ``45 s``: as exact as an estimate deserves."""
    whole = math.ceil(seconds)
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    return clock.lasting(dt.timedelta(minutes=math.ceil(whole / 60)))


def _subject(services: Sequence[str]) -> tuple[str, str]:
    missing = [service for service in Service if service not in services]
    if not services or not missing:
        return _("Toutes les activités"), "fp"
    if len(missing) <= MOST_LEFT_OUT:
        names = get_text_list([str(_SUBJECTS[service][0]) for service in missing], _("et"))
        return _("Toutes les activités sauf %(services)s") % {"services": names}, "fp"
    subjects = [_SUBJECTS[Service(service)] for service in services]
    text = get_text_list([str(label) for label, _agreement in subjects], _("et"))
    gender = "f" if all(agreement[0] == "f" for _label, agreement in subjects) else "m"
    number = subjects[0][1][1] if len(subjects) == 1 else "p"
    return text[:1].upper() + text[1:], gender + number


def _where(statement: Statement, names: PlaceNames) -> str:
    """Return the sites and units; those that "all" leaves out, where they are fewer."""
    sites = [place.site for place in statement.places if not place.unit]
    units = [place.unit for place in statement.places if place.site not in sites]
    if not sites:
        return get_text_list([names.units.get(code, code) for code in units], _("et"))
    missing = [code for code in names.sites if code not in sites]
    apart = [names.units.get(code, code) for code in statement.apart]
    if len(missing) > MOST_LEFT_OUT or len(missing) >= len(sites):
        where = get_text_list([names.sites.get(code, code) for code in sites], _("et"))
        missing = []
    else:
        where = _("tous les sites")
    if left_out := [*(names.sites[code] for code in missing), *apart]:
        return _("%(places)s sauf %(left_out)s") % {
            "places": where,
            "left_out": get_text_list(left_out, _("et")),
        }
    return where


def _when(days: Sequence[dt.date], all_days: Sequence[dt.date]) -> list[str]:
    """Return the days, where they are not all; those that "all" leaves out, where fewer."""
    missing = [day for day in all_days if day not in days]
    if not missing:
        return []
    if len(missing) <= MOST_LEFT_OUT and len(missing) < len(days):
        return [
            pgettext("jours d'une clause", "tous les jours sauf le %(days)s")
            % {"days": get_text_list([day_in_words(day) for day in missing], _("et"))}
        ]
    return [_on_days(days)]


def _on_days(days: Sequence[dt.date]) -> str:
    if len(days) > 2 and days[-1] - days[0] == dt.timedelta(days=len(days) - 1):
        return _("du %(first)s au %(last)s") % {
            "first": day_in_words(days[0]),
            "last": day_in_words(days[-1]),
        }
    return pgettext("jours d'une clause", "le %(days)s") % {
        "days": get_text_list([day_in_words(day) for day in days], _("et"))
    }


def _patients(exempt: Exempt) -> str:
    groups, without = (
        get_text_list([str(ProtectedGroup(group).label) for group in groups], _("ou"))
        for groups in (exempt.groups, exempt.without)
    )
    if without:
        return _("patients avec %(groups)s, mais sans %(without)s") % {
            "groups": groups,
            "without": without,
        }
    return _("patients avec %(groups)s") % {"groups": groups}


class MomentDoubt(TextChoices):
    """What is odd about a moment, each with the sentence that says what would happen."""

    WINDOW_PAST = (
        "window_past",
        gettext_lazy("Tous les jours de ce bulletin sont passés : il ne change plus rien."),
    )
    WINDOW_BEGUN = (
        "window_begun",
        gettext_lazy(
            "Les premiers jours de ce bulletin sont déjà passés : il ne vaut qu'à partir "
            "d'aujourd'hui."
        ),
    )
    RELEASE_PAST = (
        "release_past",
        gettext_lazy(
            "L'heure d'envoi (%(moment)s) est passée : les SMS ne sont pas retenus après "
            "l'approbation, ce qui ne laisse pas le temps de garder des patients."
        ),
    )
    KEEP_PAST = (
        "keep_past",
        gettext_lazy(
            "Le délai pour garder des patients (%(moment)s) est passé : personne ne pourra plus en "
            "garder."
        ),
    )
    KEEP_AFTER_RELEASE = (
        "keep_after_release",
        gettext_lazy(
            "Le délai pour garder des patients (%(moment)s) finit après le départ des SMS "
            "(%(other)s) : des patients liraient qu'ils sont annulés avant d'être gardés."
        ),
    )
    KEEP_AFTER_APPOINTMENTS = (
        "keep_after_appointments",
        gettext_lazy(
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
    return " ".join(one % words for one in said)


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
    return text % words


def _at_length(moment: dt.datetime) -> str:
    """Return ``dimanche 15 mai à 18:00``, in Brussels."""
    local = moment.astimezone(BRUSSELS)
    words = {"day": date_format(local, "l j F"), "hour": f"{local:%H:%M}"}
    return _("%(day)s à %(hour)s") % words
