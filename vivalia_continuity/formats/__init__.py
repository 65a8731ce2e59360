"""Date formats of the languages that differ from the format letters in the code.

A package of its own, since Django finds the formats of a language in it (``FORMAT_MODULE_PATH``).
"""

from django.utils.dateformat import DateFormat
from django.utils.translation import get_language

_in_english = DateFormat.S


def _ending_of_the_day(self: DateFormat) -> str:
    """Return the ending of a day's number: ``1er`` in French, Django's own in English.

    The other languages have none.
    """
    if (get_language() or "").startswith("fr"):
        return "er" if self.j() == 1 else ""
    return _in_english(self)


def teach_endings() -> None:
    """Make Django write the first day of a month in French as ``1er``, in every date."""
    DateFormat.S = _ending_of_the_day  # type: ignore[method-assign]
