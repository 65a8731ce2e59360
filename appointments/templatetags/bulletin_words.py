"""How the bulletin pages and the board write days."""

import datetime as dt
from collections.abc import Sequence

from django import template

from appointments import sentences

register = template.Library()


@register.filter
def costs(parts: int, euro_per_part: float) -> float:
    """Return what SMS parts cost, in euro."""
    return parts * euro_per_part


@register.filter
def days_in_words(days: Sequence[dt.date]) -> str:
    """Return ``lundi 16/05, du mercredi 18/05 au samedi 21/05``."""
    return sentences.days_in_words(days)
