"""How each gateway is, and what to do about it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications.telling.health import one_part_proposals, overview
from staff import clock
from staff.access import Capability, requires
from staff.requests import SignedInRequest


@require_safe
@requires(Capability.SEE_OUTBOX)
def gateway_health(request: SignedInRequest) -> HttpResponse:
    """List the gateways in the order of preference."""
    context = {"overview": overview(), "one_part": one_part_proposals(), "now": clock.now()}
    return render(request, "notifications/gateways.html", context)
