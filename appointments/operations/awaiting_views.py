"""The operations of all days that wait for a ruling: the list behind the board's number."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from appointments.models import Appointment
from appointments.operations.awaiting import BY_DAY, awaiting_ruling, days_refused
from appointments.operations.opinions import opinion_roles
from appointments.operations.queries import (
    OperatingDay,
    operating_days,
    operations_for,
    with_opinions,
)
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 20


def operations_awaiting(request: SignedInRequest) -> HttpResponse:
    """List what nobody ruled on, by day and theatre; the caller has asked for the right."""
    seen = operations_for(request.user)
    page = page_by_key(
        awaiting_ruling(seen), keys=BY_DAY, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    days = operating_days(seen)
    context = {
        "days": days,
        **counts_of_all_days(seen, days),
        "page": page,
        "operations": with_opinions(page.items, request.user),
        "roles": opinion_roles(request.user),
    }
    answer = render(request, "appointments/operations/awaiting.html", context)
    audit.record(action="operations.viewed", by=request.user, show="awaiting")
    return answer


def counts_of_all_days(seen: QuerySet[Appointment], days: Iterable[OperatingDay]) -> dict[str, int]:
    """Return what the page counts (one query).

    Args:
        seen: the operations of the reader.
        days: all that have any.
    """
    return {"awaiting": sum(day.awaiting for day in days), "days_refused": days_refused(seen)}
