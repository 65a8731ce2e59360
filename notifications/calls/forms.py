"""The forms of the call list."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.calls.services import MOST_ON_PAPER, CallResult
from notifications.models import NoticeItem
from patients.phones import Phone
from staff import clock

_LONG_NUMBER = 19  # digits that may be more than a database counts
_NO_RESULT = gettext_lazy(
    "Rien n'est noté : dites ce que l'appel a donné avec l'un des boutons ci-dessous."
)


class CallForm(forms.Form):
    """The result of a call; the buttons give ``result``.

    Args:
        numbers: of the patient, the one to call first.
        new_days: the items of the notices that give another day.
        data: what was sent.
    """

    number = forms.ChoiceField(
        label=gettext_lazy("Numéro que vous avez composé"),
        required=False,
    )
    result = forms.ChoiceField(
        choices=[(result.value, result.name) for result in CallResult],
        error_messages=dict.fromkeys(("required", "invalid_choice"), _NO_RESULT),
    )
    call_at = forms.DateTimeField(
        label=gettext_lazy("Rappeler le"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy(
            "Seulement si le patient demande à être rappelé ; sinon dans une demi-heure."
        ),
    )
    happened_at = forms.DateTimeField(
        label=gettext_lazy("Heure de l'appel, comme notée sur la feuille"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Vide : maintenant."),
    )
    remark = forms.CharField(
        label=gettext_lazy("Remarque pour les collègues"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Par exemple qui a répondu. Rien de médical."),
    )

    def __init__(
        self,
        numbers: Sequence[Phone],
        new_days: Sequence[NoticeItem] = (),
        data: QueryDict | None = None,
    ) -> None:
        super().__init__(data)
        # One appointment that several sources plan is asked about once.
        alike: dict[tuple[Any, ...], list[NoticeItem]] = {}
        for item in new_days:
            said = (item.notice_id, item.starts_at, item.site_id, item.postponed_to)
            alike.setdefault(said, []).append(item)
        self._new_days = {f"day_{items[0].pk}": items for items in alike.values()}
        for name, (item, *_others) in self._new_days.items():
            day = date_format(item.postponed_to, "l j F") if item.postponed_to else ""
            self.fields[name] = forms.ChoiceField(
                label=_("Le %(day)s convient-il au patient ?") % {"day": day},
                choices=[("yes", _("oui")), ("no", _("non"))],
                widget=forms.RadioSelect,
                required=False,
                help_text=_("Non : l'opération revient chez le Directeur médical."),
            )
        if len(numbers) > 1:
            self.fields["number"].choices = [  # type: ignore[attr-defined]
                (one.number, one.shown) for one in numbers
            ]
        else:
            del self.fields["number"]

    @property
    def said(self) -> list[int]:
        """The calls whose sentences the page showed; the service checks whose they are."""
        sent = self.data.getlist("said") if isinstance(self.data, QueryDict) else []
        return [int(one) for one in sent if one.isdecimal() and len(one) < _LONG_NUMBER]

    @property
    def asked_days(self) -> list[forms.BoundField]:
        """The questions about the days given instead."""
        return [self[name] for name in self._new_days]

    def clean(self) -> dict[str, Any]:
        """Require an answer to each new day if the patient was reached."""
        given = super().clean() or self.cleaned_data
        if given.get("result") == CallResult.REACHED:
            for name in self._new_days:
                if not given.get(name):
                    self.add_error(name, _("Demandez-le au patient, et notez oui ou non."))
        return given

    def clean_call_at(self) -> dt.datetime | None:
        """Refuse a moment in the past."""
        moment: dt.datetime | None = self.cleaned_data["call_at"]
        if moment and moment <= clock.now():
            raise forms.ValidationError(_("Cette heure est passée : choisissez-en une à venir."))
        return moment

    def as_logged(self) -> dict[str, Any]:
        """Return the arguments of ``calls.log``."""
        given = dict(self.cleaned_data)
        answers = {name: given.pop(name) for name in self._new_days}
        new_days = {
            item.pk: answer == "yes"
            for name, answer in answers.items()
            for item in self._new_days[name]
            if answer
        }
        return given | {"at": given.pop("happened_at"), "new_days": new_days, "said": self.said}


class FoundNumberForm(forms.Form):
    """A number that somebody found for a patient."""

    found_number = forms.CharField(
        label=gettext_lazy("Numéro trouvé"),
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    found_at = forms.CharField(
        label=gettext_lazy("À qui il est, ou où vous l'avez trouvé"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Par exemple « fille » ou « médecin traitant »."),
    )

    def as_found(self) -> dict[str, Any]:
        """Return the arguments of ``calls.found_number``."""
        given = self.cleaned_data
        return {"text": given["found_number"], "label": given["found_at"]}


class PaperForm(forms.Form):
    """How many patients somebody takes on paper."""

    number = forms.IntegerField(
        label=gettext_lazy("Nombre de patients"), min_value=1, max_value=MOST_ON_PAPER, initial=20
    )
