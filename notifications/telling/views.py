"""The pages about sending: progress with the pause, patients, SMS, queues and gateways."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications.access import notices_of
from notifications.models import Delivery, NoticeState
from notifications.sending import switch as sending
from notifications.telling import by_hand, health
from notifications.telling import outbox as messages_out
from notifications.telling.by_hand import Settled
from notifications.telling.forms import OutboxFilter, PlaceFilter, SettleForm
from notifications.telling.outbox import life_of
from notifications.telling.pace import curve_of, pace
from notifications.telling.progress import BY_APPOINTMENT, LISTED, notices_in, progress
from staff import clock
from staff.access import Capability, may, require, requires, scope_of
from staff.errors import Refusal
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

SPANS_HOURS = (1, 12, 48)
USUAL_SPAN = 12
PAGE_SIZE = 50
OUTBOX_PAGE_SIZE = 30
SHOWN = 5  # by name, on the page that asks for confirmation
ACTIONS: dict[str, Callable[..., Settled]] = {
    "resend": by_hand.resend,
    "call": by_hand.call_instead,
    "told": by_hand.count_as_told,
}


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.SEE_BOARD)
def telling(request: SignedInRequest) -> HttpResponse:
    """Show the whole page."""
    return render(request, "notifications/telling/page.html", _context(request))


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.SEE_BOARD)
def telling_live(request: SignedInRequest) -> HttpResponse:
    """Show what changes, for the page that asks every few seconds."""
    return render(request, "notifications/telling/_telling.html", _context(request))


def _context(request: SignedInRequest) -> dict[str, Any]:
    user = request.user
    asked = request.GET.get("hours", "")
    span = int(asked) if asked in map(str, SPANS_HOURS) else USUAL_SPAN
    return {
        "now": clock.now(),
        "progress": progress(user),
        "pace": pace(),
        "curve": curve_of(hours=span),
        "span": span,
        "spans": SPANS_HOURS,
        "queues": by_hand.queue_counts(user),
        "gateways": health.overview(),
        "may_see_outbox": may(user, Capability.SEE_OUTBOX),
        "may_call": may(user, Capability.WORK_CALL_LIST),
        "may_hold": scope_of(user, Capability.HOLD_SENDING).everywhere,
        "sees_all": scope_of(user, Capability.SEE_BOARD).everywhere,
    }


@require_safe
@requires(Capability.SEE_OUTBOX)
def notices(request: SignedInRequest) -> HttpResponse:
    """List the patients to tell, told or unreachable, by appointment."""
    asked = request.GET.get("state", "")
    state = NoticeState(asked) if asked in LISTED else NoticeState.OPEN
    page = page_by_key(
        notices_in(request.user, state),
        keys=BY_APPOINTMENT,
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    counted = progress(request.user).patients
    states = [(one, counted[one]) for one in LISTED]
    context = {"state": state, "page": page, "states": states}
    answer = render(request, "notifications/telling/notices.html", context)
    listed = [one.pk for one in page]
    audit.record(action="notices.viewed", by=request.user, state=state, notices=listed)
    return answer


@require_safe
@requires(Capability.SEE_OUTBOX)
def gateway_health(request: SignedInRequest) -> HttpResponse:
    """List the gateways in the order of preference."""
    context = {
        "overview": health.overview(),
        "one_part": health.one_part_proposals(),
        "now": clock.now(),
    }
    return render(request, "notifications/telling/gateways.html", context)


@require_POST
@requires(Capability.HOLD_SENDING)
def pause(request: SignedInRequest) -> HttpResponse:
    """Hold all sending."""
    sending.pause(by=request.user)
    messages.warning(request, _("Tous les envois sont en pause. Rien n'est perdu."))
    return redirect(_where_from(request))


@require_POST
@requires(Capability.HOLD_SENDING)
def resume(request: SignedInRequest) -> HttpResponse:
    """Let sending go on."""
    sending.resume(by=request.user)
    messages.success(request, _("Les envois reprennent."))
    return redirect(_where_from(request))


def _where_from(request: SignedInRequest) -> str:
    """Return the name of the page on which the button was pressed."""
    return "telling" if request.POST.get("from") == "telling" else "board"


@require_safe
@requires(Capability.SEE_OUTBOX)
def outbox(request: SignedInRequest) -> HttpResponse:
    """List the SMS, newest first."""
    form = OutboxFilter(request.GET, user=request.user)
    messages = form.narrow(messages_out.messages(request.user))
    page = page_by_key(
        messages.annotate(place=F("id") + 0),
        # The sum is in no index: a bounded list is sorted, not looked for among all SMS.
        keys=("-place",) if form.is_bounded else ("-id",),
        cursor=request.GET.get("cursor", ""),
        size=OUTBOX_PAGE_SIZE,
        keys_first=form.is_search or form.is_bounded,
    )
    context = {
        "form": form,
        "page": page,
        "messages_shown": [(one, messages_out.text_of(one)) for one in page.items],
    }
    answer = render(request, "notifications/telling/outbox.html", context)
    audit.record(action="outbox.viewed", by=request.user, notices=[one.notice_id for one in page])
    return answer


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST)
def message(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show the tries of one notice."""
    visible = messages_out.visible_notices(request.user)
    delivery = get_object_or_404(Delivery, pk=pk, notice__in=visible)
    notice = visible.get(pk=delivery.notice_id)
    context = {"life": life_of(notice), "notice": notice}
    answer = render(request, "notifications/telling/message.html", context)
    audit.record(action="notice.viewed", by=request.user, subject=notice)
    return answer


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST)
def queue(request: SignedInRequest, name: str) -> HttpResponse:
    """List the SMS of a queue, the oldest first."""
    form = PlaceFilter(request.GET, user=request.user)
    rows = form.narrow(by_hand.queue(request.user, name))
    page = page_by_key(
        by_hand.with_what_carries_them(rows),
        keys=("id",),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {
        "queue": name,
        "form": form,
        "page": page,
        "total": rows.count(),
        "counts": by_hand.queue_counts(request.user),
        "most": by_hand.MOST_AT_ONCE,
        "may_hold": may(request.user, Capability.HOLD_SENDING),
        "may_call": may(request.user, Capability.WORK_CALL_LIST),
        "now": clock.now(),
    }
    answer = render(request, "notifications/telling/queue.html", context)
    audit.record(
        action=f"sms_{name}.viewed", by=request.user, notices=[one.notice_id for one in page]
    )
    return answer


@require_http_methods(["GET", "POST"])
@requires(Capability.HOLD_SENDING, Capability.WORK_CALL_LIST)
def settle(request: SignedInRequest, name: str, action: str) -> HttpResponse:
    """Ask for a reason, with what will happen; then settle exactly the SMS that were counted."""
    if name not in by_hand.QUEUES or action not in ACTIONS:
        raise Http404
    if request.method == "GET":
        ids = list(_chosen(request, name).values_list("pk", flat=True))
        return _ask(request, name, action, ids, SettleForm(action))
    ids = _numbers(request.POST.get("ids", "").split(","))
    form = SettleForm(action, request.POST)
    if not form.is_valid():
        return _ask(request, name, action, ids, form)
    try:
        settled = ACTIONS[action](
            delivery_ids=ids, by=request.user, reason=form.cleaned_data["reason"]
        )
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        _say(request, action, settled)
    return redirect(f"queue_{name}")


def _chosen(request: SignedInRequest, name: str) -> QuerySet[Delivery]:
    """Return the ticked SMS of a queue, or all that fit its filter, the oldest first."""
    mine = notices_of(
        request.user, Capability.HOLD_SENDING, Capability.WORK_CALL_LIST, path="notice__"
    )
    rows = by_hand.queue(request.user, name).filter(mine).order_by("pk")
    if request.GET.get("all"):
        rows = PlaceFilter(request.GET, user=request.user).narrow(rows)
        return rows[: by_hand.MOST_AT_ONCE]
    return rows.filter(pk__in=_numbers(request.GET.getlist("id")))[: by_hand.MOST_AT_ONCE]


def _numbers(texts: Iterable[str]) -> list[int]:
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]


