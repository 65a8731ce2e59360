"""The pages of the call list: take a call, make it, record its result."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications.calls import queries, sheet
from notifications.calls import services as calls
from notifications.calls.forms import CallForm, FoundNumberForm, PaperForm
from notifications.calls.services import MOST_ON_PAPER
from notifications.calls.sheet import rows as sheet_rows
from notifications.lifecycle import notice_states
from notifications.lifecycle.call_states import TO_CALL
from notifications.models import Delivery, DeliveryState, Notice, NoticeState
from notifications.receipts.replies import replies_waiting
from notifications.telling.outbox import life_of, lines_of
from notifications.texts import render as texts
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
    """List the calls to make: by day and kind of act, then the earliest appointment first."""
    show = request.GET.get("show", "")
    rows = queries.call_list(request.user, show=show)
    page = page_by_key(
        rows,
        keys=queries.BY_URGENCY,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    counts = queries.counts(request.user)
    context = {
        "page": page,
        "counts": counts,
        "why_none": "" if counts["due"] else queries.why_none(request.user),
        "without_number": show == "without",
        "later": [] if show in ("without", "all", "doctors") else queries.later_calls(request.user),
        "replies": replies_waiting(request.user),
        "tries": settings.CALL_TRIES,
        "paper": PaperForm(),
        "on_paper": queries.taken_by(request.user, on_paper=True).count(),
        "withdrawn": queries.withdrawn_from(request.user),
        "now": clock.now(),
    }
    answer = render(request, "notifications/calls/call_list.html", context)
    audit.record(
        action="call_list.viewed", by=request.user, notices=[one.notice_id for one in page]
    )
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def call_take(request: SignedInRequest) -> HttpResponse:
    """Take the call that was picked, or else the next one."""
    picked = request.POST.get("delivery", "")
    if not picked.isdecimal():
        return _next(request)
    mine = get_object_or_404(queries.calls_of(request.user), pk=int(picked))
    try:
        return redirect("call", calls.take(delivery_id=mine.pk, by=request.user).pk)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("call_list")


def _next(request: SignedInRequest) -> HttpResponse:
    taken = calls.take_next(by=request.user)
    if taken is None:
        messages.info(request, queries.why_none(request.user))
        return redirect("call_list")
    return redirect("call", taken.pk)


@require_http_methods(["GET", "POST"])
@requires(Capability.WORK_CALL_LIST)
def call(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the patient to call and what to say, and record the result."""
    delivery = get_object_or_404(queries.calls_of(request.user), pk=pk)
    numbers = queries.numbers_to_ring(delivery)
    together = queries.said_together(delivery, request.user)
    new_days = [item for one in together for item in one.notice.items.all() if item.postponed_to]
    form = CallForm(numbers, new_days, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            calls.log(delivery_id=pk, by=request.user, **form.as_logged())
        except Refusal as refusal:
            if not refusal.field:
                messages.error(request, refusal.message)
                return redirect("call", pk)
            form.add_error(refusal.field, refusal.message)
        else:
            notice_states.answer()  # at once: the patient may have heard what no longer holds
            if stale := queries.heard_too_late(delivery, form.said):
                _say_what_follows(request, stale)
                return redirect("call", stale.pk)
            messages.success(request, _("C'est noté."))
            if delivery.printed_at:
                return redirect("call_sheet")
            return _next(request) if request.GET.get("then") == "next" else redirect("call_list")
    context = _call_page(request, delivery, together, form) | {
        "numbers": numbers,
        "found": FoundNumberForm(),
    }
    status = 422 if form.is_bound else 200
    answer = render(request, "notifications/calls/call.html", context, status=status)
    if request.method == "GET":
        audit.record(
            action="notice.viewed",
            by=request.user,
            subject=delivery.notice,
            notices=[one.notice_id for one in context["together"]],
        )
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def call_number(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep a number that was found for the patient of a call."""
    get_object_or_404(queries.calls_of(request.user), pk=pk)
    form = FoundNumberForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Rien n'est noté : écrivez le numéro trouvé."))
        return redirect("call", pk)
    try:
        calls.found_number(delivery_id=pk, by=request.user, **form.as_found())
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Le numéro est gardé : vous pouvez appeler."))
    return redirect("call", pk)


@require_POST
@requires(Capability.WORK_CALL_LIST)
def call_print(request: SignedInRequest) -> HttpResponse:
    """Take the next calls on paper, and show the sheet to print."""
    form = PaperForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, _("Prenez de 1 à %(most)d patients à la fois.") % {"most": MOST_ON_PAPER}
        )
        return redirect("call_list")
    calls.take_on_paper(by=request.user, number=form.cleaned_data["number"])
    return redirect("call_sheet")


@require_safe
@requires(Capability.WORK_CALL_LIST)
def call_sheet(request: SignedInRequest) -> HttpResponse:
    """Show what the person has on paper, to print it and to enter the results."""
    rows = sheet_rows(request.user)
    withdrawn = queries.withdrawn_from(request.user)
    answer = HttpResponse(sheet.for_browser(rows, by=request.user, withdrawn=withdrawn))
    if rows:
        notices = [call.notice_id for row in rows for call in row.calls]
        audit.record(action="call_list.viewed", by=request.user, notices=notices)
    return answer


@require_POST
@requires(Capability.WORK_CALL_LIST)
def call_give_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """Put a call back on the list."""
    get_object_or_404(queries.calls_of(request.user), pk=pk)
    try:
        calls.give_back(delivery_id=pk, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("call", pk)
    messages.success(request, _("L'appel est de nouveau sur la liste."))
    return redirect("call_list")


def _call_page(
    request: SignedInRequest, delivery: Delivery, together: list[Delivery], form: CallForm
) -> dict[str, Any]:
    notice = delivery.notice
    is_open = notice.state == NoticeState.OPEN and delivery.state in TO_CALL
    is_stale = notice.state == NoticeState.WITHDRAWN
    instead = queries.calls_instead(delivery, request.user) if is_stale else []
    was_mine = delivery.caller_id == request.user.pk
    return {
        "is_stale": is_stale,
        "instead": [(one, _to_say(one.notice)) for one in instead],
        "may_have_said": was_mine and queries.was_withdrawn_in_hand(delivery),
        "delivery": delivery,
        "notice": notice,
        "life": life_of(notice),
        "together": together,
        "opening": texts.opening_words(notice.patient, notice.site.name),
        "to_say": [(one.notice, _to_say(one.notice)) for one in together],
        "tries": settings.CALL_TRIES,
        "form": form,
        "is_open": is_open,
        "is_mine": delivery.state == DeliveryState.CLAIMED and delivery.caller == request.user,
        "is_due": delivery.not_before <= clock.now(),
    }


def _say_what_follows(request: SignedInRequest, stale: Delivery) -> None:
    """Say what follows when the patient heard a notice after its withdrawal."""
    text = _(
        "C'est noté : la décision a changé pendant l'appel. Aucun appel n'est à passer pour "
        "le moment ; regardez ce qui vaut maintenant."
    )
    if queries.calls_instead(stale, request.user):
        text = _(
            "C'est noté : la décision a changé pendant l'appel, et le patient a entendu ce "
            "qui ne vaut plus. Rappelez-le : l'appel est ouvert, voici ce qu'il faut dire."
        )
    messages.warning(request, text)


def _to_say(notice: Notice) -> str:
    return texts.spoken_of_notice(notice, lines_of(notice))
