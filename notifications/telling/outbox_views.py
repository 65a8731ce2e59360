"""Every message as a phone shows it, and one notice's life."""

from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from notifications.models import Delivery
from notifications.telling import outbox as queries
from notifications.telling.forms import OutboxFilter
from notifications.telling.life import life_of
from staff.access import Capability, requires
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 30


@require_safe
@requires(Capability.SEE_OUTBOX)
def outbox(request: SignedInRequest) -> HttpResponse:
    """List the SMS, newest first."""
    form = OutboxFilter(request.GET, user=request.user)
    messages = form.narrow(queries.messages(request.user))
    page = page_by_key(
        messages.annotate(place=F("id") + 0),
        # The sum is in no index: what is bounded is sorted, not looked for among all there are.
        keys=("-place",) if form.is_bounded else ("-id",),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
        keys_first=form.is_search or form.is_bounded,
    )
    context = {
        "form": form,
        "page": page,
        "messages_shown": [(one, queries.text_of(one)) for one in page.items],
    }
    answer = render(request, "notifications/outbox.html", context)
    audit.record(action="outbox.viewed", by=request.user, notices=[one.notice_id for one in page])
    return answer


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST)
def message(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what was tried to tell one notice; that it was seen is recorded."""
    visible = queries.visible_notices(request.user)
    delivery = get_object_or_404(Delivery, pk=pk, notice__in=visible)
    notice = visible.get(pk=delivery.notice_id)
    life = life_of(notice)
    answer = render(request, "notifications/message.html", {"life": life, "notice": notice})
    audit.record(action="notice.viewed", by=request.user, subject=notice)
    return answer
