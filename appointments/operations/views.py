"""Operations: opinions side by side, and the Medical Director's ruling."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from appointments.models import Appointment, Opinion, OpinionRole, Outcome, View
from appointments.operations import services
from appointments.operations.queries import (
    BY_DAY,
    OPENED_BY,
    ORDER,
    NewDay,
    OperatingDay,
    Theatre,
    awaiting_ruling,
    days_refused,
    first_day,
    mark_of,
    new_day_of,
    operating_days,
    operations_for,
    opinion_roles,
    postponed_here,
    theatres_of,
    with_opinions,
)
from staff import clock
from staff.access import Capability, requires
from staff.errors import AccessRefused, Refusal
from staff.paging import page_by_key
from staff.requests import SignedInRequest
from staff.services import audit

C = Capability
PAGE_SIZE = 20


class OpinionForm(forms.Form):
    """A colleague's view; ``roles`` are those as which the person may speak."""

    view = forms.ChoiceField(label=gettext_lazy("Votre avis"), choices=View.choices)
    comment = forms.CharField(
        label=gettext_lazy("Commentaire (facultatif)"),
        max_length=Opinion._meta.get_field("comment").max_length,
        required=False,
    )

    def __init__(self, *args: Any, roles: list[OpinionRole], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(
            label=gettext_lazy("En tant que"), choices=[(role.value, role.label) for role in roles]
        )


class RulingForm(forms.Form):
    """The Medical Director's ruling, by one of three buttons; the third needs its day.

    ``seen``: the version of the decision shown; ``heard``: the last opinion. ``may_reverse``: the
    person was asked about changing a ruling. ``day_off_read``: the weekend or holiday about which
    they were warned; with another day they are warned anew.
    """

    POSTPONED = "postponed"

    seen = forms.IntegerField(required=False)
    heard = forms.IntegerField(required=False)
    outcome = forms.ChoiceField(
        choices=[
            (Outcome.MAINTAINED, gettext_lazy("maintenir")),
            (Outcome.CANCELLED, gettext_lazy("annuler")),
            (POSTPONED, gettext_lazy("reporter")),
        ],
        error_messages={
            "required": gettext_lazy("Décidez : maintenue, annulée ou reportée."),
            "invalid_choice": gettext_lazy("Décidez : maintenue, annulée ou reportée."),
        },
    )
    postponed_to = forms.DateField(
        required=False, error_messages={"invalid": gettext_lazy("Ce jour ne peut pas être lu.")}
    )
    reason = forms.CharField(
        label=gettext_lazy("Motif (facultatif)"), max_length=300, required=False
    )
    may_reverse = forms.BooleanField(required=False)
    day_off_read = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        """Return the arguments of ``services.rule``: to postpone is to cancel with a new day."""
        cleaned = super().clean() or self.cleaned_data
        day_off_read = cleaned.pop("day_off_read", "")
        cleaned["may_be_day_off"] = day_off_read == str(cleaned.get("postponed_to"))
        if cleaned.get("outcome") != self.POSTPONED:
            return cleaned | {"postponed_to": None}
        if not cleaned.get("postponed_to") and "postponed_to" not in self.errors:
            self.add_error("postponed_to", _("Indiquez le jour auquel l'opération est reportée."))
        return cleaned | {"outcome": Outcome.CANCELLED}

    @property
    def fault(self) -> str:
        """The first thing that is wrong, in a sentence."""
        return next((str(why) for whys in self.errors.values() for why in whys), "")


def operations_awaiting(request: SignedInRequest) -> HttpResponse:
    """List what nobody ruled on, by day and theatre; the caller has asked for the right."""
    seen = operations_for(request.user)
    page = page_by_key(
        awaiting_ruling(seen), keys=BY_DAY, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    days = operating_days(seen)
    context = {
        "days": days,
        **counts_of_all_days(seen, days),
        "page": page,
        "operations": with_opinions(page.items, request.user),
        "roles": opinion_roles(request.user),
    }
    answer = render(request, "appointments/operations/awaiting.html", context)
    audit.record(action="operations.viewed", by=request.user, show="awaiting")
    return answer


def counts_of_all_days(seen: QuerySet[Appointment], days: Iterable[OperatingDay]) -> dict[str, int]:
    """Return what the page counts (one query).

    Args:
        seen: the operations of the reader.
        days: all that have any.
    """
    return {"awaiting": sum(day.awaiting for day in days), "days_refused": days_refused(seen)}


@require_safe
@requires(*OPENED_BY)
def operations(request: SignedInRequest) -> HttpResponse:
    """List the operations of one day, what waits for a ruling first; or what waits, of all days."""
    if request.GET.get("show") == "awaiting":
        return operations_awaiting(request)
    seen = operations_for(request.user)
    days = operating_days(seen)
    day = _day(request.GET.get("day", "")) or first_day(days)
    theatres = theatres_of(seen, day)
    theatre = _chosen_theatre(theatres, request.GET)
    todays = seen.filter(day=day, unit=theatre.unit_id) if theatre else seen.filter(day=day)
    page = page_by_key(todays, keys=ORDER, cursor=request.GET.get("cursor", ""), size=PAGE_SIZE)
    context = {
        "days": days,
        "day": day,
        "chosen": next((d for d in days if d.day == day), None),
        "theatres": theatres,
        "theatre": theatre,
        "mark": mark_of(seen, day, request.user),
        "page": page,
        "operations": with_opinions(page.items, request.user),
        "roles": opinion_roles(request.user),
        "postponed_here": postponed_here(request.user, day),
    }
    answer = render(request, "appointments/operations/page.html", context)
    audit.record(action="operations.viewed", by=request.user, day=day)
    return answer


@require_safe
@requires(*OPENED_BY)
def operation_news(request: SignedInRequest) -> HttpResponse:
    """Say whether others spoke or ruled since the page was opened; it asks a few times a minute."""
    day = _day(request.GET.get("day", "")) or clock.today()
    mark = mark_of(operations_for(request.user), day, request.user)
    seen = request.GET.get("seen", "")
    context = {"day": day, "mark": seen, "has_news": mark != seen, "unit": request.GET.get("unit")}
    return render(request, "appointments/operations/_news.html", context)


@require_POST
@requires(C.GIVE_OPINION)
def give_opinion(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note what a surgeon, an anaesthetist or a nurse thinks."""
    found = _operation(request, pk)
    form = OpinionForm(request.POST, roles=opinion_roles(request.user))
    if not form.is_valid():
        refusal = _("Choisissez votre rôle, puis votre avis.")
        return _answer(request, found, refusal)
    return _ask(request, found, services.give_opinion, **form.cleaned_data)


@require_POST
@requires(C.RULE_ON_OPERATIONS)
def rule_operation(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rule on an operation."""
    found = _operation(request, pk)
    form = RulingForm(request.POST)
    if not form.is_valid():
        return _answer(request, found, form.fault)
    return _ask(request, found, services.rule, **form.cleaned_data)


@require_safe
@requires(C.RULE_ON_OPERATIONS)
def operation_new_day(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say what the theatre has on the day to which an operation may be postponed."""
    new_day = _new_day(_operation(request, pk), request.GET.get("postponed_to", ""))
    return render(request, "appointments/operations/_new_day.html", {"new_day": new_day})


@require_POST
@requires(C.RULE_ON_OPERATIONS)
def undo_ruling(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take a ruling back: the operation waits for one again, or takes place as planned."""
    found = _operation(request, pk)
    seen = request.POST.get("seen", "")
    return _ask(request, found, services.undo, seen=int(seen) if seen.isdecimal() else None)


def _new_day(found: Appointment, text: str) -> NewDay | None:
    """Return what the theatre has on a day that is being typed; nothing while it cannot be read."""
    try:
        return new_day_of(found, dt.date.fromisoformat(text))
    except ValueError:
        return None


def _operation(request: SignedInRequest, pk: int) -> Appointment:
    return get_object_or_404(operations_for(request.user), pk=pk)


def _ask(
    request: SignedInRequest, found: Appointment, service: Callable[..., Any], **asked: object
) -> HttpResponse:
    try:
        service(appointment_id=found.pk, by=request.user, **asked)
    except AccessRefused:
        raise
    except Refusal as why:
        return _answer(request, found, str(why))
    return _answer(request, found)


def _answer(request: SignedInRequest, found: Appointment, refusal: str = "") -> HttpResponse:
    """Show how the operation now stands: alone for htmx, on its page otherwise."""
    if not request.htmx:
        if refusal:
            messages.error(request, refusal)
        address = reverse("operations", query={"day": found.day.isoformat()})
        return redirect(f"{address}#operation-{found.pk}")
    now = with_opinions([_operation(request, found.pk)], request.user, refusal=refusal)[0]
    seen = operations_for(request.user)
    days = operating_days(seen)
    open_page = QueryDict(urlsplit(request.htmx.current_url or "").query)
    context = {
        "operation": now,
        "roles": opinion_roles(request.user),
        "days": days,
        "is_live": True,
        "typed": request.POST if refusal else {},  # what was refused stays typed
        "new_day": _new_day(found, request.POST.get("postponed_to", "")) if refusal else None,
    }
    if open_page.get("show") == "awaiting":
        context |= {"is_of_all_days": True, **counts_of_all_days(seen, days)}
    else:
        theatres = theatres_of(seen, found.day)
        context |= {
            "day": found.day,
            "chosen": next((d for d in days if d.day == found.day), None),
            "theatres": theatres,
            "theatre": _chosen_theatre(theatres, open_page),
        }
    status = 409 if refusal else 200
    return render(request, "appointments/operations/_answer.html", context, status=status)


def _chosen_theatre(theatres: Sequence[Theatre], asked: QueryDict) -> Theatre | None:
    """Return the theatre that an address asks for, if it has anything that day."""
    return next((one for one in theatres if str(one.unit_id) == asked.get("unit")), None)


def _day(text: str) -> dt.date | None:
    """Return the day of the address; a made-up one is not found."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise Http404 from None
