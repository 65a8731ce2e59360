"""The editor of a bulletin: its head, the grid of services and sites, the refinements below.

A plain form that works without JavaScript. ``BulletinEditor`` holds the parts together; the
translation between grid and clauses is ``appointments/bulletin_grid.py``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.bulletin_grid import (
    EVERY,
    ROWS,
    Grid,
    Row,
    RowSettings,
    may_stand_in_cell,
    settings_to_start,
    to_clauses,
    to_grid,
)
from appointments.forms.bulletins import DayInput, MomentInput, bare_helper
from appointments.forms.day_list import DayListField
from appointments.models import Bulletin, Clause, KeptBy, ProtectedGroup, Ruling, Service, Tell
from appointments.playbooks import MOST_CLAUSES
from appointments.queries.bulletins import Places
from appointments.services.clause_drafts import ClauseDraft
from notifications.quiet_hours import QuietHours

_CHANNELS = list(Clause._meta.get_field("channel").choices or ())
_SETTINGS = ("tell", "channel", "kept_by", "keep_until")
_SELECTORS = ("services", "sites", "units", "days", "groups")


class HeadForm(forms.ModelForm):
    """Title, window, release time, and whether SMS leave in quiet hours too."""

    send_at_night = forms.BooleanField(required=False)
    helper = bare_helper()
    helper.layout = Layout(
        *("title", "first_day", "last_day", "release_at"),
        Fieldset(_("Heures calmes"), "send_at_night", "quiet_hours_override_reason"),
        "source_text",
    )

    class Meta:
        model = Bulletin
        fields = [
            *("title", "first_day", "last_day", "release_at"),
            *("quiet_hours_override_reason", "source_text"),
        ]
        labels = {"quiet_hours_override_reason": _("Motif, si la case est cochée")}
        help_texts = {"quiet_hours_override_reason": _("Il reste lisible dans l'historique.")}
        widgets = {
            "first_day": DayInput(),
            "last_day": DayInput(),
            "release_at": MomentInput(),
            "quiet_hours_override_reason": forms.Textarea(attrs={"rows": 2}),
            "source_text": forms.Textarea(attrs={"rows": 4}),
        }

    def __init__(self, data: QueryDict | None = None, *, initial: Mapping[str, Any]) -> None:
        reason = initial.get("quiet_hours_override_reason")
        super().__init__(data, initial={"send_at_night": bool(reason)} | dict(initial))
        self.fields["send_at_night"].label = _at_night_label()

    def clean(self) -> dict[str, Any]:
        """Refuse a window that ends before it starts, and a night without its reason."""
        cleaned = super().clean() or self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("Le dernier jour précède le premier."))
        reason = cleaned.get("quiet_hours_override_reason")
        if cleaned["send_at_night"] and reason == "":
            self.add_error(
                "quiet_hours_override_reason",
                _("Indiquez pourquoi les SMS partent aussi pendant les heures calmes."),
            )
        if reason and not cleaned["send_at_night"]:
            self.add_error("send_at_night", _("Cochez cette case, ou effacez le motif."))
        return cleaned

    def order(self) -> dict[str, Any]:
        """Return what was filled in, by the keywords of ``bulletins.draft``."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


def _at_night_label() -> str:
    hours = QuietHours.parse(settings.SMS_QUIET_HOURS)
    if hours.hours is None:
        return gettext("Envoyer aussi pendant les heures calmes (aucune n'est réglée)")
    return gettext("Envoyer aussi pendant les heures calmes (%(hours)s)") % {"hours": hours}


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
        return {name: self.cleaned_data[name] for name in _SETTINGS}


class RowForm(SettingsForm):
    """One service: a ruling for all sites, and one per site."""

    def __init__(
        self,
        service: str,
        places: Places,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data, prefix=f"row-{service or 'every'}", initial=dict(initial))
        self.service = service
        self.label = Service(service).label if service else _("Toutes les activités")
        self.columns = {EVERY: "cell-every"} | {
            site.code: f"cell-{site.code}" for site in places.sites
        }
        names: dict[str, Any] = {EVERY: _("Tous les sites"), **places.names.sites}
        choices = [
            (code, label) for code, label in Ruling.choices if may_stand_in_cell(service, code)
        ]
        for site, name in self.columns.items():
            self.fields[name] = forms.ChoiceField(
                label=names[site],
                required=False,
                choices=[("", _("–")), *choices],
                widget=forms.Select(
                    attrs={
                        "class": "form-select",
                        "aria-label": f"{self.label}, {names[site]}",
                        "data-cell": True,
                    }
                ),
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

    field_order = ("ruling", *_SETTINGS, *_SELECTORS)

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


@dataclass
class Content:
    """What the editor shows before anybody types: initial values of its parts."""

    head: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    refinements: Sequence[Mapping[str, Any]] = ()


def content_of(bulletin: Bulletin, clauses: tuple[ClauseDraft, ...], places: Places) -> Content:
    """Return a stored draft as the editor's content."""
    grid = to_grid(clauses, [site.code for site in places.sites])
    return Content(
        head={name: getattr(bulletin, name) for name in HeadForm.Meta.fields},
        rows={row.service: _initial_row(row) for row in grid.rows},
        refinements=[vars(clause) for clause in grid.refinements],
    )


def _initial_row(row: Row) -> dict[str, Any]:
    cells = {f"cell-{site or 'every'}": ruling for site, ruling in row.rulings.items()}
    return vars(row.settings) | cells


class BulletinEditor:
    """The whole form, bound to ``data`` or showing ``content``."""

    def __init__(
        self, places: Places, *, data: QueryDict | None = None, content: Content | None = None
    ) -> None:
        content = content or Content()
        self.places = places
        self.head = HeadForm(data, initial=content.head)
        self.rows = [
            RowForm(
                service,
                places,
                data,
                initial=content.rows.get(service) or vars(settings_to_start(service)),
            )
            for service in ROWS
        ]
        self.refinements = RefinementFormSet(
            data,
            prefix="refinement",
            initial=content.refinements,
            form_kwargs={"places": places},
        )

    def is_valid(self) -> bool:
        """Whether every part is; all of them are looked at, so that all faults show at once."""
        parts: list[Any] = [self.head, *self.rows, self.refinements]
        return all([part.is_valid() for part in parts])  # noqa: C419

    @cached_property
    def order(self) -> dict[str, Any]:
        """What was filled in, by the keywords of ``bulletins.draft``."""
        grid = Grid(
            rows=tuple(row.row() for row in self.rows),
            refinements=tuple(form.clause() for form in self.refinements),
        )
        return self.head.order() | {"clauses": to_clauses(grid)}

    def reshaped(self, *, add: bool = False, remove: int | None = None) -> "BulletinEditor":
        """Return the editor as it was typed so far, with one refinement more or less."""
        refinements = [_typed(form) for form in self.refinements]
        if remove is not None and 0 <= remove < len(refinements):
            del refinements[remove]
        if add and len(refinements) < MOST_CLAUSES:
            refinements.append({})
        rows = {row.service: _typed(row) for row in self.rows}
        return BulletinEditor(self.places, content=Content(_typed(self.head), rows, refinements))


def _typed(form: forms.BaseForm) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields}
