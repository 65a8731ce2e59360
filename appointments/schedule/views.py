"""The schedule, and one appointment with its whole history."""

import datetime as dt
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from appointments.access import counted
from appointments.decisions.acts import others_of
from appointments.decisions.in_force import keeper_of, visible_to
from appointments.doctors.queries import cards_of
from appointments.operations.queries import OPENED_BY
from appointments.schedule.filters import ScheduleFilter
from appointments.schedule.history import ground_of, history_of
from staff import clock
from staff.access import Capability, may, requires, scope_of
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

C = Capability
PAGE_SIZE = 50


@require_safe
@vary_on_headers("HX-Request")
@requires(C.SEE_SCHEDULE)
def schedule(request: SignedInRequest) -> HttpResponse:
    """List appointments; htmx gets the list alone, and an address without empty filters."""
    filters = ScheduleFilter(request.GET, user=request.user)
    rows = filters.rows()
    day = filters.day_chosen
    page = page_by_key(
        rows,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
        keys_first=filters.is_by_patient,
    )
    context = {
        "filter": filters,
        "page": page,
        "counted": counted(rows) if filters.is_narrow else None,
        "day": day,
        "day_before": day - dt.timedelta(days=1) if day else None,
        "day_after": day + dt.timedelta(days=1) if day else None,
        "today": clock.today(),
        "arrivals": scope_of(request.user, C.RECORD_ARRIVALS),
    }
    audit.record(action="schedule.viewed", by=request.user, appointments=[one.pk for one in page])
    if not request.htmx or request.htmx.history_restore_request:
        return render(request, "appointments/schedule/page.html", context)
    address = request.path + (f"?{urlencode(state)}" if (state := filters.state()) else "")
    return push_url(render(request, "appointments/schedule/_list.html", context), address)


@require_safe
@requires(C.SEE_SCHEDULE, C.KEEP, C.KEEP_AS_DELEGATE, C.GIVE_OPINION, C.RULE_ON_OPERATIONS)
def appointment(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one appointment and all that happened to it; that it was seen is recorded."""
    found = get_object_or_404(visible_to(request.user), pk=pk)
    card = cards_of([found], request.user)[0]
    context = {
        "appointment": found,
        "card": card,
        "ground": ground_of(card.decision) if card.decision else "",
        "others": visible_to(request.user)
        .filter(pk__in=others_of(found).values("pk"))
        .select_related("feed"),
        "is_mine": found.practitioner_id in keeper_of(request.user).practitioner_ids,
        "history": history_of(found, request.user),
        "identifiers": found.patient.identifiers.order_by("system", "value"),
        "sees_operations": any(may(request.user, capability) for capability in OPENED_BY),
    }
    answer = render(request, "appointments/schedule/appointment.html", context)
    audit.record(action="appointment.viewed", by=request.user, subject=found)
    return answer
