"""A doctor's day on a phone: keep, let go, undo, patient contacted or not, several at once.

Each answers htmx with the cards alone, and a browser without JavaScript with the page again.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from appointments.decisions import keeping
from appointments.decisions.keeping import MOST, Done
from appointments.doctors.queries import (
    BY_DEADLINE,
    DoctorDay,
    answered_for,
    by_deadline,
    cards_of,
    counts_of,
    days_of,
    knows_any,
    lapsed,
    practitioners_of,
    review_of,
    touched,
)
from appointments.models import Appointment
from appointments.paper.views import DayForm
from notifications.lifecycle import notice_states
from notifications.models import NoticeState
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.models import Practitioner
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

C = Capability
KEEPS = (C.KEEP, C.KEEP_AS_DELEGATE)
PAGE_SIZE = MOST


class CardForm(forms.Form):
    """What stood on the card that was tapped: all of it is optional, so that one tap is enough.

    ``seen``: the version of the decision. ``said``: the notice, when the patient was called.
    """

    reason = forms.CharField(max_length=300, required=False)
    seen = forms.IntegerField(required=False)
    said = forms.IntegerField(required=False)


class SeenAppointmentsField(forms.Field):
    """Ticked cards, each as ``number-version``; a number alone says nothing of what was seen."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {  # noqa: RUF012  # Django's own way
        "required": gettext_lazy("Cochez d'abord les patients à garder ou à laisser annuler."),
        "invalid": gettext_lazy(
            "Ces cases ne disent plus rien : rechargez la page, puis cochez à nouveau."
        ),
    }

    def to_python(self, value: Any) -> dict[int, int | None]:
        """Return the versions by appointment."""
        seen: dict[int, int | None] = {}
        for text in value or ():
            number, _dash, version = text.partition("-")
            if not (_is_number(number) and (version == "" or _is_number(version))):
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
            seen[int(number)] = int(version) if version else None
        return seen


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


class SeveralForm(forms.Form):
    """The same choice for all ticked cards."""

    reason = forms.CharField(max_length=300, required=False)
    choice = forms.ChoiceField(
        choices=[("keep", gettext_lazy("garder")), ("let_go", gettext_lazy("laisser annuler"))],
        error_messages={"required": gettext_lazy("Choisissez : garder ou laisser annuler.")},
    )
    appointment = SeenAppointmentsField()


@require_safe
@requires(*KEEPS)
def doctor_day(request: SignedInRequest) -> HttpResponse:
    """List what a bulletin touches of one practitioner's coming appointments.

    What can still be decided stands first, by its deadline.
    """
    practitioners = practitioners_of(request.user)
    practitioner = _chosen(practitioners, request.GET.get("practitioner", ""))
    context: dict[str, Any] = {"practitioners": practitioners, "practitioner": practitioner}
    if practitioner:
        appointments = touched(request.user, practitioner)
        days = days_of(appointments)
        day = _day(request, days)
        review = review_of(appointments, request.user)
        shows_review = request.GET.get("show") == "review"
        listed = appointments.filter(day=day) if day else appointments
        if shows_review:
            listed = listed.filter(pk__in=review.deadlines)
        page = page_by_key(
            by_deadline(listed, review),
            keys=BY_DEADLINE,
            cursor=request.GET.get("cursor", ""),
            size=PAGE_SIZE,
        )
        cards = cards_of(page.items, request.user)
        context |= {
            "days": days,
            "day": day,
            "page": page,
            "cards": cards,
            "may_choose": any(card.may_be_chosen for card in cards),
            "counts": counts_of(appointments),
            "knows_any": page.items or knows_any(request.user, practitioner),
            "review": review,
            "shows_review": shows_review,
            "lapsed": lapsed(request.user, practitioner),
        }
    answer = render(request, "appointments/doctors/page.html", context)
    if practitioner:
        audit.record(action="doctor_day.viewed", by=request.user, subject=practitioner)
    return answer


