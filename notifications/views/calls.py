"""The call list: take a call, ring, write down what came of it; check a reference."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import texts
from notifications.forms import CallForm, ReferenceForm
from notifications.models import Delivery, DeliveryState, NoticeState
from notifications.queries import calls as queries
from notifications.queries.outbox import life_of, lines_of
from notifications.queries.references import asked_about
from notifications.services import calls
from staff import clock
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 40


@require_safe
@requires(Capability.WORK_CALL_LIST)
def call_list(request: SignedInRequest) -> HttpResponse:
    """List the calls to make, the earliest appointment first."""
    rows = queries.call_list(request.user)
    page = page_by_key(
        rows,
        keys=("notice__first_at", "id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {"page": page, "counts": queries.counts(request.user), "now": clock.now()}
    answer = render(request, "notifications/call_list.html", context)
    audit.record(
        action="call_list.viewed", by=request.user, notices=[one.notice_id for one in page]
    )
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def call_take(request: SignedInRequest) -> HttpResponse:
    """Take the call that was picked, or else the next one."""
    picked = request.POST.get("delivery", "")
    try:
        if picked.isdecimal():
            mine = get_object_or_404(queries.calls_of(request.user), pk=int(picked))
            return redirect("call", calls.take(delivery_id=mine.pk, by=request.user).pk)
        taken = calls.take_next(by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("call_list")
    if taken is None:
        messages.info(request, _("Aucun appel à passer pour le moment."))
        return redirect("call_list")
    return redirect("call", taken.pk)


@require_http_methods(["GET", "POST"])
@requires(Capability.WORK_CALL_LIST)
def call(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show whom to call and what to say, and take what came of it."""
    delivery = get_object_or_404(queries.calls_of(request.user), pk=pk)
    form = CallForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            calls.log(delivery_id=pk, by=request.user, **form.as_logged())
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return redirect("call", pk)
        messages.success(request, _("C'est noté."))
        return redirect("call_list")
    answer = render(request, "notifications/call.html", _call_page(request, delivery, form))
    if request.method == "GET":
        audit.record(action="notice.viewed", by=request.user, subject=delivery.notice)
    return answer


def _call_page(request: SignedInRequest, delivery: Delivery, form: CallForm) -> dict:
    notice = delivery.notice
    is_open = notice.state == NoticeState.OPEN and delivery.state in queries.TO_CALL
    return {
        "delivery": delivery,
        "notice": notice,
        "life": life_of(notice),
        "to_say": texts.spoken_of_notice(notice, lines_of(notice)),
        "form": form,
        "is_open": is_open,
        "is_mine": delivery.state == DeliveryState.CLAIMED and delivery.caller == request.user,
        "is_due": delivery.not_before <= clock.now(),
    }


@require_http_methods(["GET", "POST"])
@requires(Capability.WORK_CALL_LIST)
def reference_check(request: SignedInRequest) -> HttpResponse:
    """Say whether a reference read out by a caller is ours, and open their notices."""
    form = ReferenceForm(request.POST or None)
    context: dict = {"form": form, "asked": form.is_bound and form.is_valid()}
    if context["asked"]:
        found = asked_about(request.user, form.cleaned_data["reference"])
        context["found"] = found
        if found.in_force is not None:
            context["to_say"] = texts.spoken_of_notice(found.in_force, lines_of(found.in_force))
        if found.notice is not None:
            audit.record(action="notice.viewed", by=request.user, subject=found.notice)
    return render(request, "notifications/reference_check.html", context)
