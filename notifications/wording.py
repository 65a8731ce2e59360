"""The little language of message texts, and what a text must and must not say.

``{day}`` is a variable, ``{votre|vos}`` the singular and the plural. There is nothing else:
who edits a text can break no page and reach no data.
"""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from notifications.medical_words import medical_words_in

_SHARED = frozenset({"hospital", "day", "number", "reference"})
_REQUIRED = frozenset({"number", "reference", "day"})
_TIMES = frozenset({"times"})
_MIXED_TIMES = frozenset({"cancelled_times", "maintained_times"})
_FIELD = re.compile(r"\{([^{}]*)\}")


def variables(kind: str) -> frozenset[str]:
    """Return the variables that a text of this kind may use."""
    return _SHARED | _times(kind)


def _times(kind: str) -> frozenset[str]:
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


def faults(*, kind: str, body: str) -> list[str]:
    """Return why a text may not be used, one sentence each; empty when it may.

    Args:
        kind: a ``MessageKind``.
        body: the text with its variables.
    """
    fields = [field for field in _FIELD.findall(body) if "|" not in field]
    found = []
    if unknown := sorted(set(fields) - variables(kind)):
        found.append(
            _("Variable inconnue : %(names)s. Variables possibles : %(known)s.")
            % {"names": ", ".join(unknown), "known": ", ".join(sorted(variables(kind)))}
        )
    if missing := sorted((_REQUIRED | _times(kind)) - set(fields)):
        found.append(
            _("Il manque %(names)s : le patient doit pouvoir vérifier le message et rappeler.")
            % {"names": ", ".join(f"{{{name}}}" for name in missing)}
        )
    if re.search(r"[{}]", _FIELD.sub("", body)):
        found.append(_("Une accolade n'est pas fermée ou pas ouverte."))
    if medical := medical_words_in(_FIELD.sub(lambda m: m[1] if "|" in m[1] else "", body)):
        found.append(
            _("Rien de médical dans un message : retirez %(words)s.")
            % {"words": ", ".join(dict.fromkeys(medical))}
        )
    return found
