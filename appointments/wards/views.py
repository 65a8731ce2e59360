"""Wards and reception: the unit's day, arrivals ticked, a sheet of paper written back.

A tick answers htmx with the card alone, and a browser without JavaScript with the page again.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appointments.models import Appointment, Attendance, Attended
from appointments.paper.content import WardDay
from appointments.paper.queries import next_roster_day
from appointments.paper.words import card_of, cards_of
from appointments.wards import services as attending
from appointments.wards.queries import (
    appointments_for,
    found_units,
    unit_days,
    units_for,
    ward_days,
)
from appointments.wards.services import AttendanceMark
from patients import search_text
from staff import clock
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.models import Unit, User
from staff.requests import SignedInRequest
from staff.services import audit

# As people write hours on paper, and as they type them in a hurry: 9h05, 9:05, 9.05, 905, 9h, 9.
_HOUR = re.compile(
    r"(?P<hour>\d{1,2})(?:\s*[h:.,\s]\s*(?P<minute>\d{2})?|(?P<digits>\d{2}))?", re.I
)
# The columns of the sheet in which a tick may have an hour beside it.
_WITH_HOUR = (Attended.ARRIVED, Attended.DONE)
C = Capability
_TRY_AGAIN = _("Rechargez la page et recommencez.")


class FindForm(forms.Form):
    """The patient to look for, and the day; without one the page chooses."""

    q = forms.CharField(
        label=_("Chercher un patient"),
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_("Nom et prénom, date de naissance, téléphone ou numéro de dossier."),
    )
    day = forms.DateField(
        label=_("Jour"),
        required=False,
        validators=[
            MinValueValidator(dt.date(1900, 1, 2)),
            MaxValueValidator(dt.date(2199, 12, 30)),
        ],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class TickForm(forms.Form):
    """One tap: what was seen, the day of the page, and the version of what stood on it."""

    what = forms.ChoiceField(choices=Attended.choices)
    version = forms.IntegerField(min_value=0)
    day = forms.DateField(required=False)  # a page that says none shows the planned one


class HourField(forms.CharField):
    """An hour in words of paper, given back as a time; what makes none stays as it was typed."""

    default_error_messages = {"invalid": _("Cette heure n'existe pas : écrivez-la comme 9h05.")}

    def to_python(self, value: object) -> Any:
        """Return the time; empty stays None."""
        typed = super().to_python(value)
        if not typed:
            return None
        found = _HOUR.fullmatch(typed)
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return dt.time(int(found["hour"]), int(found["minute"] or found["digits"] or 0))
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class PaperRowForm(forms.Form):
    """One row of a sheet, column by column; an hour says as much as the tick beside it."""

    arrived = forms.BooleanField(label=_("Arrivé"), required=False)
    arrived_at = HourField(label=_("Arrivé à"), required=False)
    done = forms.BooleanField(label=_("Fait"), required=False)
    done_at = HourField(label=_("Fait à"), required=False)
    absent = forms.BooleanField(label=_("Pas venu"), required=False)
    left = forms.BooleanField(label=_("Parti, non vu"), required=False)
    remark = forms.CharField(
        label=_("À noter"),
        required=False,
        max_length=Attendance._meta.get_field("remark").max_length,
    )
    version = forms.IntegerField(min_value=0)

    def clean(self) -> dict[str, Any]:
        """Ask for what is missing beside what was filled in."""
        values = super().clean() or {}
        if values.get("remark") and not self.errors and not self._marks(values):
            self.add_error("remark", gettext("Cochez aussi ce qui s'est passé."))
        return values

    @property
    def is_filled(self) -> bool:
        """Whether somebody wrote anything into the row."""
        return any(
            self.data.get(self.add_prefix(name)) for name in self.fields if name != "version"
        )

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What is at fault, each with its column; none for what is wrong with the whole row."""
        return [
            (str(self.fields[name].label or "") if name in self.fields else "", str(fault))
            for name, faults in self.errors.items()
            for fault in faults
        ]

    def seen(self, appointment_id: int, day: dt.date) -> list[AttendanceMark]:
        """Return what the row says as the service takes it, in the order in which it happened."""
        values = self.cleaned_data
        marks = self._marks(values)
        return [
            AttendanceMark(
                appointment_id=appointment_id,
                what=what,
                expected_version=values["version"],
                happened_at=(
                    None if time is None else dt.datetime.combine(day, time, tzinfo=clock.BRUSSELS)
                ),
                remark=values["remark"] if number == len(marks) else "",
                day=day,
                # An absence has no hour; every other tick without one leaves it open.
                hour_is_known=time is not None or what == Attended.ABSENT,
            )
            for number, (what, time) in enumerate(marks, start=1)
        ]

    def _marks(self, values: Mapping[str, Any]) -> list[tuple[Attended, dt.time | None]]:
        """Return what is marked, with the hour where there is one."""
        marks = [(what, values.get(f"{what}_at")) for what in _WITH_HOUR]
        ticked = [(what, time) for what, time in marks if values.get(what) or time]
        others = (Attended.ABSENT, Attended.LEFT)
        return ticked + [(what, None) for what in others if values.get(what)]


def paper_rows(data: QueryDict | None, appointment_ids: Iterable[int]) -> dict[int, PaperRowForm]:
    """Return a form for each row of a sheet, bound where somebody wrote something."""
    rows = {pk: PaperRowForm(data, prefix=f"r{pk}") for pk in appointment_ids}
    return {
        pk: row if row.is_filled else PaperRowForm(prefix=row.prefix) for pk, row in rows.items()
    }


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
        **_days(content.day),
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
