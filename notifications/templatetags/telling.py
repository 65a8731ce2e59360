"""What the pages of the outbox and the call list need to show."""

from django import template

from patients import phones

register = template.Library()

_TONES = {
    "accepted": "maintained",
    "delivered": "maintained",
    "told": "maintained",
    "failed": "cancelled",
    "expired": "cancelled",
    "unreachable": "cancelled",
    "unknown": "under_review",
}


@register.filter
def phone(number: str) -> str:
    """Return an E.164 number as a person reads it."""
    return phones.display(number) if number else ""


@register.filter
def tone(state: str) -> str:
    """Return the colour and shape of a delivery's or notice's state: those of an outcome."""
    return _TONES.get(state, "none")
