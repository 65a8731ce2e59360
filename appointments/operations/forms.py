"""What people fill in about one patient: a reason, an opinion, a ruling."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.models import Opinion, OpinionRole, Outcome, View


class ReasonForm(forms.Form):
    """Keep or let go; the reason is optional, so that one tap is enough."""

    reason = forms.CharField(label=_("Motif (facultatif)"), max_length=300, required=False)


class SeenForm(forms.Form):
    """Which version of the decision stood on the card that was tapped."""

    seen = forms.IntegerField(required=False)


class ContactedForm(forms.Form):
    """Which notice stood on the card when the patient was called."""

    said = forms.IntegerField(required=False)


class SeenAppointmentsField(forms.Field):
    """Ticked cards, each as ``number-version``; a number alone says nothing of what was seen."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {  # noqa: RUF012  # Django's own way
        "required": _("Cochez d'abord les patients à garder ou à laisser annuler."),
        "invalid": _("Ces cases ne disent plus rien : rechargez la page, puis cochez à nouveau."),
    }

    def to_python(self, value: Any) -> dict[int, int | None]:
        """Return the versions by appointment."""
        seen: dict[int, int | None] = {}
        for text in value or ():
            number, _dash, version = text.partition("-")
            if not (_is_number(number) and (version == "" or _is_number(version))):
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
            seen[int(number)] = int(version) if version else None
        return seen


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


class SeveralForm(ReasonForm):
    """The same choice for all ticked cards."""

    choice = forms.ChoiceField(
        choices=[("keep", _("garder")), ("let_go", _("laisser annuler"))],
        error_messages={"required": _("Choisissez : garder ou laisser annuler.")},
    )
    appointment = SeenAppointmentsField()


class OpinionForm(forms.Form):
    """A colleague's view; ``roles`` are those as which the person may speak."""

    view = forms.ChoiceField(label=_("Votre avis"), choices=View.choices)
    comment = forms.CharField(
        label=_("Commentaire (facultatif)"),
        max_length=Opinion._meta.get_field("comment").max_length,
        required=False,
    )

    def __init__(self, *args: Any, roles: list[OpinionRole], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(
            label=_("En tant que"), choices=[(role.value, role.label) for role in roles]
        )


class RulingForm(SeenForm):
    """The Medical Director's ruling, by one of three buttons; the third needs its day.

    ``heard``: the last opinion shown. ``may_reverse``: the person was asked about changing a
    ruling. ``day_off_read``: the weekend or holiday about which they were warned; with another day
    they are warned anew.
    """

    POSTPONED = "postponed"

    heard = forms.IntegerField(required=False)
    outcome = forms.ChoiceField(
        choices=[
            (Outcome.MAINTAINED, _("maintenir")),
            (Outcome.CANCELLED, _("annuler")),
            (POSTPONED, _("reporter")),
        ],
        error_messages={
            "required": _("Décidez : maintenue, annulée ou reportée."),
            "invalid_choice": _("Décidez : maintenue, annulée ou reportée."),
        },
    )
    postponed_to = forms.DateField(
        required=False, error_messages={"invalid": _("Ce jour ne peut pas être lu.")}
    )
    reason = forms.CharField(label=_("Motif (facultatif)"), max_length=300, required=False)
    may_reverse = forms.BooleanField(required=False)
    day_off_read = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        """Return what ``operations.rule`` takes: who postpones cancels, and says until when."""
        cleaned = super().clean() or self.cleaned_data
        day_off_read = cleaned.pop("day_off_read", "")
        cleaned["may_be_day_off"] = day_off_read == str(cleaned.get("postponed_to"))
        if cleaned.get("outcome") != self.POSTPONED:
            return cleaned | {"postponed_to": None}
        if not cleaned.get("postponed_to") and "postponed_to" not in self.errors:
            self.add_error("postponed_to", _("Indiquez le jour auquel l'opération est reportée."))
        return cleaned | {"outcome": Outcome.CANCELLED}

    @property
    def fault(self) -> str:
        """The first thing that is wrong, in a sentence."""
        return next((str(why) for whys in self.errors.values() for why in whys), "")
