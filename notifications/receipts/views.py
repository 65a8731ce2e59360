"""Unmatched receipts, replies of patients, and the address that gateways call."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications.models import Receipt, ReplyOutcome
from notifications.receipts import hooks as hook_calls
from notifications.receipts import replies as reply_services
from staff.access import Capability, requires, scope_of
from staff.errors import Refusal
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE, REPLIES_PAGE_SIZE = 50, 40
HANDLED = "handled"


@require_safe
@requires(Capability.SEE_OUTBOX)
def unmatched(request: SignedInRequest) -> HttpResponse:
    """List the receipts without a message, newest first.

    They belong to no site, so only those who see the messages of the whole group see them.
    """
    everywhere = scope_of(request.user, Capability.SEE_OUTBOX).everywhere
    page = page_by_key(
        Receipt.objects.filter(delivery=None) if everywhere else Receipt.objects.none(),
        keys=("-received_at", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {"page": page, "everywhere": everywhere}
    answer = render(request, "notifications/receipts/unmatched_receipts.html", context)
    audit.record(action="receipts.viewed", by=request.user, receipts=[one.pk for one in page])
    return answer


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, secret: str) -> HttpResponse:
    """Take what a gateway reports."""
    try:
        gateway = hook_calls.gateway_called(
            secret=secret,
            address=request.META.get("REMOTE_ADDR", ""),
            forwarded_for=request.headers.get("X-Forwarded-For", ""),
        )
    except hook_calls.GatewaysUnreadable:
        return _answer(hook_calls.LATER)
    if gateway is None:
        return _answer(hook_calls.NOT_FOUND)
    body = _body(request)
    if body is None:
        return _answer(hook_calls.TOO_LARGE)
    return _answer(
        hook_calls.take(
            gateway=gateway,
            method=request.method or "",
            query=request.GET.dict(),
            headers=request.headers,
            body=body,
        )
    )


def _body(request: HttpRequest) -> bytes | None:
    """Return the body; None when it is too large, of which at most the limit is read."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        if announced > hook_calls.LARGEST_BODY:
            return None
        body = request.read(hook_calls.LARGEST_BODY + 1)
    except (ValueError, UnreadablePostError, RawPostDataException):
        return b""
    return None if len(body) > hook_calls.LARGEST_BODY else body


def _answer(answer: hook_calls.HookAnswer) -> HttpResponse:
    return HttpResponse(answer.text, status=answer.status, content_type="text/plain")


@require_safe
@requires(Capability.WORK_CALL_LIST)
def replies(request: SignedInRequest) -> HttpResponse:
    """List the replies that wait for somebody, or those that were handled, newest first."""
    handled = request.GET.get("show") == HANDLED
    listed = reply_services.visible_replies(request.user).filter(handled_at__isnull=not handled)
    page = page_by_key(
        listed.select_related("patient", "notice__site", "handled_by"),
        keys=("-received_at", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=REPLIES_PAGE_SIZE,
    )
    context = {
        "page": page,
        "handled": handled,
        "waiting": reply_services.replies_waiting(request.user),
    }
    answer = render(request, "notifications/receipts/replies.html", context)
    audit.record(action="replies.viewed", by=request.user, replies=[one.pk for one in page])
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def reply_handle(request: SignedInRequest, pk: int) -> HttpResponse:
    """Record the outcome of a reply."""
    reply = get_object_or_404(reply_services.visible_replies(request.user), pk=pk)
    outcome = request.POST.get("outcome", "")
    if outcome not in ReplyOutcome.values:
        raise Http404
    try:
        reply_services.handle(reply_id=reply.pk, outcome=outcome, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("C'est noté : %s.") % ReplyOutcome(outcome).label)
    return redirect(reverse("replies"))
