"""SMS that wait for a person: the lists, and the page on which a decision is confirmed."""

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from notifications.access import notices_of
from notifications.models import Delivery
from notifications.telling import by_hand
from notifications.telling import queues as queries
from notifications.telling.by_hand import Settled
from notifications.telling.forms import PlaceFilter, SettleForm
from staff import clock
from staff.access import Capability, may, require, requires
from staff.errors import Refusal
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

PAGE_SIZE = 50
SHOWN = 5  # by name, on the page that asks whether one is sure
ACTIONS: dict[str, Callable[..., Settled]] = {
    "resend": by_hand.resend,
    "call": by_hand.call_instead,
    "told": by_hand.count_as_told,
}


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST)
def unknown(request: SignedInRequest) -> HttpResponse:
    """List the SMS of which nobody knows, the oldest first."""
    return _list(request, queries.UNKNOWN)


@require_safe
@requires(Capability.SEE_OUTBOX, Capability.WORK_CALL_LIST)
def failed(request: SignedInRequest) -> HttpResponse:
    """List the SMS that did not arrive and whose patients are not told yet."""
    return _list(request, queries.FAILED)


def _list(request: SignedInRequest, name: str) -> HttpResponse:
    form = PlaceFilter(request.GET, user=request.user)
    rows = form.narrow(queries.queue(request.user, name))
    page = page_by_key(
        queries.with_what_carries_them(rows),
        keys=("id",),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {
        "queue": name,
        "form": form,
        "page": page,
        "total": rows.count(),
        "counts": queries.counts(request.user),
        "most": by_hand.MOST_AT_ONCE,
        "may_hold": may(request.user, Capability.HOLD_SENDING),
        "may_call": may(request.user, Capability.WORK_CALL_LIST),
        "now": clock.now(),
    }
    answer = render(request, "notifications/queue.html", context)
    audit.record(
        action=f"sms_{name}.viewed", by=request.user, notices=[one.notice_id for one in page]
    )
    return answer


@require_http_methods(["GET", "POST"])
@requires(Capability.HOLD_SENDING, Capability.WORK_CALL_LIST)
def settle(request: SignedInRequest, name: str, action: str) -> HttpResponse:
    """Say what will happen and ask why; then do it to exactly those that were counted."""
    if name not in queries.QUEUES or action not in ACTIONS:
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
    rows = queries.queue(request.user, name).filter(mine).order_by("pk")
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
    rows = queries.queue(request.user, name).filter(pk__in=ids)
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
    return render(request, "notifications/settle.html", context, status=status)


def _say(request: SignedInRequest, action: str, settled: Settled) -> None:
    """Tell what was done, and of what was left alone why."""
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
