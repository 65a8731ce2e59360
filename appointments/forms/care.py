"""What people fill in about one patient: a reason, an opinion, a ruling."""

from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.models import Opinion, OpinionRole, Outcome, View


class ReasonForm(forms.Form):
    """Keep or let go; the reason is optional, so that one tap is enough."""

    reason = forms.CharField(label=_("Motif (facultatif)"), max_length=300, required=False)


class OpinionForm(forms.Form):
    """A colleague's view; ``roles`` are those as which the person may speak."""

    view = forms.ChoiceField(label=_("Votre avis"), choices=View.choices)
    comment = forms.CharField(
        label=_("Commentaire (facultatif)"),
        max_length=Opinion._meta.get_field("comment").max_length,
        required=False,
    )

    def __init__(self, *args, roles: list[OpinionRole], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = forms.ChoiceField(
            label=_("En tant que"), choices=[(role.value, role.label) for role in roles]
        )


class RulingForm(forms.Form):
    """The Medical Director's ruling, by one of two buttons."""

    outcome = forms.ChoiceField(
        choices=[(Outcome.MAINTAINED, _("maintenir")), (Outcome.CANCELLED, _("annuler"))]
    )
    reason = forms.CharField(label=_("Motif (facultatif)"), max_length=300, required=False)
