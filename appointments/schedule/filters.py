"""The filters of the list of appointments; the address holds their state."""

import datetime as dt
from typing import Any

import django_filters as filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from appointments.access import (
    before,
    from_today,
    in_units,
    of_patients_that_day,
    on_day,
    ruled_until,
    schedule_for,
    sites_of,
    units_of,
)
from appointments.models import (
    CALLED_OFF,
    Appointment,
    Basis,
    Outcome,
    ProtectedGroup,
    Service,
    Status,
)
from patients import search_text
from patients.queries import Meant, first_meant
from staff import clock
from staff.access import Capability, scope_of
from staff.lookups import Unindexed
from staff.models import Practitioner, Site, Unit, User

NO_OUTCOME = "none"  # in addresses; in the database it is the empty string
PLANNED = "planned"  # in addresses: all that the source did not cancel itself
_Rows = QuerySet[Appointment]
_ALWAYS_SEEN = {"q", "day"}
_REAL_DAYS = [MinValueValidator(dt.date(1900, 1, 1)), MaxValueValidator(dt.date(2199, 12, 31))]


class ScheduleFilter(filters.FilterSet):
    """Filters of the schedule.

    Sites, units and practitioners go by their codes, so that an address can be written by
    hand: ``?day=2022-05-16&site=arlon&service=surgery&outcome=none``. A place outside the
    reader's scope is not a choice, and the form says so instead of showing something else.
    """

    q = filters.CharFilter(
        label=_("Chercher un patient"),
        method="search",
        widget=forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text=_("Nom et prénom, date de naissance, téléphone, numéro national ou de dossier."),
    )
    day = filters.DateFilter(
        label=_("Jour"),
        method="by_day",
        validators=_REAL_DAYS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    site = filters.ModelChoiceFilter(
        label=_("Site"),
        method="by_site",
        to_field_name="code",
        queryset=lambda request: Site.objects.none(),
        empty_label=_("Tous"),
    )
    unit = filters.ModelChoiceFilter(
        label=_("Unité"),
        method="by_unit",
        to_field_name="code",
        queryset=lambda request: Unit.objects.none(),
        empty_label=_("Toutes"),
    )
    service = filters.ChoiceFilter(
        label=_("Activité"), choices=Service.choices, empty_label=_("Toutes")
    )
    outcome = filters.ChoiceFilter(
        label=_("Décision"),
        choices=[*Outcome.choices, (NO_OUTCOME, _("aucune décision"))],
        empty_label=_("Toutes"),
        method="by_outcome",
    )
    basis = filters.ChoiceFilter(
        label=_("Décidé par"),
        choices=Basis.choices,
        method="by_basis",
        empty_label=_("Tous"),
    )
    until = filters.DateFilter(
        label=_("Jusqu'au"),
        method="up_to",
        validators=_REAL_DAYS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    practitioner = filters.ModelChoiceFilter(
        label=_("Praticien"),
        method="by_practitioner",
        to_field_name="code",
        queryset=Practitioner.objects.all(),
        empty_label=_("Tous"),
    )
    status = filters.ChoiceFilter(
        label=_("Statut à la source"),
        choices=[(PLANNED, _("tous sauf annulés à la source")), *Status.choices],
        empty_label=_("Tous"),
        method="by_status",
    )
    group = filters.ChoiceFilter(
        label=_("Groupe protégé"),
        choices=ProtectedGroup.choices,
        field_name="protected_groups",
        lookup_expr="contains",  # no code is part of another
        empty_label=_("Tous"),
    )
    missing = filters.BooleanFilter(
        label=_("Absents de la source"), widget=forms.CheckboxInput, method="only_missing"
    )
    moved = filters.BooleanFilter(
        label=_("Déplacés"), widget=forms.CheckboxInput, method="only_moved"
    )

    class Meta:
        model = Appointment
        fields: list[str] = []

    def __init__(self, data: QueryDict, *, user: User) -> None:
        scope = scope_of(user, Capability.SEE_SCHEDULE)
        super().__init__(data, queryset=schedule_for(user))
        self.filters["site"].queryset = sites_of(scope)
        self.filters["unit"].queryset = units_of(scope)

    @property
    def day_chosen(self) -> dt.date | None:
        """The day the list is narrowed to, if any."""
        return self.form.cleaned_data.get("day") if self.is_valid() else None

    @property
    def search_typed(self) -> search_text.SearchText:
        """How the search box was understood."""
        typed = self.form.cleaned_data.get("q", "") if self.is_valid() else ""
        return search_text.read(typed, today=clock.today())

    @property
    def is_narrow(self) -> bool:
        """Whether a day or a patient bounds the list, so that counting it is cheap."""
        return bool(self.day_chosen or self.search_typed)

    @cached_property
    def meant(self) -> Meant:
        """The first patients that the search means."""
        return first_meant(self.search_typed)

    @property
    def means_many(self) -> bool:
        """Whether the search means more patients than are looked up."""
        return self.is_valid() and self.is_by_patient and self.meant.is_more

    @property
    def folded_away(self) -> int:
        """How many of the filters are in use that a phone hides."""
        return sum(bool(v) for k, v in self.state().items() if k not in _ALWAYS_SEEN)

    def state(self) -> dict[str, str]:
        """Return the filters in use, as they stand in the address."""
        return {name: self.data[name] for name in self.filters if self.data.get(name)}

    def rows(self) -> _Rows:
        """Return what is asked for; upcoming appointments when neither day nor patient is."""
        is_valid = self.is_valid()
        asked: _Rows = self.qs if is_valid else self.queryset.none()
        return asked if not is_valid or self.is_narrow else from_today(asked)

    def search(self, rows: _Rows, name: str, value: str) -> _Rows:
        """Narrow to the patients meant by the search box."""
        search = self.search_typed
        if self.form.cleaned_data.get("day"):
            return of_patients_that_day(rows, search)
        return rows.filter(patient_id__in=self.meant.ids) if search else rows

    def by_day(self, rows: _Rows, name: str, value: dt.date) -> _Rows:
        """Narrow to a local day."""
        return on_day(rows, value)

    def by_site(self, rows: _Rows, name: str, value: Site) -> _Rows:
        """Narrow to the units of a site."""
        return rows & in_units(value.units.all())

    def by_unit(self, rows: _Rows, name: str, value: Unit) -> _Rows:
        """Narrow to a unit; without an index if the patient already bounds the list."""
        if self.is_by_patient:
            return rows & in_units(Unit.objects.filter(pk=value.pk))
        return rows.filter(unit=value, **self._days)

    def by_practitioner(self, rows: _Rows, name: str, value: Practitioner) -> _Rows:
        """Narrow to a practitioner."""
        if self.is_by_patient:
            return rows.alias(who=Unindexed("practitioner_id")).filter(who=value.pk)
        return rows.filter(practitioner=value, **self._days)

    @property
    def is_by_patient(self) -> bool:
        """Whether patients alone bound the list, and no day."""
        return bool(self.search_typed) and not self.form.cleaned_data.get("day")

    @property
    def _days(self) -> dict[str, dt.date]:
        """The days of the list as the indexes of units and practitioners know them."""
        day = self.form.cleaned_data.get("day")
        return {"day": day} if day else {"day__gte": clock.today()}

    def up_to(self, rows: _Rows, name: str, value: dt.date) -> _Rows:
        """Narrow to a local day and those before it."""
        return before(rows, value + dt.timedelta(days=1))

    def by_outcome(self, rows: _Rows, name: str, value: str) -> _Rows:
        """Narrow to an outcome, or to what nobody decided about."""
        if value in (Outcome.CANCELLED, Outcome.UNDER_REVIEW):
            rows = ruled_until(rows)
        return rows.filter(outcome="" if value == NO_OUTCOME else value)

    def by_basis(self, rows: _Rows, name: str, value: str) -> _Rows:
        """Narrow to what a bulletin or a person decided."""
        rows = rows if value == Basis.LAPSE else ruled_until(rows)
        return rows.filter(outcome_basis=value)

    def by_status(self, rows: _Rows, name: str, value: str) -> _Rows:
        """Narrow to a status of the source, or to what the source did not cancel."""
        planned = rows.exclude(status__in=CALLED_OFF)
        return planned if value == PLANNED else rows.filter(status=value)

    def only_missing(self, rows: _Rows, name: str, value: Any) -> _Rows:
        """Narrow to what disappeared from the source."""
        return rows.filter(missing_since__isnull=False) if value else rows

    def only_moved(self, rows: _Rows, name: str, value: Any) -> _Rows:
        """Narrow to what the source moved to another time."""
        return rows.filter(moved_at__isnull=False) if value else rows
