"""The crisis cell's board."""

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from appointments.queries.board import board as board_of
from appointments.queries.imports import conflicts_waiting
from appointments.queries.waiting_doctors import waiting_doctors
from notifications.queries import queues
from notifications.queries.gateway_health import overview
from notifications.queries.pace import curve_of
from staff import clock
from staff.access import Capability, may, requires, scope_of
from staff.requests import SignedInRequest

CURVE_HOURS = 12


@require_safe
@requires(Capability.SEE_BOARD)
def board(request: SignedInRequest) -> HttpResponse:
    """Show the whole board."""
    return _answer(request, "appointments/board.html")


@require_safe
@requires(Capability.SEE_BOARD)
def board_live(request: SignedInRequest) -> HttpResponse:
    """Show what changes on the board, for the page that asks every few seconds."""
    return _answer(request, "appointments/_board.html")


def _answer(request: SignedInRequest, template: str) -> HttpResponse:
    context = {
        "board": board_of(request.user, day=_day(request)),
        "may_call": may(request.user, Capability.WORK_CALL_LIST),
        "may_see_outbox": may(request.user, Capability.SEE_OUTBOX),
        "may_hold": scope_of(request.user, Capability.HOLD_SENDING).everywhere,
        "may_load": may(request.user, Capability.LOAD_FEEDS),
        "conflicts": conflicts_waiting(request.user),
        "sees_refused": scope_of(request.user, Capability.LOAD_FEEDS).everywhere,
        "doctors_waiting": len(waiting_doctors(request.user)),
        "queues": queues.counts(request.user),
        "curve": curve_of(hours=CURVE_HOURS),
        "sees_all": scope_of(request.user, Capability.SEE_BOARD).everywhere,
        "gateways": overview(),
        "now": clock.now(),
    }
    return render(request, template, context)


def _day(request: SignedInRequest) -> dt.date | None:
    """Return the day asked for; a day that does not exist counts as none."""
    try:
        return parse_date(request.GET.get("day", ""))
    except ValueError:
        return None
