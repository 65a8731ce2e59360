"""The doctors behind a number of the board."""

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from appointments.doctors.waiting import AHEAD, waiting_doctors
from staff import clock
from staff.access import Capability, may, requires
from staff.requests import SignedInRequest

MOST = 200  # beyond, nobody calls them all before the deadline


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
    return render(request, "appointments/waiting_doctors.html", context)
