"""The forms around a schedule file: give it, say what it is, and set what its source is."""

import datetime as dt
from typing import Any, cast

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.feeds.completeness import Declared
from appointments.feeds.files.limits import LARGEST_FILE
from appointments.feeds.importing.loads import DEFAULT_SOURCE, FileTerms, check_source_name
from appointments.feeds.importing.queries import units_to_choose
from appointments.models import AgeRule, Extent, ScheduleImport
from staff.errors import Refusal
from staff.inputs import DayInput, MomentInput, bare_helper
from staff.models import Unit


class ImportForm(forms.Form):
    """A file and where it comes from."""

    file = forms.FileField(
        label=_("Fichier CSV ou XLSX"),
        max_length=200,
        allow_empty_file=True,  # the service says better what to do about one
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        help_text=_("Jusqu'à %(limit)s Mo.") % {"limit": LARGEST_FILE // 1024 // 1024},
    )
    source = forms.CharField(
        label=_("Source"),
        max_length=40,
        initial=DEFAULT_SOURCE,
        widget=forms.TextInput(attrs={"list": "known-sources", "autocomplete": "off"}),
        help_text=_(
            "Le programme d'où vient l'export, toujours le même nom : un autre nom ferait de "
            "chaque rendez-vous un second."
        ),
    )
    # Milliseconds since 1970, filled by the browser (imports.js); without it nothing is missing.
    file_date = forms.CharField(required=False, widget=forms.HiddenInput())

    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True

    def clean_source(self) -> str:
        """Return a usable name."""
        name: str = self.cleaned_data["source"]
        try:
            check_source_name(name)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return name

    def clean_file_date(self) -> dt.datetime | None:
        """Return when the file was written; what a browser sends wrongly is unknown."""
        try:
            milliseconds = int(self.cleaned_data["file_date"])
            return dt.datetime.fromtimestamp(milliseconds / 1000, tz=dt.UTC)
        except (ValueError, OverflowError, OSError):
            return None


class UnitsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # no generic at run time
    """Units to tick, each with its site; those that the file names are marked."""

    named: frozenset[int] = frozenset()

    def label_from_instance(self, obj: Unit) -> str:
        """Return what stands beside the box."""
        place = f"{obj.site} – {obj.name}"
        if obj.pk not in self.named:
            return place
        return _("%(place)s (dans le fichier)") % {"place": place}


class CheckedForm(forms.Form):
    """What a checked file is: when it was exported, and what it is complete for."""

    exported_at = forms.DateTimeField(
        label=_("Export fait par la source le"),
        required=False,
        widget=MomentInput(),
        help_text=_(
            "Pas le moment du chargement. Laissez vide si personne ne le sait : les données "
            "passent alors pour anciennes, et les déplacements attendent une décision."
        ),
    )
    complete_for = forms.ChoiceField(
        label=_("Ce fichier est complet pour"),
        choices=Extent.choices,
        help_text=_("Là seulement, ce qui n'y figure plus est signalé comme disparu."),
    )
    units = UnitsField(
        label=_("Unités dont ce fichier dit tout"),
        queryset=Unit.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text=_(
            "Avec « les unités cochées » seulement. Une unité cochée où le fichier ne nomme plus "
            "personne est vide pour la source."
        ),
    )
    first_day = forms.DateField(label=_("Complet du"), required=False, widget=DayInput())
    last_day = forms.DateField(
        label=_("Complet jusqu'au"),
        required=False,
        widget=DayInput(),
        help_text=_("Vides : les jours du fichier, une date isolée mise à part."),
    )

    helper = bare_helper()

    def __init__(self, *args: Any, load: ScheduleImport, **options: Any) -> None:
        super().__init__(*args, **options)
        self._load = load
        for name in self.fields:
            if name != "units":
                self.initial.setdefault(name, getattr(load, name))
        units = cast("UnitsField", self.fields["units"])
        units.named = frozenset(load.units_named)
        units.queryset = units_to_choose(load)
        self.initial.setdefault("units", load.complete_units)

    def clean_exported_at(self) -> dt.datetime | None:
        """Return the moment; the field knows no seconds, so an untouched one keeps its own."""
        moment, held = self.cleaned_data["exported_at"], self._load.exported_at
        is_untouched = moment and held and moment == held.replace(second=0, microsecond=0)
        return held if is_untouched else moment

    def clean(self) -> dict[str, Any]:
        """Refuse days the wrong way round."""
        cleaned = super().clean() or {}
        first_day, last_day = cleaned.get("first_day"), cleaned.get("last_day")
        if first_day and last_day and first_day > last_day:
            self.add_error("last_day", _("Le dernier jour précède le premier."))
        is_chosen = cleaned.get("complete_for") == Extent.CHOSEN
        if is_chosen and "units" in cleaned and not cleaned["units"]:
            self.add_error("units", _("Cochez au moins une unité."))
        elif cleaned.get("units") and not is_chosen and "complete_for" in cleaned:
            self.add_error(
                "complete_for",
                _("Des unités sont cochées : choisissez « les unités cochées », ou décochez-les."),
            )
        return cleaned

    @property
    def said(self) -> FileTerms:
        """What the person says, for the service."""
        values = self.cleaned_data
        extent = Extent(values["complete_for"])
        days = (values["first_day"], values["last_day"])
        units = frozenset(unit.pk for unit in values["units"])
        return FileTerms(
            values["exported_at"],
            Declared(extent) if extent is Extent.NOTHING else Declared(extent, *days, units),
        )


class SourceForm(forms.Form):
    """What holds for every file of a source when nobody says otherwise."""

    age_rule = forms.ChoiceField(
        label=_("Quand personne ne dit de quand date un export, prendre"),
        choices=AgeRule.choices,
        widget=forms.RadioSelect(),
    )
    complete_for = forms.ChoiceField(
        label=_("Les fichiers de cette source sont complets pour"),
        choices=[
            ("", _("à dire à chaque chargement")),
            *(choice for choice in Extent.choices if choice[0] != Extent.CHOSEN),
        ],
        required=False,
        widget=forms.RadioSelect(),
    )

    helper = bare_helper()
