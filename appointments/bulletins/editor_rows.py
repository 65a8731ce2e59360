"""The parts of the editor that order something: rows of the grid, and refinements below it."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from appointments.bulletins.cells import EVERY, Row, RowSettings, may_stand_in_cell
from appointments.bulletins.day_list import DayListField
from appointments.bulletins.playbooks import MOST_CLAUSES
from appointments.bulletins.queries import Places
from appointments.decisions.clause_drafts import ClauseDraft
from appointments.models import Clause, KeptBy, ProtectedGroup, Ruling, Service, Tell
from staff.inputs import MomentInput

SETTINGS = ("tell", "channel", "kept_by", "keep_until")
_CHANNELS = list(Clause._meta.get_field("channel").choices or ())
_SELECTORS = ("services", "sites", "units", "days", "groups")


class SettingsForm(forms.Form):
    """Who is told over what, and who may keep until when."""

    tell = forms.ChoiceField(label=_("Prévenir"), choices=Tell.choices, initial=Tell.CANCELLED)
    channel = forms.ChoiceField(label=_("Par"), choices=_CHANNELS)
    kept_by = forms.ChoiceField(label=_("Peut garder"), choices=KeptBy.choices)
    keep_until = forms.DateTimeField(
        label=_("Garder jusqu'à"), required=False, widget=MomentInput()
    )

    def settings(self) -> dict[str, Any]:
        """Return what was chosen, by the names of a clause."""
        return {name: self.cleaned_data[name] for name in SETTINGS}


class RowForm(SettingsForm):
    """One service: a ruling for all sites, and one per site."""

    def __init__(
        self,
        service: str,
        places: Places,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, Any],
        day: dt.date | None = None,
    ) -> None:
        name = f"row-{service or 'every'}" if day is None else f"day-{day}-{service or 'every'}"
        super().__init__(data, prefix=name, initial=dict(initial))
        self.service = service
        self.day = day
        self.label = Service(service).label if service else _("Toutes les activités")
        self.columns = {EVERY: "cell-every"} | {
            site.code: f"cell-{site.code}" for site in places.sites
        }
        names: dict[str, Any] = {EVERY: _("Tous les sites"), **places.names.sites}
        for site, field in self.columns.items():
            self.fields[field] = self._cell(names[site])

    def _cell(self, site: str) -> forms.ChoiceField:
        choices = [
            (code, label) for code, label in Ruling.choices if may_stand_in_cell(self.service, code)
        ]
        words = [self.label, site, *([day_in_full(self.day)] if self.day else [])]
        attrs = {
            "class": "form-select",
            "aria-label": ", ".join(map(str, words)),
            "data-cell": True,
        }
        return forms.ChoiceField(
            label=site,
            required=False,
            choices=[("", _("–")), *choices],
            widget=forms.Select(attrs=attrs),
        )

    @property
    def cells(self) -> list[forms.BoundField]:
        """The fields of the row's cells, all sites first."""
        return [self[name] for name in self.columns.values()]

    def row(self) -> Row:
        """Return the row as it was filled in."""
        answers = {site: self.cleaned_data[name] for site, name in self.columns.items()}
        rulings = {site: ruling for site, ruling in answers.items() if ruling}
        return Row(self.service, RowSettings(**self.settings()), rulings)


class RefinementForm(SettingsForm):
    """A clause that a cell cannot say: for some units, days or protected patients."""

    ruling = forms.ChoiceField(label=_("Décision"), choices=Ruling.choices)
    services = forms.MultipleChoiceField(
        label=_("Activités"),
        required=False,
        choices=Service.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    sites = forms.MultipleChoiceField(
        label=_("Sites"), required=False, widget=forms.CheckboxSelectMultiple
    )
    units = forms.MultipleChoiceField(
        label=_("Unités"), required=False, widget=forms.SelectMultiple(attrs={"size": 6})
    )
    groups = forms.MultipleChoiceField(
        label=_("Groupes protégés"),
        required=False,
        choices=ProtectedGroup.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    days = DayListField(label=_("Jours"), required=False)

    field_order = ("ruling", *SETTINGS, *_SELECTORS)

    def __init__(self, *args: Any, places: Places, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["sites"].choices = [  # type: ignore[attr-defined]
            (site.code, site.name) for site in places.sites
        ]
        by_site: dict[str, list[tuple[str, str]]] = {}
        for unit in places.units:
            by_site.setdefault(unit.site.name, []).append((unit.code, unit.name))
        self.fields["units"].choices = list(by_site.items())  # type: ignore[attr-defined]

    def clause(self) -> ClauseDraft:
        """Return the refinement as a clause."""
        chosen: dict[str, Any] = {name: tuple(self.cleaned_data[name]) for name in _SELECTORS}
        return ClauseDraft(ruling=self.cleaned_data["ruling"], **self.settings(), **chosen)


RefinementFormSet = forms.formset_factory(
    RefinementForm, extra=0, max_num=MOST_CLAUSES, absolute_max=MOST_CLAUSES
)


def day_in_full(day: dt.date) -> str:
    """Return ``samedi 21/05/2022``."""
    return date_format(day, "l d/m/Y")
