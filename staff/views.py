"""The pages of the trail and of a practitioner's delegates."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from staff import clock, csv_cells, trail_words
from staff.access import Capability, requires
from staff.errors import Refusal
from staff.models import AuditEvent, User
from staff.paging import page_by_key
from staff.queries import TrailFilter, delegations_of, may_be_delegates, trail_for, trail_head
from staff.requests import SignedInRequest
from staff.services import audit, delegations

MOST_FAULTS = 50  # on the page; `manage.py verify` counts the others too


class _Colleague(forms.ModelChoiceField):  # type: ignore[type-arg]  # no generic at run time
    def label_from_instance(self, obj: User) -> str:
        """Return the name with the sign-in: two doctors may share a name."""
        return f"{obj} ({obj.username})"


class DelegateForm(forms.Form):
    """The delegate of a practitioner: one of the people who may keep patients."""

    delegate = _Colleague(
        label=gettext_lazy("Qui peut garder vos patients en votre nom"),
        queryset=User.objects.none(),
        empty_label=gettext_lazy("Choisissez"),
        error_messages={
            "required": gettext_lazy("Choisissez d'abord un collègue."),
            "invalid_choice": gettext_lazy(
                "Choisissez quelqu'un dont le rôle permet de garder des patients."
            ),
        },
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delegate"].queryset = may_be_delegates(by)  # type: ignore[attr-defined]


@require_safe
@requires(Capability.SEE_TRAIL)
def trail(request: SignedInRequest) -> HttpResponse:
    """List the events of the trail, the newest first."""
    return _trail_page(request)


@require_POST
@requires(Capability.SEE_TRAIL)
def trail_verify(request: SignedInRequest) -> HttpResponse:
    """Check the whole trail, and show whether it is unchanged."""
    if not trail_for(request.user).exists():
        return _trail_page(request)
    faults = list(islice(audit.faults(), MOST_FAULTS + 1))
    audit.record(action="trail.verified", by=request.user, faults=len(faults))
    shown = {
        "faults": faults[:MOST_FAULTS],
        "is_more": len(faults) > MOST_FAULTS,
        "is_anchored": bool(settings.TRAIL_ANCHOR_FILES),
    }
    return _trail_page(request, verified=shown)


@require_safe
@requires(Capability.SEE_TRAIL)
def trail_export(request: SignedInRequest) -> HttpResponse | StreamingHttpResponse:
    """Return the filtered events as a CSV file, the oldest first."""
    chosen, events = _chosen(request)
    if not chosen.is_valid():
        return _trail_page(request)
    audit.record(action="trail.exported", by=request.user, filters=chosen.data.dict())
    rows = events.order_by("sequence").iterator(chunk_size=2000)
    return StreamingHttpResponse(
        _csv_of(rows),
        content_type=csv_cells.CONTENT_TYPE,
        headers={"Content-Disposition": 'attachment; filename="journal.csv"'},
    )


def _trail_page(
    request: SignedInRequest, *, verified: Mapping[str, Any] | None = None
) -> HttpResponse:
    chosen, events = _chosen(request)
    page = page_by_key(events, keys=["-sequence"], cursor=request.GET.get("cursor", ""))
    if chosen.patients:
        audit.record(action="trail.searched", by=request.user, patients=list(chosen.patients))
    context = {
        "filter": chosen,
        "page": page,
        "head": trail_head(),
        "verified": verified,
        "actions": trail_words.actions(),
    }
    return render(request, "staff/trail.html", context)


def _chosen(request: SignedInRequest) -> tuple[TrailFilter, QuerySet[AuditEvent]]:
    """Return the filters with the events that they select; no events for an invalid filter."""
    chosen = TrailFilter(request.GET, queryset=trail_for(request.user))
    return chosen, chosen.qs if chosen.is_valid() else chosen.queryset.none()


def _csv_of(events: Iterable[AuditEvent]) -> Iterator[str]:
    heads = [_("N°"), _("Quand"), _("Qui"), _("Ce qui s'est passé"), _("Action"), _("Objet")]
    yield csv_cells.MARK + csv_cells.line(
        [*heads, _("Numéro d'objet"), _("Détail"), _("Empreinte")]
    )
    for event in events:
        yield csv_cells.line(
            [
                event.sequence,
                event.at.astimezone(clock.BRUSSELS).isoformat(timespec="seconds"),
                event.actor_name,
                trail_words.sentence_of(event),
                event.action,
                trail_words.kind_of(event.object_type),
                event.object_id,
                "; ".join(f"{name}: {value}" for name, value in trail_words.facts_of(event)),
                event.hash,
            ]
        )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Capability.KEEP)
def delegates(request: SignedInRequest) -> HttpResponse:
    """List the own delegates, and add one."""
    practitioner = getattr(request.user, "practitioner", None)
    form = DelegateForm(request.POST if request.method == "POST" else None, by=request.user)
    if request.method == "POST" and practitioner and form.is_valid():
        delegate = form.cleaned_data["delegate"]
        delegations.name(practitioner_id=practitioner.pk, delegate_id=delegate.pk, by=request.user)
        words = {"delegate": delegate}
        messages.success(
            request, _("%(delegate)s peut maintenant garder vos patients en votre nom.") % words
        )
        return redirect("delegates")
    context = {
        "practitioner": practitioner,
        "delegations": delegations_of(request.user),
        "form": form,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "staff/delegates.html", context, status=status)


@require_POST
@requires(Capability.KEEP)
def delegate_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    """Revoke a delegation."""
    try:
        revoked = delegations.revoke(delegation_id=pk, by=request.user)
    except Refusal as why:
        messages.error(request, str(why))
    else:
        words = {"delegate": revoked.delegate}
        messages.success(request, _("%(delegate)s ne garde plus de patients en votre nom.") % words)
    return redirect("delegates")