def _ask(
    request: SignedInRequest, name: str, action: str, ids: list[int], form: SettleForm
) -> HttpResponse:
    if action == "resend":
        require(request.user, Capability.HOLD_SENDING)
    rows = by_hand.queue(request.user, name).filter(pk__in=ids)
    if not ids:
        messages.info(request, _("Cochez d'abord au moins un SMS."))
        return redirect(f"queue_{name}")
    context = {
        "queue": name,
        "action": action,
        "ids": ",".join(map(str, ids)),
        "number": len(ids),
        "some": rows.select_related("notice__patient", "notice__site").order_by("pk")[:SHOWN],
        "more": max(0, len(ids) - SHOWN),
        "form": form,
    }
    status = 422 if form.is_bound else 200
    return render(request, "notifications/telling/settle.html", context, status=status)


def _say(request: SignedInRequest, action: str, settled: Settled) -> None:
    """Say how many SMS were settled, and why the others were not."""
    if settled.done:
        messages.success(request, _done(action, settled.done))
    if settled.useless:
        text = ngettext(
            "%(number)s SMS n'est pas renvoyé : le rendez-vous est trop proche, la décision a "
            "changé ou le patient ne veut pas de SMS. Faites appeler.",
            "%(number)s SMS ne sont pas renvoyés : le rendez-vous est trop proche, la décision a "
            "changé ou le patient ne veut pas de SMS. Faites appeler.",
            settled.useless,
        )
        messages.warning(request, text % {"number": settled.useless})
    if settled.changed:
        text = ngettext(
            "%(number)s avait changé entre-temps et reste tel quel.",
            "%(number)s avaient changé entre-temps et restent tels quels.",
            settled.changed,
        )
        messages.warning(request, text % {"number": settled.changed})


def _done(action: str, number: int) -> str:
    texts = {
        "resend": ngettext("%(number)s SMS repart.", "%(number)s SMS repartent.", number),
        "call": ngettext(
            "%(number)s patient est sur la liste des appels.",
            "%(number)s patients sont sur la liste des appels.",
            number,
        ),
        "told": ngettext(
            "%(number)s patient compte comme prévenu.",
            "%(number)s patients comptent comme prévenus.",
            number,
        ),
    }
    return texts[action] % {"number": number}
