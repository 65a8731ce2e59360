"""The little language of message texts, and what a text must and must not say.

``{day}`` is a variable, ``{votre|vos}`` the singular and the plural. There is nothing else:
who edits a text can break no page and reach no data.
"""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from notifications.texts.medical_words import medical_words_in
from notifications.texts.names import Names

LONGEST = 800
"""Characters of a text: five SMS parts, or a minute on the phone."""

_SHARED = frozenset({"hospital", "day", "number", "reference"})
# Operators write their own sender over the hospital's, so that the text must say who writes.
_REQUIRED = frozenset({"hospital", "number", "reference", "day"})
_TIMES = frozenset({"times"})
_POSTPONED = frozenset({"times", "new_day"})
_MIXED_TIMES = frozenset({"cancelled_times", "maintained_times"})
_FIELD = re.compile(r"\{([^{}]*)\}")


def variables(kind: str) -> frozenset[str]:
    """Return the variables that a text of this kind may use."""
    return _SHARED | _times(kind)


def _times(kind: str) -> frozenset[str]:
    if kind.endswith("postponed"):
        return _POSTPONED
    return _MIXED_TIMES if kind.endswith("mixed") else _TIMES


def fill(text: str, values: Mapping[str, str], *, plural: bool) -> str:
    """Return the text with its variables and its singular or plural words put in.

    Args:
        text: a text without ``faults``; an unknown variable is left out.
        values: by variable name.
        plural: more than one appointment is meant.
    """

    def replace(match: re.Match[str]) -> str:
        singular, bar, many = match[1].partition("|")
        if bar:
            return many if plural else singular
        return values.get(match[1], "")

    return _FIELD.sub(replace, text)


def faults(*, kind: str, body: str, names: Names | None = None) -> list[str]:
    """Return why a text may not be used, one sentence each; empty when it may.

    Args:
        kind: a ``MessageKind``.
        body: the text with its variables.
        names: who and what works here; None where nobody is to be named anyway.
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
    if re.search(r"[{}]", _FIELD.sub("", body)):
        found.append(_("Une accolade n'est pas fermée ou pas ouverte."))
    if odd := [field for field in _FIELD.findall(body) if field.count("|") > 1]:
        found.append(
            _("{%(words)s} donne plus de deux formes : écrivez {singulier|pluriel}.")
            % {"words": odd[0]}
        )
    return found


def _faults_of_variables(kind: str, body: str) -> list[str]:
    fields = {field for field in _FIELD.findall(body) if "|" not in field}
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
    """Look at what patients read, in the singular and in the plural: pieces may join up."""
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
