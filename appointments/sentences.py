"""A clause as a sentence that a nurse could check.

Pure: the names of sites and units come in, French goes out (and the reader's language where a
translation exists). Adjectives agree: "consultations annulées", "centres Covid arrêtés".
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.utils.translation import pgettext_lazy as in_sentence

from appointments.models import ProtectedGroup
from appointments.services.clause_drafts import ClauseDraft
from appointments.vocabulary import Channel, KeptBy, Ruling, Service, Tell
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
    Ruling.CANCEL: {
        "fs": in_sentence("féminin singulier", "annulée"),
        "fp": in_sentence("féminin pluriel", "annulées"),
        "ms": in_sentence("masculin singulier", "annulé"),
        "mp": in_sentence("masculin pluriel", "annulés"),
    },
    Ruling.MAINTAIN: {
        "fs": in_sentence("féminin singulier", "maintenue"),
        "fp": in_sentence("féminin pluriel", "maintenues"),
        "ms": in_sentence("masculin singulier", "maintenu"),
        "mp": in_sentence("masculin pluriel", "maintenus"),
    },
}
_TOLD = {
    (Tell.CANCELLED, Channel.SMS): gettext_lazy("prévenir les annulés par SMS"),
    (Tell.CANCELLED, Channel.PHONE): gettext_lazy("prévenir les annulés par téléphone"),
    (Tell.MAINTAINED, Channel.SMS): gettext_lazy("prévenir les maintenus par SMS"),
    (Tell.MAINTAINED, Channel.PHONE): gettext_lazy("prévenir les maintenus par téléphone"),
    (Tell.BOTH, Channel.SMS): gettext_lazy("prévenir chaque patient par SMS"),
    (Tell.BOTH, Channel.PHONE): gettext_lazy("prévenir chaque patient par téléphone"),
}
_KEEPERS = {
    (KeptBy.DOCTOR, False): gettext_lazy("le médecin concerné peut garder"),
    (KeptBy.DOCTOR, True): gettext_lazy("le médecin concerné peut garder jusqu'au %(until)s"),
    (KeptBy.MEDICAL_DIRECTOR, False): gettext_lazy("le Directeur médical tranche"),
    (KeptBy.MEDICAL_DIRECTOR, True): gettext_lazy(
        "le Directeur médical tranche jusqu'au %(until)s"
    ),
}


@dataclass(frozen=True)
class PlaceNames:
    """The names of sites and units by code; a code without a name is shown itself."""

    sites: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def clause_sentence(clause: ClauseDraft, names: PlaceNames) -> str:
    """Return the clause in words: whom it means, what it orders, who is told, who may keep."""
    words = [order_in_words(clause, names)]
    words.append(
        str(_TOLD.get((Tell(clause.tell), Channel(clause.channel)), _("ne prévenir personne")))
    )
    if clause.kept_by != KeptBy.NOBODY:
        keeper = _KEEPERS[KeptBy(clause.kept_by), clause.keep_until is not None]
        words.append(str(keeper) % {"until": moment_in_words(clause.keep_until)})
    return " ; ".join(words)


def order_in_words(clause: ClauseDraft, names: PlaceNames) -> str:
    """Return what the public may know of a clause: whom it means and what it orders."""
    subject, agreement = _subject(clause.services)
    return _("%(whom)s : %(ruling)s") % {
        "whom": ", ".join([subject, *_where(clause, names)]),
        "ruling": _ruling(clause.ruling, agreement),
    }


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
    runs: list[list[dt.date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == dt.timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        day_in_words(run[0])
        if len(run) == 1
        else _("du %(first)s au %(last)s")
        % {"first": day_in_words(run[0]), "last": day_in_words(run[-1])}
        for run in runs
    )


def duration_in_words(seconds: float) -> str:
    """Return ``2 h 05 min``, ``12 min`` or ``45 s``: as exact as an estimate deserves."""
    whole = math.ceil(seconds)
    if whole < 60:
        return _("%(seconds)d s") % {"seconds": whole}
    minutes = math.ceil(whole / 60)
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    hours, rest = divmod(minutes, 60)
    return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": rest}


def _subject(services: Sequence[str]) -> tuple[str, str]:
    if not services:
        return _("Toutes les activités"), "fp"
    subjects = [_SUBJECTS[Service(service)] for service in services]
    text = joined([str(label) for label, _agreement in subjects], _("et"))
    gender = "f" if all(agreement[0] == "f" for _label, agreement in subjects) else "m"
    number = subjects[0][1][1] if len(subjects) == 1 else "p"
    return text[:1].upper() + text[1:], gender + number


def _ruling(ruling: str, agreement: str) -> str:
    if ruling == Ruling.CASE_BY_CASE:
        return _("au cas par cas")
    return str(_RULINGS[Ruling(ruling)][agreement])


def _where(clause: ClauseDraft, names: PlaceNames) -> list[str]:
    """Return who is meant beyond the service: sites, units, days, groups, as far as given."""
    words = []
    if clause.sites:
        words.append(joined([names.sites.get(code, code) for code in clause.sites], _("et")))
    elif not clause.units:
        words.append(_("tous les sites"))
    if clause.units:
        words.append(joined([names.units.get(code, code) for code in clause.units], _("et")))
    if clause.days:
        days = joined([day_in_words(day) for day in clause.days], _("et"))
        words.append(pgettext("jours d'une clause", "le %(days)s") % {"days": days})
    if clause.groups:
        groups = [str(ProtectedGroup(group).label) for group in clause.groups]
        words.append(_("patients avec %(groups)s") % {"groups": joined(groups, _("ou"))})
    return words


def joined(words: Sequence[str], last: str) -> str:
    """Return ``a, b et c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
