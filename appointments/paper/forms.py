"""What the roster pages ask for."""

from django import forms
from django.utils.translation import gettext_lazy as _


class DayForm(forms.Form):
    """Which day to look at; without one the page chooses."""

    day = forms.DateField(
        label=_("Jour"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class IssueForm(forms.Form):
    """Whose sheet to issue: one unit's, or that of every unit in the scope."""

    day = forms.DateField()
    unit = forms.IntegerField(required=False, min_value=1)
