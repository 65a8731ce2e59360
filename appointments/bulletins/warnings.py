"""What the crisis cell should know before it approves, in sentences. Pure."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from appointments.bulletins.sentences import moment_in_words
from notifications.quiet_hours import QuietHours
from notifications.sending.estimate import Estimate


def warnings_of(
    estimate: Estimate,
    *,
    release_at: dt.datetime,
    at_night: bool,
    hours: QuietHours,
    operations_by_sms: int = 0,
    refused: tuple[int, int, int] = (0, 0, 0),
) -> list[str]:
    """Return what may not go as the bulletin's author thinks, most important first.

    Args:
        estimate: what telling would take.
        release_at: when SMS may leave, not before now.
        at_night: the bulletin sends in quiet hours too.
        hours: the quiet hours.
        operations_by_sms: how many operations are cancelled outright and told by SMS.
        refused: rows that loads refused and nobody has seen to: all of them, those on the
            bulletin's days, those whose day cannot be read.
    """
    warnings = (
        _of_refused(refused),
        _of_operations(operations_by_sms),
        "" if at_night else _of_the_night(estimate, release_at, hours),
        _of_too_late(estimate.too_late),
        _of_the_cap(estimate),
    )
    return [warning for warning in warnings if warning]


def _of_refused(refused: tuple[int, int, int]) -> str:
    number, ruled, without_day = refused
    if not number:
        return ""
    return ngettext(
        "%(open)d ligne refusée au chargement reste ouverte, dont %(ruled)d sur les jours de ce "
        "bulletin et %(without)d sans jour lisible : aucun bulletin ne prévient ces patients. "
        "Voyez « Lignes refusées ».",
        "%(open)d lignes refusées au chargement restent ouvertes, dont %(ruled)d sur les jours de "
        "ce bulletin et %(without)d sans jour lisible : aucun bulletin ne prévient ces patients. "
        "Voyez « Lignes refusées ».",
        number,
    ) % {"open": number, "ruled": ruled, "without": without_day}


def _of_operations(number: int) -> str:
    if not number:
        return ""
    return ngettext(
        "%(number)d opération serait annulée d'office et son patient prévenu par SMS : "
        "une opération se dit de vive voix. Choisissez « par téléphone », ou « au cas "
        "par cas » pour que le Directeur médical décide.",
        "%(number)d opérations seraient annulées d'office et leurs patients prévenus par "
        "SMS : une opération se dit de vive voix. Choisissez « par téléphone », ou « au "
        "cas par cas » pour que le Directeur médical décide.",
        number,
    ) % {"number": number}


def _of_the_night(estimate: Estimate, release_at: dt.datetime, hours: QuietHours) -> str:
    sends = estimate.by_sms or estimate.too_late
    if not (sends and hours.is_quiet(release_at)):
        return ""
    return _(
        "Les SMS libérés %(release)s attendront %(end)s : ce sont les heures calmes (%(hours)s)."
    ) % {
        "release": moment_in_words(release_at),
        "end": moment_in_words(hours.next_allowed(release_at)),
        "hours": hours,
    }


def _of_too_late(number: int) -> str:
    if not number:
        return ""
    return ngettext(
        "%(number)d patient est compté parmi les appels : son SMS partirait trop tard.",
        "%(number)d patients sont comptés parmi les appels : leur SMS partirait trop tard.",
        number,
    ) % {"number": number}


def _of_the_cap(estimate: Estimate) -> str:
    if estimate.cap is None or estimate.parts <= estimate.cap:
        return ""
    return _(
        "Le plafond de la passerelle (%(cap)d parties par jour) ne suffit pas : il en "
        "faut %(parts)d. Le reste passera par une autre passerelle ou attendra le "
        "lendemain ; ceux qui n'ont pas ce temps seront appelés."
    ) % {"cap": estimate.cap, "parts": estimate.parts}
