"""The editor of a bulletin: its head, the grid of the whole window, days apart, refinements.

A plain form that works without JavaScript. ``BulletinEditor`` holds the parts together; the
translation between grid and clauses is ``grid.py``. The buttons that add or remove a refinement or
a day apart are plain submits that save nothing: the page comes back as it was typed, changed by
that.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.bulletins.grid import (
    EVERY,
    MOST_LAYERS,
    ROWS,
    Grid,
    GridRow,
    Layer,
    RowSettings,
    may_stand_in_cell,
    settings_to_start,
    to_clauses,
    to_grid,
)
from appointments.bulletins.playbooks import MOST_CLAUSES
from appointments.bulletins.queries import Places
from appointments.models import Bulletin, Clause, KeptBy, ProtectedGroup, Ruling, Service, Tell
from appointments.rules import ClauseTerms
from notifications.rules import QuietHours
from staff import clock
from staff.inputs import DayInput, MomentInput, bare_helper

_FORMS = ("%d/%m/%Y", "%Y-%m-%d")
SETTINGS = ("tell", "channel", "kept_by", "keep_until")
_CHANNELS = list(Clause._meta.get_field("channel").choices or ())
SELECTORS = ("services", "sites", "units", "days", "groups")
LONGEST_WINDOW = dt.timedelta(days=92)
"""Of longer windows no day is offered and nothing is counted while typing; the preview counts."""
Rows = Mapping[str, Mapping[str, Any]]
"""By service, the initial values of its row."""
BUTTONS = ("add", "remove", "refine", "add_day", "remove_day")


class HeadForm(forms.ModelForm):  # type: ignore[type-arg]  # no generic at run time
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
        help_texts = {
            "release_at": _(
                "Jusque-là les SMS sont retenus et les médecins gardent leurs patients ; une heure "
                "déjà passée à l'approbation ne retient rien."
            ),
            "quiet_hours_override_reason": _("Il reste lisible dans l'historique."),
        }
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


class DayListField(forms.CharField):
    """``16/05/2022, 18/05/2022`` as a tuple of dates, sorted, each once."""

    default_error_messages = {
        "invalid_day": _("« %(found)s » n'est pas une date ; écrivez 16/05/2022, 18/05/2022.")
    }

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("Par exemple : 16/05/2022, 18/05/2022"))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        """Write dates out again."""
        if isinstance(value, list | tuple):
            return ", ".join(f"{day:%d/%m/%Y}" for day in value)
        return value

    def to_python(self, value: Any) -> Any:
        """Return the dates.

        Raises:
            ValidationError: a word is no date.
        """
        words = re.split(r"[\s,;]+", super().to_python(value) or "")
        return tuple(sorted({self._day(word) for word in words if word}))

    def _day(self, word: str) -> dt.date:
        for form in _FORMS:
            try:
                return dt.datetime.strptime(word, form).date()  # noqa: DTZ007 (a local date)
            except ValueError:
                continue
        raise forms.ValidationError(
            self.error_messages["invalid_day"], code="invalid_day", params={"found": word[:20]}
        )


class SettingsForm(forms.Form):
    """Which patients are told over which channel, and who may keep them until when."""

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
        for site, name in self.columns.items():
            self.fields[name] = self._cell(names[site])

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

    def row(self) -> GridRow:
        """Return the row as it was filled in."""
        answers = {site: self.cleaned_data[name] for site, name in self.columns.items()}
        rulings = {site: ruling for site, ruling in answers.items() if ruling}
        return GridRow(self.service, RowSettings(**self.settings()), rulings)


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

    field_order = ("ruling", *SETTINGS, *SELECTORS)

    def __init__(self, *args: Any, places: Places, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["sites"].choices = [  # type: ignore[attr-defined]
            (site.code, site.name) for site in places.sites
        ]
        by_site: dict[str, list[tuple[str, str]]] = {}
        for unit in places.units:
            by_site.setdefault(unit.site.name, []).append((unit.code, unit.name))
        self.fields["units"].choices = list(by_site.items())  # type: ignore[attr-defined]

    def clause(self) -> ClauseTerms:
        """Return the refinement as a clause."""
        chosen: dict[str, Any] = {name: tuple(self.cleaned_data[name]) for name in SELECTORS}
        return ClauseTerms(ruling=self.cleaned_data["ruling"], **self.settings(), **chosen)


RefinementFormSet = forms.formset_factory(
    RefinementForm, extra=0, max_num=MOST_CLAUSES, absolute_max=MOST_CLAUSES
)


def day_in_full(day: dt.date) -> str:
    """Return ``samedi 21/05/2022``."""
    return date_format(day, "l d/m/Y")


@dataclass
class Content:
    """What the editor shows before anybody types: initial values of its parts.

    Attributes:
        head: of the head.
        rows: of the whole window.
        refinements: of each refinement.
        layers: the rows of each day apart.
        shown: the day apart that is on the screen; None for the whole window.
        focus: what the keyboard stands on: ``layer``, ``new-day``, ``add`` or
            ``refinement-`` and its index.
        day_fault: why a day could not be set apart.
    """

    head: Mapping[str, Any] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    refinements: Sequence[Mapping[str, Any]] = ()
    layers: Mapping[dt.date, Rows] = field(default_factory=dict)
    shown: dt.date | None = None
    focus: str = ""
    day_fault: str = ""


def content_of(bulletin: Bulletin, clauses: tuple[ClauseTerms, ...], places: Places) -> Content:
    """Return a stored draft as the editor's content."""
    grid = to_grid(clauses, [site.code for site in places.sites])
    return Content(
        head={name: getattr(bulletin, name) for name in HeadForm.Meta.fields},
        rows=_initial(grid.rows),
        refinements=[vars(clause) for clause in grid.refinements],
        layers={layer.day: _initial(layer.rows) for layer in grid.layers},
    )


