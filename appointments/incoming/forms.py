"""What an agent types and taps while somebody is on the line."""

from django import forms
from django.utils.translation import gettext_lazy

from notifications.models import Answer

_REMARK = gettext_lazy("Par exemple qui a appelé. Rien de médical.")


class SearchForm(forms.Form):
    """One box for whatever the caller can say of themselves."""

    q = forms.CharField(
        label=gettext_lazy("Nom, date de naissance, numéro ou référence du SMS"),
        required=False,
        max_length=80,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "autocomplete": "off",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
        help_text=gettext_lazy(
            "Par exemple Dupont Anne, 01/02/1960, 0495 12 34 56, 60.02.01-123.45 ou 223K-7QF."
        ),
    )


class AnswerForm(forms.Form):
    """That the sentence of a day was read out; ``seen`` says which one the agent saw."""

    day = forms.DateField(required=False, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=16, widget=forms.HiddenInput)
    q = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)
    remark = forms.CharField(
        label=gettext_lazy("Remarque pour les collègues"),
        required=False,
        max_length=200,
        help_text=_REMARK,
    )


class UnansweredForm(forms.Form):
    """That somebody rang whom nobody could answer."""

    answer = forms.ChoiceField(
        choices=[(one.value, one.label) for one in (Answer.NOT_OURS, Answer.NOT_FOUND)]
    )
    q = forms.CharField(max_length=80, widget=forms.HiddenInput)
    remark = forms.CharField(
        label=gettext_lazy("Remarque pour les collègues"),
        required=False,
        max_length=120,
        help_text=_REMARK,
    )
