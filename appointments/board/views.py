"""The crisis cell's board."""

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from appointments.board.queries import board as board_of
from appointments.bulletins import services as bulletins
from appointments.bulletins.forms import SendBackForm
from appointments.decisions import keeping
from appointments.decisions.acts import count_double_entries
from appointments.doctors.queries import AHEAD, waiting_doctors
from appointments.feeds.importing.queries import conflicts_waiting, count_told_twice
from appointments.models import Bulletin, BulletinState
from notifications.models import DeliveryState
from notifications.sending.switch import Released
from notifications.telling import by_hand
from notifications.telling.health import overview
from notifications.telling.pace import curve_of
from notifications.telling.progress import progress
from staff import clock
from staff.access import Capability, may, requires, scope_of
from staff.models import Role
from staff.requests import SignedInRequest
from staff.sign_in.tries import locked_out

CURVE_HOURS = 12
MOST = 200  # nobody can call more of them before the deadline


@require_safe
@requires(Capability.SEE_BOARD)
def board(request: SignedInRequest) -> HttpResponse:
    """Show the whole board."""
    return _answer(request, "appointments/board/page.html")


@require_safe
@requires(Capability.SEE_BOARD)
def board_live(request: SignedInRequest) -> HttpResponse:
    """Show what changes on the board, for the page that asks every few seconds."""
    return _answer(request, "appointments/board/_board.html")


@require_http_methods(["GET", "POST"])
@requires(Capability.HOLD_SENDING, everywhere=True)
def release(request: SignedInRequest) -> HttpResponse:
    """Show which patients would be told early and which may still be kept; then release all."""
    came_from = request.POST.get("from") or request.GET.get("from")
    back = "telling" if came_from == "telling" else "board"
    if request.method == "POST":
        released = bulletins.release_now(by=request.user)
        messages.success(request, _what_was_released(released))
        return redirect(back)
    counted, now = progress(request.user), clock.now()
    in_force = Bulletin.objects.filter(state=BulletinState.IN_FORCE, release_at__gt=now)
    context = {
        "messages_held": counted.deliveries["sms"][DeliveryState.HELD],
        "calls": counted.calls_before_release,
        "by_doctors": counted.calls_by_doctors,
        "bulletins": in_force.filter(released_at=None).order_by("release_at"),
        "doctors": waiting_doctors(request.user),
        "from": came_from,
        "back": back,
    }
    return render(request, "appointments/board/release.html", context)


@require_http_methods(["GET", "POST"])
@requires(Capability.APPROVE_BULLETIN, everywhere=True)
def standing_decisions(request: SignedInRequest) -> HttpResponse:
    """Show what persons cancelled on days without a bulletin, and ask them to decide anew."""
    form, status = SendBackForm(request.POST or None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            number = keeping.send_back_unruled(by=request.user, **form.cleaned_data)
            said = ngettext(
                "%(number)s décision est redemandée.",
                "%(number)s décisions sont redemandées.",
                number,
            )
            messages.success(request, said % {"number": number})
            return redirect("board")
    days = [(day, keeping.standing_by_person(day, day)) for day in keeping.unruled_days()]
    context = {"form": form, "days": days}
    return render(request, "appointments/board/standing_decisions.html", context, status=status)


def _what_was_released(released: Released) -> str:
    sent = ngettext(
        "%(number)s SMS part maintenant.", "%(number)s SMS partent maintenant.", released.messages
    )
    called = ngettext(
        "%(number)s patient est à appeler maintenant.",
        "%(number)s patients sont à appeler maintenant.",
        released.calls,
    )
    said = ((sent, released.messages), (called, released.calls))
    return " ".join(text % {"number": number} for text, number in said if number)


def _answer(request: SignedInRequest, template: str) -> HttpResponse:
    context = {
        "board": board_of(request.user, day=_day(request)),
        "may_call": may(request.user, Capability.WORK_CALL_LIST),
        "may_see_outbox": may(request.user, Capability.SEE_OUTBOX),
        "may_hold": scope_of(request.user, Capability.HOLD_SENDING).everywhere,
        "may_send_back": scope_of(request.user, Capability.APPROVE_BULLETIN).everywhere,
        "may_draft": scope_of(request.user, Capability.DRAFT_BULLETIN).everywhere,
        "may_load": may(request.user, Capability.LOAD_FEEDS),
        "conflicts": conflicts_waiting(request.user),
        "double_entries": count_double_entries(request.user),
        "told_twice": count_told_twice(request.user),
        "sees_refused": scope_of(request.user, Capability.LOAD_FEEDS).everywhere,
        "doctors_waiting": len(waiting_doctors(request.user)),
        "queues": by_hand.queue_counts(request.user),
        "curve": curve_of(hours=CURVE_HOURS),
        "sees_all": scope_of(request.user, Capability.SEE_BOARD).everywhere,
        "gateways": overview(),
        "locked_out": locked_out(Role.CRISIS_CELL),
        "now": clock.now(),
    }
    return render(request, template, context)


def _day(request: SignedInRequest) -> dt.date | None:
    """Return the day asked for; a day that does not exist counts as none."""
    try:
        return parse_date(request.GET.get("day", ""))
    except ValueError:
        return None


@require_safe
@requires(Capability.SEE_BOARD)
def doctors(request: SignedInRequest) -> HttpResponse:
    """List the doctors who may keep patients and have not looked."""
    found = waiting_doctors(request.user)
    context = {
        "doctors": found[:MOST],
        "total": len(found),
        "last_day": clock.today() + AHEAD - dt.timedelta(days=1),
        "may_see_schedule": may(request.user, Capability.SEE_SCHEDULE),
    }
    return render(request, "appointments/board/waiting_doctors.html", context)