def _initial(rows: Sequence[GridRow]) -> Rows:
    return {
        row.service: vars(row.settings)
        | {f"cell-{site or 'every'}": ruling for site, ruling in row.rulings.items()}
        for row in rows
    }


@dataclass
class LayerForm:
    """One day apart; ``fault`` says what is wrong with the day itself."""

    day: dt.date
    rows: list[RowForm]
    fault: str = ""

    @property
    def title(self) -> str:
        """The day, as the screen says it."""
        return capfirst(day_in_full(self.day))

    def is_valid(self, window: tuple[dt.date, dt.date] | None) -> bool:
        """Whether its rows are, and the day lies in the window as far as that is known."""
        if window and not window[0] <= self.day <= window[1]:
            self.fault = gettext(
                "Ce jour est hors de la période du bulletin : enlevez-le, ou changez la période."
            )
        return all([row.is_valid() for row in self.rows]) and not self.fault  # noqa: C419


class BulletinEditor:
    """The whole form, bound to ``data`` or showing ``content``."""

    def __init__(
        self, places: Places, *, data: QueryDict | None = None, content: Content | None = None
    ) -> None:
        content = content or Content()
        self.places = places
        self.data = data
        self.focus, self.day_fault = content.focus, content.day_fault
        self.head = HeadForm(data, initial=content.head)
        self.rows = self._rows(content.rows)
        days = sorted(
            content.layers if data is None else {*filter(None, map(_day, data.getlist("layer")))}
        )
        self.layers = [
            LayerForm(day, self._rows(content.layers.get(day, {}), day))
            for day in days[:MOST_LAYERS]
        ]
        shown = content.shown if data is None else _day(data.get("shown", ""))
        self.shown = shown if shown in days[:MOST_LAYERS] else None
        self.refinements = RefinementFormSet(
            data,
            prefix="refinement",
            initial=content.refinements,
            form_kwargs={"places": places},
        )

    def _rows(self, content: Rows, day: dt.date | None = None) -> list[RowForm]:
        return [
            RowForm(
                service,
                self.places,
                self.data,
                initial=content.get(service) or vars(settings_to_start(service)),
                day=day,
            )
            for service in ROWS
        ]

    @cached_property
    def window(self) -> tuple[dt.date, dt.date] | None:
        """The first and the last day as far as they can be read; None if they cannot."""
        first, last = (read(self.head, name) for name in ("first_day", "last_day"))
        if not first or not last or not dt.timedelta() <= last - first < LONGEST_WINDOW:
            return None
        return first, last

    @property
    def offered(self) -> str:
        """The first and last offered day as text, to detect a change."""
        return " ".join(map(str, self.window or ()))

    @property
    def days_to_offer(self) -> list[tuple[str, str]]:
        """The days of the window that may still be set apart, each with its name."""
        if self.window is None or self.is_full:
            return []
        days = clock.days_between(*self.window)
        taken = {layer.day for layer in self.layers}
        return [(day.isoformat(), day_in_full(day)) for day in days if day not in taken]

    @property
    def is_full(self) -> bool:
        """Whether no further day may be set apart."""
        return len(self.layers) >= MOST_LAYERS

    def is_valid(self) -> bool:
        """Whether every part is; all of them are looked at, so that all faults show at once.

        A fault on a day that was not on the screen brings that day up.
        """
        parts: list[Any] = [self.head, *self.rows, self.refinements]
        valid = [part.is_valid() for part in parts]
        wrong = [layer.day for layer in self.layers if not layer.is_valid(self.window)]
        if wrong and self.shown not in wrong:
            self.shown = wrong[0]
        return all(valid) and not wrong

    @cached_property
    def order(self) -> dict[str, Any]:
        """What was filled in, by the keywords of ``bulletins.draft``."""
        grid = Grid(
            rows=tuple(row.row() for row in self.rows),
            refinements=tuple(form.clause() for form in self.refinements),
            layers=tuple(
                Layer(layer.day, tuple(row.row() for row in layer.rows)) for layer in self.layers
            ),
        )
        return self.head.order() | {"clauses": to_clauses(grid)}

    @property
    def idle_days(self) -> list[str]:
        """The days apart without a filled cell: they give no clause, so they are not kept."""
        return [
            day_in_full(layer.day)
            for layer in self.layers
            if not any(row.row().rulings for row in layer.rows)
        ]

    def typed(self) -> Content:
        """Return what was typed so far, finished or not."""
        return Content(
            head=_typed(self.head),
            rows={row.service: _typed(row) for row in self.rows},
            refinements=[_typed(form) for form in self.refinements],
            layers={
                layer.day: {row.service: _typed(row) for row in layer.rows} for layer in self.layers
            },
            shown=self.shown,
        )


