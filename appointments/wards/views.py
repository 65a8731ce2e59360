"""Wards and reception: the unit's day, arrivals ticked.

A tick answers htmx with the card alone, and a browser without JavaScript with the page again.
"""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.models import Appointment
from appointments.paper.content import WardDay
from appointments.paper.queries import next_roster_day
from appointments.paper.words import card_of, cards_of
from appointments.wards import services as attending
from appointments.wards.forms import FindForm, PaperRowForm, TickForm, paper_rows
from appointments.wards.queries import (
    appointments_for,
    found_units,
    unit_days,
    units_for,
    ward_days,
)
from patients import search_text
from staff import clock
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.models import Unit, User
from staff.requests import SignedInRequest
from staff.services import audit

C = Capability
_TRY_AGAIN = _("Rechargez la page et recommencez.")
Rows = dict[int, PaperRowForm]


@require_safe
@requires(C.RECORD_ARRIVALS)
def wards(request: SignedInRequest) -> HttpResponse:
    """List the units of the scope on a day, or the patients searched for in all of them."""
    form = FindForm(request.GET)
    form.is_valid()
    day = form.cleaned_data.get("day") or clock.today()
    search = _search(form)
    context = {"form": _shown(form, day), "search": search, "day": day, **_days(day)}
    if search:
        units = found_units(request.user, day, search)
        context["found"] = [
            (found, cards_of(found)) for found in ward_days(unit_ids=units, day=day, search=search)
        ]
    else:
        context["units"] = unit_days(request.user, day)
        context["next_day"] = next_roster_day(request.user) if not context["units"] else None
    return render(request, "appointments/wards/list.html", context)


@require_safe
@requires(C.RECORD_ARRIVALS)
def ward_day(request: SignedInRequest, unit_id: int, day: dt.date) -> HttpResponse:
    """List one unit's day; that it was opened is recorded."""
    unit = get_object_or_404(units_for(request.user), pk=unit_id)
    form = FindForm(request.GET)
    form.is_valid()
    search = _search(form)
    whole = _day_of(unit, day)
    shown = ward_days(unit_ids=[unit.pk], day=day, search=search) if search else [whole]
    context = {
        **_page(whole),
        **_days(day),
        "form": form,
        "search": search,
        "is_counted": True,
        "cards": cards_of(shown[0]) if shown else [],
    }
    answer = render(request, "appointments/wards/day.html", context)
    if not request.htmx:
        audit.record(action="ward_day.viewed", by=request.user, subject=unit, day=day)
    return answer


@require_safe
@requires(C.RECORD_ARRIVALS)
def ward_counts(request: SignedInRequest, unit_id: int, day: dt.date) -> HttpResponse:
    """Show how the day stands now (htmx asks again and again)."""
    unit = get_object_or_404(units_for(request.user), pk=unit_id)
    return render(request, "appointments/wards/_counts.html", _page(_day_of(unit, day)))


