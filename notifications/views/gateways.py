"""How each gateway is, and what to do about it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications.queries.gateway_health import overview
from staff import clock
from staff.access import Capability, requires
from staff.requests import SignedInRequest


@require_safe
@requires(Capability.SEE_OUTBOX)
def gateway_health(request: SignedInRequest) -> HttpResponse:
    """List the gateways in the order of preference."""
    return render(
        request, "notifications/gateways.html", {"overview": overview(), "now": clock.now()}
    )