def read(form: forms.BaseForm, name: str) -> Any:
    """Return the value of one field, also of a form that is only shown; None if it is wrong."""
    try:
        return form.fields[name].clean(form[name].value())
    except forms.ValidationError:
        return None


def _typed(form: forms.BaseForm) -> dict[str, Any]:
    return {name: form[name].value() for name in form.fields}


def _day(word: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(word)
    except ValueError:
        return None


def is_reshaping(pressed: QueryDict) -> bool:
    """Whether one of these buttons was pressed, and not the one that saves."""
    return any(name in pressed for name in BUTTONS)


def reshaped(editor: BulletinEditor, pressed: QueryDict) -> BulletinEditor:
    """Return the editor as it was typed so far, with what the pressed button changes."""
    content = editor.typed()
    if "add" in pressed:
        _add_refinement(content, {})
    elif "remove" in pressed:
        gone = pressed.get("remove", "")
        content.refinements = [
            one for place, one in enumerate(content.refinements) if str(place) != gone
        ]
        content.focus = "add"
    elif "refine" in pressed:
        _refine(content, editor, pressed.get("refine", ""))
    elif "add_day" in pressed:
        _add_day(content, editor, pressed.get("new_day", ""))
    else:
        gone = pressed.get("remove_day", "")
        content.layers = {
            day: rows for day, rows in content.layers.items() if day.isoformat() != gone
        }
        content.shown, content.focus = None, "layer"
    return BulletinEditor(editor.places, content=content)


def _add_refinement(content: Content, initial: Mapping[str, Any]) -> None:
    if len(content.refinements) < MOST_CLAUSES:
        content.focus = f"refinement-{len(content.refinements)}"
        content.refinements = [*content.refinements, initial]


def _refine(content: Content, editor: BulletinEditor, name: str) -> None:
    """Add a refinement that says what a cell does: its unit or its group is left to choose."""
    for row in [*editor.rows, *(row for layer in editor.layers for row in layer.rows)]:
        for site, column in row.columns.items():
            if row[column].html_name == name:
                says = {
                    "ruling": row[column].value() or Ruling.MAINTAIN,
                    "services": [row.service] if row.service != EVERY else [],
                    "sites": [site] if site != EVERY else [],
                    "days": [row.day] if row.day else [],
                }
                _add_refinement(content, {one: row[one].value() for one in SETTINGS} | says)


def _add_day(content: Content, editor: BulletinEditor, word: str) -> None:
    """Set a day apart; its rows start with the settings of the whole window's."""
    offered = [day for day, _name in editor.days_to_offer]
    if word not in offered:
        content.day_fault, content.focus = _why_not(editor), "new-day"
        return
    day = dt.date.fromisoformat(word)
    rows = {
        service: {name: typed[name] for name in SETTINGS} for service, typed in content.rows.items()
    }
    content.layers = {**content.layers, day: rows}
    content.shown, content.focus = day, "layer"


def _why_not(editor: BulletinEditor) -> str:
    if editor.is_full:
        return ""  # the page says so itself
    if editor.window is None:
        return gettext(
            "Indiquez d'abord le premier et le dernier jour du bulletin, trois mois au plus."
        )
    first, last = map(day_in_full, editor.window)
    return gettext("Choisissez un jour de la période, du %(first)s au %(last)s.") % {
        "first": first,
        "last": last,
    }
