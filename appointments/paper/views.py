"""The rosters of a day: see, issue, print, download."""

import datetime as dt
from dataclasses import replace

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from appointments.models import Roster, RosterState
from appointments.paper import services as service
from appointments.paper.content import RosterContent, file_stem
from appointments.paper.queries import (
    latest_rosters,
    opening_day,
    printable_units,
    roster_contents,
    roster_day,
)
from appointments.paper.words import for_browser
from staff.access import Capability, requires, scope_of
from staff.requests import SignedInRequest
from staff.services import audit


class DayForm(forms.Form):
    """Which day to look at; without one the page chooses."""

    day = forms.DateField(
        label=gettext_lazy("Jour"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class IssueForm(forms.Form):
    """Whose sheet to issue: one unit's, or that of every unit in the scope."""

    day = forms.DateField()
    unit = forms.IntegerField(required=False, min_value=1)


@require_GET
@requires(Capability.PRINT_ROSTERS)
def roster_list(request: SignedInRequest) -> HttpResponse:
    """The units of the scope on a day, by site, with their sheets."""
    asked = DayForm(request.GET)
    asked.is_valid()
    day = asked.cleaned_data.get("day") or opening_day(request.user)
    form = asked if asked.errors else DayForm(initial={"day": day})
    context = {
        "form": form,
        "rosters": roster_day(request.user, day),
        "previous_day": day - dt.timedelta(days=1),
        "next_day": day + dt.timedelta(days=1),
    }
    return render(request, "appointments/paper/list.html", context)


@require_GET
@requires(Capability.PRINT_ROSTERS)
def roster_progress(request: SignedInRequest, day: dt.date) -> HttpResponse:
    """The part of the list that moves while sheets are drawn (htmx)."""
    context = {"rosters": roster_day(request.user, day)}
    return render(request, "appointments/paper/_day.html", context)


@require_POST
@requires(Capability.PRINT_ROSTERS)
def roster_issue(request: SignedInRequest) -> HttpResponse:
    """Give one unit, or every unit of the day in the scope, its sheet."""
    form = IssueForm(request.POST)
    if not form.is_valid():
        return redirect("rosters")
    day, unit_id = form.cleaned_data["day"], form.cleaned_data["unit"]
    if unit_id:
        unit_ids = [get_object_or_404(printable_units(request.user), pk=unit_id).pk]
    else:
        unit_ids = [line.content.unit_id for line in roster_day(request.user, day).units]
    rosters = service.issue_many(unit_ids=unit_ids, day=day, by=request.user)
    if not any(roster.state == RosterState.WAITING for roster in rosters):
        messages.info(request, _("Rien n'a changé : les feuilles imprimées restent valables."))
    return redirect(f"{reverse('rosters')}?day={day:%Y-%m-%d}")


@require_GET
@requires(Capability.PRINT_ROSTERS)
def roster_print(request: SignedInRequest, unit_id: int, day: dt.date) -> HttpResponse:
    """The sheet as it stands now, for the browser to print."""
    unit = get_object_or_404(printable_units(request.user), pk=unit_id)
    content = _numbered(roster_contents(unit_ids=[unit.pk], day=day)[unit.pk])
    audit.record(
        action="roster.printed",
        by=request.user,
        subject=unit,
        day=day,
        version=content.version,
        rows=len(content.rows),
    )
    scope = scope_of(request.user, Capability.RECORD_ARRIVALS)
    records = scope.covers(site_id=unit.site_id, unit_id=unit.pk)
    return HttpResponse(for_browser(content, records_arrivals=records))


@require_GET
@requires(Capability.PRINT_ROSTERS)
def roster_file(request: SignedInRequest, pk: int) -> HttpResponse | FileResponse:
    """The PDF of one version."""
    mine = Roster.objects.filter(unit__in=printable_units(request.user))
    ready = mine.filter(state=RosterState.READY).select_related("unit__site")
    roster = get_object_or_404(ready, pk=pk)
    audit.record(
        action="roster.printed",
        by=request.user,
        subject=roster,
        unit=roster.unit.code,
        day=roster.day,
        version=roster.version,
    )
    name = file_stem(roster.unit.site.code, roster.unit.code, roster.day, roster.version)
    return FileResponse(
        roster.file.open("rb"), filename=f"{name}.pdf", content_type="application/pdf"
    )


def _numbered(content: RosterContent) -> RosterContent:
    """Put the latest version on a page that still says the same; else say what it replaces.

    Who was told since does not take the number away: only what holds does.
    """
    latest = latest_rosters([content.unit_id], content.day).get(content.unit_id)
    if latest is None:
        return content
    if latest.plan_digest == content.plan_digest:
        return content.numbered(latest.version)
    return replace(content, replaces=latest.version)
