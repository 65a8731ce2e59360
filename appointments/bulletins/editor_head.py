"""The head of a bulletin in the editor: what it is called, when it rules, when its SMS leave."""

from collections.abc import Mapping
from typing import Any

from crispy_forms.layout import Fieldset, Layout
from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from appointments.models import Bulletin
from notifications.quiet_hours import QuietHours
from staff.inputs import DayInput, MomentInput, bare_helper


class HeadForm(forms.ModelForm):
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
