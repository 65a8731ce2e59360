"""Reads of the trail and of delegations."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import django_filters as filters
from django import forms
from django.apps import apps
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from staff import clock, trail_words
from staff.access import GRANTS, Capability, scope_of
from staff.lookups import InJson, Unindexed
from staff.models import AuditEvent, AuditHead, Delegation, User

# Sorting so many events is fast. More are found quickly from the newest back.
FEW_EVENTS = 2000
_Events = QuerySet[AuditEvent]


def trail_for(user: User) -> QuerySet[AuditEvent]:
    """Return the events that a user may read: all or none, since an event has no place."""
    if not scope_of(user, Capability.SEE_TRAIL).everywhere:
        return AuditEvent.objects.none()
    return AuditEvent.objects.all()


def trail_head() -> AuditHead:
    """Return the end of the chain; an unsaved one before the first event."""
    return AuditHead.objects.first() or AuditHead()


def events_with(events: QuerySet[AuditEvent], **wanted: Any) -> QuerySet[AuditEvent]:
    """Narrow to events with one property, however rare or frequent it is (one query).

    Rare events are found by the index of the property. Frequent ones come up when reading from
    the newest event back, and an index would only give more rows to sort. Without statistics
    SQLite cannot tell the two apart.

    Args:
        events: the events to narrow.
        **wanted: a lookup on one column.
    """
    ((lookup, value),) = wanted.items()
    found = AuditEvent.objects.filter(**wanted).order_by().values_list("pk")
    if len(found[: FEW_EVENTS + 1]) <= FEW_EVENTS:
        return events.filter(**wanted)
    column, _separator, how = lookup.partition("__")
    met = {"prefix": "startswith"}.get(how, "exact")
    return events.alias(met=Unindexed(F(column))).filter(**{f"met__{met}": value})


@dataclass(frozen=True)
class Traces:
    """Where the trail names a person.

    Attributes:
        kind: the kind of object that belongs to the person.
        numbers: the numbers of these objects.
        listed: the facts that may list such numbers, as JSON paths, for example ``notices``.
    """

    kind: str
    numbers: Sequence[int]
    listed: Sequence[str] = ()


# Given what was typed: the patients' numbers, and their traces. None when too many are meant.
FindPatients = Callable[[str], tuple[Sequence[int], Sequence[Traces]] | None]
_find_patients: list[FindPatients] = []


def find_patients_with(find: FindPatients) -> None:
    """Register the patient search of the app that knows patients."""
    _find_patients[:] = [find]


def events_about(events: QuerySet[AuditEvent], traces: Sequence[Traces]) -> QuerySet[AuditEvent]:
    """Narrow to events with one of the traces as their subject, or in one of their lists."""
    met = [
        one
        for trace in traces
        if trace.numbers
        for one in (
            Q(object_type=trace.kind, object_id__in=[str(pk) for pk in trace.numbers]),
            *(Q(InJson(F("detail"), path, trace.numbers)) for path in trace.listed),
        )
    ]
    return events.filter(reduce(or_, met)) if met else events.none()


def may_be_delegates(user: User) -> QuerySet[User]:
    """Return the possible delegates: doctors, nurses and secretaries except the practitioner."""
    roles = [role for role, granted in GRANTS.items() if Capability.KEEP_AS_DELEGATE in granted]
    colleagues = User.objects.filter(is_active=True, role_assignments__role__in=roles)
    return colleagues.exclude(pk=user.pk).distinct().order_by("last_name", "first_name", "username")


def delegations_of(user: User) -> QuerySet[Delegation]:
    """Return the current delegations of the user."""
    standing = Delegation.objects.filter(practitioner__user=user, revoked_at=None)
    return standing.select_related("delegate").order_by("given_at", "id")


class TrailFilter(filters.FilterSet):
    """Who did what to which object: ``?actor=crise1&action=appointment&object_id=12``."""

    actor = filters.ModelChoiceFilter(
        label=_("Qui"),
        method="by_actor",
        queryset=User.objects.order_by("last_name", "first_name", "username"),
        to_field_name="username",
        empty_label=_("Tous, et le système"),
    )
    patient = filters.CharFilter(
        label=_("Patient"),
        method="by_patient",
        help_text=_("Nom, date de naissance ou numéro de dossier."),
    )
    action = filters.CharFilter(
        label=_("Action"),
        method="by_action",
        help_text=_("Choisissez dans la liste ; le début suffit, par exemple « bulletin »."),
        widget=forms.TextInput(attrs={"list": "trail-actions", "autocomplete": "off"}),
    )
    object_type = filters.ChoiceFilter(
        label=_("Objet"),
        method="by_type",
        choices=trail_words.kinds,
        empty_label=_("Tous les objets"),
    )
    object_id = filters.CharFilter(label=_("Numéro d'objet"), method="by_number")
    day = filters.DateFilter(
        label=_("Jour"),
        method="by_day",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    class Meta:
        model = AuditEvent
        fields: list[str] = []

    # The patients found by a search: the trail also records each search.
    patients: Sequence[int] = ()
    means_too_many = False

    def by_patient(self, events: _Events, name: str, value: str) -> _Events:
        """Narrow to a patient: their file, appointments, messages, and lists."""
        found = _find_patients[0](value) if _find_patients else ((), ())
        if found is None:
            self.means_too_many = True
            return events.none()
        self.patients, traces = found
        return events_about(events, traces)

    def by_actor(self, events: _Events, name: str, value: User) -> _Events:
        """Narrow to the events of one actor."""
        return events_with(events, actor_id=value.pk)

    def by_action(self, events: _Events, name: str, value: str) -> _Events:
        """Narrow to actions with this prefix."""
        return events_with(events, action__prefix=value)

    def by_type(self, events: _Events, name: str, value: str) -> _Events:
        """Narrow to a kind of object; with its number, one index covers both."""
        if self.form.cleaned_data.get("object_id"):
            return events.filter(object_type=value)
        return events_with(events, object_type=value)

    def by_number(self, events: _Events, name: str, value: str) -> _Events:
        """Narrow to a number of any kind of object; the index needs each kind listed."""
        if not self.form.cleaned_data.get("object_type"):
            kinds = sorted({model._meta.model_name or "" for model in apps.get_models()})
            events = events.filter(object_type__in=kinds)
        return events.filter(object_id=value)

    def by_day(self, events: _Events, name: str, value: dt.date) -> _Events:
        """Narrow to a local day, by bounds on the indexed moment."""
        begins, ends = (clock.midnight(value + dt.timedelta(days=days)) for days in (0, 1))
        return events.filter(at__gte=begins, at__lt=ends)