@require_POST
@requires(C.RECORD_ARRIVALS)
def tick(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note what was seen of one appointment, then show how it now stands, refused or not."""
    appointment = get_object_or_404(appointments_for(request.user).select_related("unit"), pk=pk)
    form = TickForm(request.POST)
    refusal = _tick(form, pk, by=request.user)
    day = form.cleaned_data.get("day") or appointment.day
    if request.htmx:
        return _answer(request, appointment, day, refusal)
    if refusal:
        messages.error(request, refusal)
    return redirect(_way_back(request, appointment, day))


def _tick(form: TickForm, pk: int, *, by: User) -> str:
    """Note it; return why that was refused, if it was."""
    if not form.is_valid():
        return str(_TRY_AGAIN)
    try:
        attending.note(
            appointment_id=pk,
            by=by,
            what=form.cleaned_data["what"],
            expected_version=form.cleaned_data["version"],
            day=form.cleaned_data["day"],
        )
    except Refusal as why:
        return str(why)
    return ""


def _answer(
    request: SignedInRequest, appointment: Appointment, day: dt.date, refusal: str
) -> HttpResponse:
    """Show the card as it now stands on the page's day, and where a page counts it, the counts.

    Meanwhile it may have got yet another day: then its place says so.
    """
    whole = _day_of(appointment.unit, day)
    lines = [one for one in whole.lines if one.row.appointment_id == appointment.pk]
    context = {
        **_page(whole),
        "appointment": appointment,
        "card": card_of(lines[0], day, refusal=refusal) if lines else None,
        "refusal": refusal or _TRY_AGAIN,
        "is_live": True,
        "is_counted": "counted" in request.POST,
    }
    status = 409 if refusal or not lines else 200
    return render(request, "appointments/wards/_answer.html", context, status=status)


def _day_of(unit: Unit, day: dt.date) -> WardDay:
    return ward_days(unit_ids=[unit.pk], day=day)[0]


def _page(whole: WardDay) -> dict[str, Any]:
    """Return what every part of a unit's page knows."""
    content = whole.content
    return {
        "content": content,
        "counts": whole.counts,
        "day": content.day,
        "today": clock.today(),
        "can_tick": content.day == clock.today(),
    }


def _days(day: dt.date) -> dict[str, Any]:
    return {
        "today": clock.today(),
        "can_tick": day == clock.today(),
        "day_before": day - dt.timedelta(days=1),
        "day_after": day + dt.timedelta(days=1),
    }


def _search(form: FindForm) -> search_text.SearchText:
    return search_text.read(form.cleaned_data.get("q", ""), today=clock.today())


def _shown(form: FindForm, day: dt.date) -> FindForm:
    """Return the form with the day that the page chose, or as it came when it is at fault."""
    if form.errors:
        return form
    return FindForm(initial={"q": form.cleaned_data["q"], "day": day})


def _way_back(request: SignedInRequest, appointment: Appointment, day: dt.date) -> str:
    asked = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure()):
        asked = reverse("ward_day", args=[appointment.unit_id, day])
    return f"{asked}#appointment-{appointment.pk}"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Capability.RECORD_ARRIVALS)
def paper(request: SignedInRequest, unit_id: int, day: dt.date) -> HttpResponse:
    """Show the sheet as it was printed, to fill in; what is at fault stays, the rest is noted."""
    unit = get_object_or_404(units_for(request.user), pk=unit_id)
    if request.method != "POST":
        return _form(request, unit, day, {})
    whole = ward_days(unit_ids=[unit.pk], day=day)[0]
    rows = paper_rows(request.POST, [line.row.appointment_id for line in whole.lines])
    filled = {pk: row for pk, row in rows.items() if row.is_bound}
    number = _note(filled, day, by=request.user)
    if number:
        said = ngettext("%(n)d ligne notée.", "%(n)d lignes notées.", number) % {"n": number}
        messages.success(request, said)
    at_fault = {pk: row for pk, row in filled.items() if row.errors}
    if at_fault or not filled:
        return _form(request, unit, day, at_fault, is_empty=not filled)
    return redirect("ward_day", unit_id=unit.pk, day=day)


def _note(filled: Rows, day: dt.date, *, by: User) -> int:
    """Note the rows without a fault; return how many stand, and write the faults to the rows."""
    good = [one for pk, row in filled.items() if row.is_valid() for one in row.seen(pk, day)]
    noted = attending.note_many(seen=good, by=by)
    for pk, why in noted.faults.items():
        filled[pk].add_error(why.field if why.field in filled[pk].fields else None, str(why))
    return len(noted.standing)


def _form(
    request: SignedInRequest, unit: Unit, day: dt.date, at_fault: Rows, *, is_empty: bool = False
) -> HttpResponse:
    """Show every row as it now stands; those at fault with what was typed."""
    whole = ward_days(unit_ids=[unit.pk], day=day)[0]
    blank = paper_rows(None, [line.row.appointment_id for line in whole.lines])
    rows = [
        (card, at_fault.get(card.line.row.appointment_id, blank[card.line.row.appointment_id]))
        for card in cards_of(whole)
    ]
    context = {
        "content": whole.content,
        "day": day,
        "counts": whole.counts,
        "rows": rows,
        "faults": [card for card, _form in rows if card.line.row.appointment_id in at_fault],
        "is_empty": is_empty,
        "is_to_come": day > clock.today(),
    }
    status = 422 if at_fault or is_empty else 200
    return render(request, "appointments/wards/paper.html", context, status=status)
