"""What the text of a message must and must not say."""

import re
from functools import lru_cache

from babel.dates import get_day_names, get_month_names
from django.conf import settings
from django.utils.translation import gettext as _

from notifications.models import MessageKind
from notifications.texts.forbidden_words import Names, medical_words_in, words_of
from notifications.texts.render import FIELD, fill, shipped
from patients.models import Language
from staff.models import Practitioner, Site, Unit

LONGEST = 800
"""Characters of a text: five SMS parts, or a minute on the phone."""

_SHARED = frozenset({"hospital", "day", "number", "reference"})
# Operators replace the hospital's sender by their own, so the text must name the hospital.
_REQUIRED = frozenset({"hospital", "number", "reference", "day"})
_TIMES = frozenset({"times"})
_POSTPONED = frozenset({"times", "new_day"})
_MIXED_TIMES = frozenset({"cancelled_times", "maintained_times"})


def variables(kind: str) -> frozenset[str]:
    """Return the variables that a text of this kind may use."""
    return _SHARED | _times(kind)


def _times(kind: str) -> frozenset[str]:
    if kind.endswith("postponed"):
        return _POSTPONED
    return _MIXED_TIMES if kind.endswith("mixed") else _TIMES


def faults(*, kind: str, body: str, names: Names | None = None) -> list[str]:
    """Return why a text may not be used, one sentence each; empty when it may.

    Args:
        kind: a ``MessageKind``.
        body: the text with its variables.
        names: of people and units here; None to check no names.
    """
    return [
        *_faults_of_form(body),
        *_faults_of_variables(kind, body),
        *_faults_of_content(body, names or Names()),
    ]


def _faults_of_form(body: str) -> list[str]:
    found = []
    if len(body) > LONGEST:
        found.append(
            _("Ce texte a %(length)s caractères ; au plus %(longest)s.")
            % {"length": len(body), "longest": LONGEST}
        )
    if re.search(r"[{}]", FIELD.sub("", body)):
        found.append(_("Une accolade n'est pas fermée ou pas ouverte."))
    if odd := [field for field in FIELD.findall(body) if field.count("|") > 1]:
        found.append(
            _("{%(words)s} donne plus de deux formes : écrivez {singulier|pluriel}.")
            % {"words": odd[0]}
        )
    return found


def _faults_of_variables(kind: str, body: str) -> list[str]:
    fields = {field for field in FIELD.findall(body) if "|" not in field}
    found = []
    if unknown := sorted(fields - variables(kind)):
        found.append(
            _("Variable inconnue : %(names)s. Variables possibles : %(known)s.")
            % {"names": ", ".join(unknown), "known": ", ".join(sorted(variables(kind)))}
        )
    if missing := sorted((_REQUIRED | _times(kind)) - fields):
        found.append(
            _("Il manque %(names)s : le patient doit pouvoir vérifier le message et rappeler.")
            % {"names": ", ".join(f"{{{name}}}" for name in missing)}
        )
    return found


def _faults_of_content(body: str, names: Names) -> list[str]:
    """Check the text as patients read it, singular and plural: pieces may form a word."""
    values = dict.fromkeys(_SHARED | _POSTPONED | _MIXED_TIMES, " 0 ")
    read = [fill(body, values, plural=plural) for plural in (False, True)]
    medical = [word for text in read for word in medical_words_in(text, harmless=names.places)]
    named = [name for text in read for name in names.in_text(text)]
    found = []
    if medical:
        found.append(
            _("Rien de médical dans un message : retirez %(words)s.")
            % {"words": ", ".join(dict.fromkeys(medical))}
        )
    if named:
        found.append(
            _("Ni médecin ni service dans un message : retirez %(names)s, qui travaille ici.")
            % {"names": ", ".join(dict.fromkeys(named))}
        )
    return found


def known_names() -> Names:
    """Return the names of people and units that no text may carry; three queries."""
    return Names(
        practitioners=frozenset(Practitioner.objects.values_list("family_name", flat=True)),
        units=frozenset(Unit.objects.values_list("name", flat=True)),
        places=frozenset({settings.HOSPITAL_NAME, *Site.objects.values_list("name", flat=True)}),
        vocabulary=_vocabulary(),
    )


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    """Return the words of the shipped texts and of the calendar, folded."""
    said = [shipped(language, kind) for language in Language.values for kind in MessageKind]
    for language in Language.values:
        for width in ("wide", "abbreviated"):
            said += get_day_names(width, locale=language).values()
            said += get_month_names(width, locale=language).values()
    return frozenset(words_of(" ".join(said)).split())
