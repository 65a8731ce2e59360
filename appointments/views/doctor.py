"""A doctor's day on a phone: keep, let go, undo, patient contacted.

Each answers htmx with the card alone, and a browser without JavaScript with the page again.
"""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from appointments.forms.care import ReasonForm
from appointments.models import Appointment
from appointments.queries.doctor import (
    answered_for,
    cards_of,
    counts_of,
    practitioners_of,
    touched,
)
from appointments.services import keeping
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.models import Practitioner
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

C = Capability
PAGE_SIZE = 30


@require_safe
@requires(C.KEEP)
def doctor_day(request: SignedInRequest) -> HttpResponse:
    """List what a bulletin touches of one practitioner's coming appointments."""
    practitioners = practitioners_of(request.user)
    practitioner = _chosen(practitioners, request.GET.get("practitioner", ""))
    context: dict = {"practitioners": practitioners, "practitioner": practitioner}
    if practitioner:
        appointments = touched(request.user, practitioner)
        page = page_by_key(appointments, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
        context |= {
            "page": page,
            "cards": cards_of(page.items, request.user),
            "counts": counts_of(appointments, practitioner),
        }
    answer = render(request, "appointments/doctor/page.html", context)
    if practitioner:
        audit.record(action="doctor_day.viewed", by=request.user, subject=practitioner)
    return answer


@require_POST
@requires(C.KEEP)
def keep(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep a patient that the bulletin cancels."""
    return _act(request, pk, keeping.keep, reason=_reason(request))


@require_POST
@requires(C.KEEP)
def let_go(request: SignedInRequest, pk: int) -> HttpResponse:
    """Confirm a cancellation in person."""
    return _act(request, pk, keeping.let_go, reason=_reason(request))


@require_POST
@requires(C.KEEP)
def undo_keep(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a personal decision back."""
    return _act(request, pk, keeping.undo)


@require_POST
@requires(C.KEEP)
def contacted(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that the kept patient was reached."""
    return _act(request, pk, keeping.contacted)


def _act(request: SignedInRequest, pk: int, service: Callable, **asked: str) -> HttpResponse:
    """Ask the service, then show how the appointment now stands, refused or not."""
    mine = answered_for(request.user)
    if not mine.filter(pk=pk).exists():
        raise Http404
    refusal = ""
    try:
        service(appointment_id=pk, by=request.user, **asked)
    except Refusal as why:
        refusal = str(why)
    if request.htmx:
        return _answer(request, mine.get(pk=pk), refusal)
    if refusal:
        messages.error(request, refusal)
    return redirect(_way_back(request, pk))


def _answer(request: SignedInRequest, appointment: Appointment, refusal: str) -> HttpResponse:
    """Show the card as it now stands, and how many are kept and still to be called."""
    practitioner = cast("Practitioner", appointment.practitioner)  # answered_for: all have one
    context = {
        "card": cards_of([appointment], request.user, refusal=refusal)[0],
        "counts": counts_of(touched(request.user, practitioner), practitioner),
        "is_live": True,
    }
    status = 409 if refusal else 200
    return render(request, "appointments/doctor/_answer.html", context, status=status)


def _reason(request: SignedInRequest) -> str:
    """Return the reason when it is usable: a tap is never lost to a bad sentence."""
    form = ReasonForm(request.POST)
    return form.cleaned_data["reason"] if form.is_valid() else ""


def _way_back(request: SignedInRequest, pk: int) -> str:
    asked = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure()):
        return f"{asked}#appointment-{pk}"
    return f"{reverse('doctor_day')}#appointment-{pk}"


def _chosen(practitioners: list[Practitioner], code: str) -> Practitioner | None:
    """Return the practitioner asked for, else the first; someone else's is not found."""
    if not code:
        return next(iter(practitioners), None)
    for practitioner in practitioners:
        if practitioner.code == code:
            return practitioner
    raise Http404
