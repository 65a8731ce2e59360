"""What patients wrote back, and what came of it."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications.models import ReplyOutcome
from notifications.receipts import replies as services
from notifications.receipts import reply_queries as queries
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 40
HANDLED = "handled"


@require_safe
@requires(Capability.WORK_CALL_LIST)
def replies(request: SignedInRequest) -> HttpResponse:
    """List the replies that wait for somebody, or those that were handled, newest first."""
    handled = request.GET.get("show") == HANDLED
    page = page_by_key(
        queries.reply_list(request.user, handled=handled),
        keys=("-received_at", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {
        "page": page,
        "handled": handled,
        "waiting": queries.replies_waiting(request.user),
    }
    answer = render(request, "notifications/replies.html", context)
    audit.record(action="replies.viewed", by=request.user, replies=[one.pk for one in page])
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def reply_handle(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write down what a reply came to."""
    reply = get_object_or_404(queries.visible_replies(request.user), pk=pk)
    outcome = request.POST.get("outcome", "")
    if outcome not in ReplyOutcome.values:
        raise Http404
    try:
        services.handle(reply_id=reply.pk, outcome=outcome, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("C'est noté : %s.") % ReplyOutcome(outcome).label)
    return redirect(reverse("replies"))
