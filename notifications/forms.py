"""What people type on the pages of the outbox and the call list."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.models import Delivery, DeliveryState
from notifications.references import notice_id_of
from notifications.services.calls import CallResult
from staff import clock
from staff.models import Site


class OutboxFilter(forms.Form):
    """Narrows the outbox; every field may be empty."""

    state = forms.ChoiceField(
        label=gettext_lazy("État"),
        choices=[("", gettext_lazy("tous")), *DeliveryState.choices],
        required=False,
    )
    site = forms.ModelChoiceField(
        Site.objects.all(),
        label=gettext_lazy("Site"),
        required=False,
        empty_label=gettext_lazy("tous"),
    )
    reference = forms.CharField(
        label=gettext_lazy("Référence"), required=False, max_length=20, strip=True
    )

    def clean_reference(self) -> str:
        """Refuse a reference that is not ours."""
        reference: str = self.cleaned_data["reference"]
        if reference and notice_id_of(reference) is None:
            raise forms.ValidationError(
                _("Aucun message de nous ne porte cette référence : vérifiez chaque caractère.")
            )
        return reference

    def narrow(self, messages: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Return the messages that fit; none when a field is wrong."""
        if not self.is_valid():
            return messages.none()
        chosen = self.cleaned_data
        if chosen["state"]:
            messages = messages.filter(state=chosen["state"])
        if chosen["site"]:
            messages = messages.filter(notice__site=chosen["site"])
        if chosen["reference"]:
            messages = messages.filter(notice=notice_id_of(chosen["reference"]))
        return messages


class ReferenceForm(forms.Form):
    """The reference that a caller reads out."""

    reference = forms.CharField(
        label=gettext_lazy("Référence lue par le patient"),
        max_length=20,
        help_text=gettext_lazy(
            "Par exemple 223K-7QF. Majuscules, espaces et tiret sont sans importance."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "autofocus": True}
        ),
    )


class CallForm(forms.Form):
    """What came of a call; the buttons give ``result``."""

    result = forms.ChoiceField(choices=[(result.value, result.name) for result in CallResult])
    call_at = forms.DateTimeField(
        label=gettext_lazy("Rappeler le"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy(
            "Seulement si le patient demande à être rappelé ; sinon dans une demi-heure."
        ),
    )
    remark = forms.CharField(
        label=gettext_lazy("Remarque pour les collègues"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Par exemple qui a répondu. Rien de médical."),
    )

    def clean_call_at(self) -> dt.datetime | None:
        """Refuse a moment in the past."""
        moment: dt.datetime | None = self.cleaned_data["call_at"]
        if moment and moment <= clock.now():
            raise forms.ValidationError(_("Cette heure est passée : choisissez-en une à venir."))
        return moment

    def as_logged(self) -> dict[str, Any]:
        """Return the arguments of ``calls.log``."""
        return self.cleaned_data
