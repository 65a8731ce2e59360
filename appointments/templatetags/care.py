"""How screens write ages, phone numbers, days, costs and the time that is left."""

import datetime as dt
from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from appointments.bulletins import sentences
from appointments.models import Bulletin
from appointments.rules import KeepAnswer
from patients import phones
from patients.models import Patient
from staff import clock
from staff.access import AccessScope
from staff.models import Unit

register = template.Library()
_MONTHS_OF_A_BABY = 24


@register.filter
def age(patient: Patient) -> str:
    """Return ``62 ans``, or ``8 mois`` for the first two years; nothing without a birth date."""
    if patient.birth_date is None:
        return ""
    today, born = clock.today(), patient.birth_date
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if months < _MONTHS_OF_A_BABY:
        return ngettext("%(n)d mois", "%(n)d mois", months) % {"n": months}
    years = months // 12
    return ngettext("%(n)d an", "%(n)d ans", years) % {"n": years}


@register.filter
def phone(number: str) -> str:
    """Return an E.164 number as a person reads it."""
    return phones.display(number) if number else ""


@register.filter
def time_left(until: dt.datetime | None) -> str:
    """Return ``2 j 4 h``, ``3 h 20``, ``25 min`` until a moment; nothing once it is past."""
    left = until - clock.now() if until else dt.timedelta()
    return clock.lasting(left) if left >= dt.timedelta(seconds=1) else ""


@register.filter
def ticking(until: dt.datetime | None) -> SafeString | str:
    """Return ``time_left`` in an element that care.js counts down from the hospital's own time."""
    if until is None:
        return ""
    return format_html(
        '<time datetime="{}" data-until="{}" data-now="{}" data-day="{}" data-hour="{}" '
        'data-minute="{}">{}</time>',
        until.isoformat(),
        int(until.timestamp() * 1000),
        int(clock.now().timestamp() * 1000),
        pgettext("unité de temps", "j"),
        pgettext("unité de temps", "h"),
        pgettext("unité de temps", "min"),
        time_left(until),
    )


@register.filter
def why(answer: KeepAnswer) -> str:
    """Return the reason of the rules in the reader's language."""
    return _(answer.why) if answer.why else ""


@register.filter
def lies_in(unit: Unit, scope: AccessScope) -> bool:
    """Whether a unit lies inside a scope; no scope holds none."""
    return bool(scope) and scope.covers(site_id=unit.site_id, unit_id=unit.pk)


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
    return sentences.release_in_words(
        release_at=bulletin.release_at,
        approved_at=bulletin.approved_at,
        released_at=bulletin.released_at,
        has_ended=bulletin.has_ended,
        now=clock.now(),
    )
