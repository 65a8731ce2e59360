"""The trail, for the auditor."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from staff.access import Capability, requires
from staff.paging import page_by_key
from staff.queries import TrailFilter, trail_for, trail_head
from staff.requests import SignedInRequest


@require_safe
@requires(Capability.SEE_TRAIL)
def trail(request: SignedInRequest) -> HttpResponse:
    """List who did and who saw what, the newest first."""
    chosen = TrailFilter(request.GET, queryset=trail_for(request.user))
    events = chosen.qs if chosen.is_valid() else chosen.queryset.none()
    page = page_by_key(events, keys=["-sequence"], cursor=request.GET.get("cursor", ""))
    return render(
        request, "staff/trail.html", {"filter": chosen, "page": page, "head": trail_head()}
    )
