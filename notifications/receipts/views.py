"""Receipts of which nobody knows the message."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from notifications.receipts.queries import unmatched_receipts
from staff.access import Capability, requires, scope_of
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 50


@require_safe
@requires(Capability.SEE_OUTBOX)
def unmatched(request: SignedInRequest) -> HttpResponse:
    """List the receipts without a message, newest first."""
    page = page_by_key(
        unmatched_receipts(request.user),
        keys=("-received_at", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    everywhere = scope_of(request.user, Capability.SEE_OUTBOX).everywhere
    context = {"page": page, "everywhere": everywhere}
    answer = render(request, "notifications/unmatched_receipts.html", context)
    audit.record(action="receipts.viewed", by=request.user, receipts=[one.pk for one in page])
    return answer
