"""The numbers and sender names of a hospital, as administrators write them.

Rules without a model.
"""

import re

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

HOME = "BE"
# 3GPP TS 23.040, 9.1.2.5: an alphanumeric address is at most 11 characters of the GSM alphabet.
# Every gateway takes letters and digits; digits alone would be a number.
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}")


def international(text: str) -> str:
    """Return a number as E.164 (ITU-T): ``063/23 11 11`` is ``+3263231111``.

    Args:
        text: with its country's prefix, or as Belgium writes it.

    Raises:
        ValidationError: it cannot be dialled.
    """
    try:
        parsed = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or parsed.extension or not phonenumbers.is_valid_number(parsed):
        raise ValidationError(
            _(
                "« %(text)s » n'est pas un numéro que l'on peut former : écrivez-le avec son "
                "préfixe, par exemple +3263231111."
            )
            % {"text": text}
        )
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def sender(text: str) -> str:
    """Return the sender of an SMS: a short name, or a number as E.164.

    Args:
        text: may be empty, for the sender set at the gateway.

    Raises:
        ValidationError: it is neither of the two.
    """
    if not text or _ALPHANUMERIC.fullmatch(text):
        return text
    if text.startswith("+"):
        return international(text)
    raise ValidationError(
        _(
            "« %(text)s » ne peut pas être un expéditeur : 11 lettres (sans accent) et chiffres au "
            "plus, sans espace, ou un numéro international qui commence par +."
        )
        % {"text": text}
    )
