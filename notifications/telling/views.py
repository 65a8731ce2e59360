"""How the telling goes, live, with the switch at hand."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications.telling import health as gateway_health
from notifications.telling import queues
from notifications.telling.progress import progress
from notifications.telling.progress_pace import curve_of, pace
from staff import clock
from staff.access import Capability, may, requires, scope_of
from staff.requests import SignedInRequest

SPANS_HOURS = (1, 12, 48)
USUAL_SPAN = 12


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.SEE_BOARD)
def telling(request: SignedInRequest) -> HttpResponse:
    """Show the whole page."""
    return render(request, "notifications/telling.html", _context(request))


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.SEE_BOARD)
def telling_live(request: SignedInRequest) -> HttpResponse:
    """Show what changes, for the page that asks every few seconds."""
    return render(request, "notifications/_telling.html", _context(request))


def _context(request: SignedInRequest) -> dict[str, Any]:
    user = request.user
    may_see_outbox = may(user, Capability.SEE_OUTBOX)
    may_call = may(user, Capability.WORK_CALL_LIST)
    span = _span(request)
    return {
        "now": clock.now(),
        "progress": progress(user),
        "pace": pace(),
        "curve": curve_of(hours=span),
        "span": span,
        "spans": SPANS_HOURS,
        "queues": queues.counts(user),
        "gateways": gateway_health.overview(),
        "may_see_outbox": may_see_outbox,
        "may_call": may_call,
        "may_hold": scope_of(user, Capability.HOLD_SENDING).everywhere,
        "sees_all": scope_of(user, Capability.SEE_BOARD).everywhere,
    }


def _span(request: SignedInRequest) -> int:
    """Return how many hours the curve looks back; what cannot be read counts as the usual."""
    asked = request.GET.get("hours", "")
    return int(asked) if asked in {str(hours) for hours in SPANS_HOURS} else USUAL_SPAN
