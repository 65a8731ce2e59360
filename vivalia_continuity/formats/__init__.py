"""How dates are written, where a language differs from the letters that the code asks for.

A package of its own, since Django finds the formats of a language in it (``FORMAT_MODULE_PATH``).
"""

from django.utils.dateformat import DateFormat
from django.utils.translation import get_language

_in_english = DateFormat.S


def _ending_of_the_day(self: DateFormat) -> str:
    """Return what follows the number of a day: ``1er`` in French, and what Django says in English.

    No date is written with it in the other languages.
    """
    if (get_language() or "").startswith("fr"):
        return "er" if self.j() == 1 else ""
    return _in_english(self)


def teach_endings() -> None:
    """Have Django write the first day of a month as French does, wherever it writes a date."""
    DateFormat.S = _ending_of_the_day  # type: ignore[method-assign]
