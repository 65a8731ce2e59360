"""What wards and reception fill in: a tick, a search, a sheet of paper."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.models import Attendance, Attended
from appointments.services.attending import Seen
from staff import clock

# As people write hours on paper.
_HOURS = ("%H:%M", "%H:%M:%S", "%Hh%M", "%H.%M", "%Hh", "%H %M")
# On the sheet a tick may stand without it.
_HAS_AN_HOUR = (Attended.ARRIVED, Attended.DONE, Attended.LEFT)


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


class PaperRowForm(forms.Form):
    """One row of a sheet: what is ticked, the hour beside it, the remark."""

    what = forms.ChoiceField(
        label=_("Ce qui s'est passé"),
        choices=[("", _("rien de noté")), *Attended.choices[:-1]],
        required=False,
    )
    time = forms.TimeField(
        label=_("Heure"),
        required=False,
        input_formats=_HOURS,
        error_messages={"invalid": _("Cette heure n'existe pas : écrivez-la comme 09:10.")},
    )
    remark = forms.CharField(
        label=_("Remarque"),
        required=False,
        max_length=Attendance._meta.get_field("remark").max_length,
    )
    version = forms.IntegerField(min_value=0)

    def clean(self) -> dict[str, Any]:
        """Ask for what is missing beside what was filled in."""
        values = super().clean() or {}
        what, time = values.get("what"), values.get("time")
        if not what and "what" not in self.errors and (time or values.get("remark")):
            self.add_error("what", gettext("Cochez ce qui s'est passé, à côté de l'heure."))
        return values

    @property
    def is_filled(self) -> bool:
        """Whether somebody wrote anything into the row."""
        return any(self.data.get(self.add_prefix(name)) for name in ("what", "time", "remark"))

    def seen(self, appointment_id: int, day: dt.date) -> Seen:
        """Return the row as the service takes it; it speaks of the sheet's day."""
        values = self.cleaned_data
        time = values["time"]
        return Seen(
            appointment_id=appointment_id,
            what=values["what"],
            expected_version=values["version"],
            happened_at=time and dt.datetime.combine(day, time, tzinfo=clock.BRUSSELS),
            remark=values["remark"],
            day=day,
            hour_is_known=time is not None or values["what"] not in _HAS_AN_HOUR,
        )


def paper_rows(data: QueryDict | None, appointment_ids: Iterable[int]) -> dict[int, PaperRowForm]:
    """Return a form for each row of a sheet, bound where somebody wrote something."""
    rows = {pk: PaperRowForm(data, prefix=f"r{pk}") for pk in appointment_ids}
    return {
        pk: row if row.is_filled else PaperRowForm(prefix=row.prefix) for pk, row in rows.items()
    }