@require_POST
@requires(*KEEPS)
def keep(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep a patient that the bulletin cancels."""
    return _act(request, pk, keeping.keep, **_on_card(request, "reason", "seen"))


@require_POST
@requires(*KEEPS)
def let_go(request: SignedInRequest, pk: int) -> HttpResponse:
    """Confirm a cancellation in person."""
    return _act(request, pk, keeping.let_go, **_on_card(request, "reason", "seen"))


@require_POST
@requires(*KEEPS)
def undo_keep(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a personal decision back."""
    return _act(request, pk, keeping.undo, **_on_card(request, "seen"))


@require_POST
@requires(*KEEPS)
def contacted(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that the kept patient was reached."""
    return _act(request, pk, _contacted, **_on_card(request, "said"))


def _contacted(**asked: Any) -> None:
    """Note it, and say so where the decision changed while the doctor was calling."""
    notice = keeping.contacted(**asked)
    notice_states.answer()  # what the patient heard may need another notice at once
    if notice.state == NoticeState.WITHDRAWN:
        raise Refusal(
            _(
                "C'est noté, mais la décision a changé pendant l'appel : le patient a entendu ce "
                "qui ne vaut plus. Regardez ce qui vaut maintenant ; s'il faut le rappeler, "
                "l'appel est ouvert."
            )
        )


@require_POST
@requires(*KEEPS)
def not_contacted(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take back that the patient was reached."""
    return _act(request, pk, keeping.not_contacted)


@require_POST
@requires(*KEEPS)
def several(request: SignedInRequest) -> HttpResponse:
    """Keep or let go all ticked patients; each is refused or done by itself."""
    form = SeveralForm(request.POST)
    if not form.is_valid():
        return _say_why(request, str(next(iter(form.errors.values()))[0]))
    seen = form.cleaned_data["appointment"]
    mine = answered_for(request.user).filter(pk__in=seen)
    if mine.count() != len(seen):
        return _not_mine(request)
    keeps = form.cleaned_data["choice"] == "keep"
    try:
        done = keeping.decide_several(
            keeping.keep if keeps else keeping.let_go,
            appointment_ids=seen,
            by=request.user,
            reason=form.cleaned_data["reason"],
            seen=seen,
        )
    except Refusal as why:
        return _say_why(request, str(why))
    return _answer_several(request, list(mine.order_by("starts_at", "id")), done, keeps=keeps)


def _answer_several(
    request: SignedInRequest, decided: list[Appointment], done: list[Done], *, keeps: bool
) -> HttpResponse:
    """Show how all of them now stand, with a reason on each that was refused."""
    refusals = {one.appointment_id: one.refusal for one in done if one.refusal}
    sentence = _became(done, keeps=keeps)
    if not request.htmx:
        messages.info(request, sentence)
        for one in decided:
            if one.pk in refusals:
                messages.error(request, f"{one.patient} : {refusals[one.pk]}")
        return redirect(_way_back(request))
    appointments = touched(request.user, cast("Practitioner", decided[0].practitioner))
    context = {
        "cards": cards_of(decided, request.user, refusals=refusals),
        "counts": counts_of(appointments),
        "review": review_of(appointments, request.user),
        "sentence": sentence,
        "refused": len(refusals),
        "is_live": True,
    }
    return render(request, "appointments/doctors/_several_answer.html", context)


def _became(done: list[Done], *, keeps: bool) -> str:
    """Return ``5 gardés, 1 refusé``."""
    refused = sum(bool(one.refusal) for one in done)
    number = len(done) - refused
    if keeps:
        words = [ngettext("%(n)d gardé", "%(n)d gardés", number) % {"n": number}]
    else:
        words = [
            ngettext("%(n)d annulation confirmée", "%(n)d annulations confirmées", number)
            % {"n": number}
        ]
    if refused:
        words.append(ngettext("%(n)d refusé", "%(n)d refusés", refused) % {"n": refused})
    return ", ".join(words)


def _not_mine(request: SignedInRequest) -> HttpResponse:
    """Answer that somebody else's patient is not found; at the card for htmx."""
    if not request.htmx:
        raise Http404
    message = _("Ce patient n'est pas, ou n'est plus, l'un des vôtres. Rechargez la page.")
    return render(request, "_components/refusal.html", {"message": message}, status=404)


def _say_why(request: SignedInRequest, refusal: str) -> HttpResponse:
    """Answer why nothing was done: a message for htmx, on the page otherwise."""
    if request.htmx:
        return render(request, "_components/refusal.html", {"message": refusal}, status=422)
    messages.error(request, refusal)
    return redirect(_way_back(request))


def _act(
    request: SignedInRequest, pk: int, service: Callable[..., Any], **asked: object
) -> HttpResponse:
    """Ask the service, then show how the appointment now stands, refused or not."""
    mine = answered_for(request.user)
    if not mine.filter(pk=pk).exists():
        return _not_mine(request)
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
    appointments = touched(request.user, practitioner)
    context = {
        "card": cards_of([appointment], request.user, refusals={appointment.pk: refusal})[0],
        "counts": counts_of(appointments),
        "review": review_of(appointments, request.user),
        "is_live": True,
    }
    status = 409 if refusal else 200
    return render(request, "appointments/doctors/_answer.html", context, status=status)


def _on_card(request: SignedInRequest, *names: str) -> dict[str, Any]:
    """Return what stood on the card; what cannot be read is left out: no tap is lost to it."""
    form = CardForm(request.POST)
    form.is_valid()
    return {name: form.cleaned_data[name] for name in names if name in form.cleaned_data}


def _way_back(request: SignedInRequest, pk: int | None = None) -> str:
    asked = request.POST.get("next", "")
    at_card = f"#appointment-{pk}" if pk else ""
    if url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure()):
        return f"{asked}{at_card}"
    return f"{reverse('doctor_day')}{at_card}"


def _day(request: SignedInRequest, days: list[DoctorDay]) -> dt.date | None:
    """Return the day asked for, if there is anything on it; a bad one shows all days."""
    form = DayForm(request.GET)
    asked = form.cleaned_data["day"] if form.is_valid() else None
    return next((one.day for one in days if one.day == asked), None)


def _chosen(practitioners: list[Practitioner], code: str) -> Practitioner | None:
    """Return the practitioner asked for, else the first; someone else's is not found."""
    if not code:
        return next(iter(practitioners), None)
    for practitioner in practitioners:
        if practitioner.code == code:
            return practitioner
    raise Http404
