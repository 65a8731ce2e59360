"""What was written on a sheet of paper, entered afterwards with the time it happened."""

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from appointments.paper.ward_words import cards_of
from appointments.wards import services as attending
from appointments.wards.forms import PaperRowForm, paper_rows
from appointments.wards.queries import units_for, ward_days
from staff import clock
from staff.access import Capability, requires
from staff.models import Unit, User
from staff.requests import SignedInRequest

Rows = dict[int, PaperRowForm]


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
