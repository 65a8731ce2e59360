"""Filters and tags of the pages about sending and calls."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications import rules
from notifications.lifecycle import call_states
from notifications.models import Delivery, NoticeItem
from patients import phones
from staff import clock
from staff.access import Capability, may

register = template.Library()


@register.filter
def said_once(items: Iterable[NoticeItem]) -> list[NoticeItem]:
    """Return the items of a notice, one for each appointment: several sources may plan one."""
    first: dict[tuple[Any, ...], NoticeItem] = {}
    for item in items:
        said = (item.notice_id, item.starts_at, item.site_id, item.word, item.postponed_to)
        first.setdefault(said, item)
    return list(first.values())


_TONES = {
    **dict.fromkeys(("accepted", "delivered", "told", "in_service"), "maintained"),
    **dict.fromkeys(("failed", "expired", "unreachable"), "cancelled"),
    **dict.fromkeys(("away", "capped", "failing", "contradicted"), "cancelled"),
    **dict.fromkeys(("unknown", "cut_off", "silent", "slow"), "under_review"),
}


@dataclass(frozen=True)
class Section:
    """A page about sending, and whose capabilities open it."""

    name: str
    label: str | Promise
    capabilities: tuple[Capability, ...]


C = Capability
SECTIONS = (
    Section("telling", _("Suivi"), (C.SEE_OUTBOX, C.SEE_BOARD)),
    Section("notices", _("Patients"), (C.SEE_OUTBOX,)),
    Section("outbox", _("Messages"), (C.SEE_OUTBOX,)),
    Section("queue_unknown", _("Sort inconnu"), (C.SEE_OUTBOX, C.WORK_CALL_LIST)),
    Section("queue_failed", _("Échoués"), (C.SEE_OUTBOX, C.WORK_CALL_LIST)),
    Section("gateways", _("Passerelles"), (C.SEE_OUTBOX,)),
    Section("unmatched_receipts", _("Accusés sans message"), (C.SEE_OUTBOX,)),
    Section("replies", _("Réponses"), (C.WORK_CALL_LIST,)),
)


@register.filter
def told_hour(moment: dt.datetime) -> str:
    """Return the hour of an appointment as its patient is told."""
    return clock.told_hour(moment)


@register.filter
def phone(number: str) -> str:
    """Return an E.164 number as a person reads it."""
    return phones.display(number) if number else ""


@register.filter
def by_doctors(number: int) -> str:
    """Return how many calls doctors make beside ours, in words after a number of ours."""
    return call_states.said_of_doctors(number)


@register.filter
def ago(moment: dt.datetime) -> str:
    """Return how long ago a moment of the real clock is, in the two largest units."""
    return timesince(moment, clock.real())


@register.filter
def ahead(moment: dt.datetime) -> str:
    """Return how far ahead a moment of the real clock is, in the two largest units."""
    return timeuntil(moment, clock.real())


@register.filter
def how_long(seconds: int) -> str:
    """Return a number of seconds in words."""
    if seconds < 60:
        return ngettext("%(number)d seconde", "%(number)d secondes", seconds) % {"number": seconds}
    ends = clock.real()
    return timesince(ends - dt.timedelta(seconds=seconds), ends)


@register.filter
def tone(state: str) -> str:
    """Return the colour and shape of a delivery's or notice's state: those of an outcome."""
    return _TONES.get(state, "none")


@register.filter
def why_urgent(call: Delivery) -> list[str]:
    """Return why a call is urgent, in a few words each."""
    reasons = []
    if call.urgency and rules.rank_of(call.urgency) == 0:
        reasons.append(gettext("opération"))
    first_at = call.notice.first_at.astimezone(clock.BRUSSELS)
    if first_at.date() == clock.today() and first_at > clock.now():
        moment = f"{first_at.hour}:{first_at:%M}"
        reasons.append(gettext("aujourd'hui à %(moment)s") % {"moment": moment})
    return reasons


@register.inclusion_tag("notifications/telling/_sections.html", takes_context=True)
def sending_sections(context: RequestContext) -> dict[str, Any]:
    """Show links to the pages about sending that the reader may open."""
    request = context["request"]
    opened = [
        {"label": one.label, "address": reverse(one.name)}
        for one in SECTIONS
        if any(may(request.user, capability) for capability in one.capabilities)
    ]
    return {"sections": opened, "path": request.path}
