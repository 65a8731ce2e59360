"""How the bulletin pages and the board write days."""

import datetime as dt
from collections.abc import Sequence

from django import template

from appointments.bulletins import sentences
from appointments.bulletins import sentences as bulletin_moments
from appointments.models import Bulletin
from staff import clock

register = template.Library()


@register.filter
def costs(parts: int, euro_per_part: float) -> float:
    """Return what SMS parts cost, in euro."""
    return parts * euro_per_part


@register.filter
def days_in_words(days: Sequence[dt.date]) -> str:
    """Return ``lundi 16/05, du mercredi 18/05 au samedi 21/05``."""
    return sentences.days_in_words(days)


@register.filter
def release_in_words(bulletin: Bulletin) -> str:
    """Return when the SMS of a bulletin leave or left, true at this moment."""
    return bulletin_moments.release_in_words(
        release_at=bulletin.release_at,
        approved_at=bulletin.approved_at,
        released_at=bulletin.released_at,
        has_ended=bulletin.has_ended,
        now=clock.now(),
    )
