"""What wards and reception fill in: a tick, a search, a sheet of paper."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.models import Attendance, Attended
from appointments.wards.services import AttendanceMark
from staff import clock

# As people write hours on paper, and as they type them in a hurry: 9h05, 9:05, 9.05, 905, 9h, 9.
_HOUR = re.compile(
    r"(?P<hour>\d{1,2})(?:\s*[h:.,\s]\s*(?P<minute>\d{2})?|(?P<digits>\d{2}))?", re.I
)
# The columns of the sheet in which a tick may have an hour beside it.
_WITH_HOUR = (Attended.ARRIVED, Attended.DONE)


class FindForm(forms.Form):
    """Whom to look for, and on which day; without one the page chooses."""

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
                # Who did not come has no hour; every other tick without one leaves it open.
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
