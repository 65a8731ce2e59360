"""What people type on the pages of the texts."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from notifications.texts import wording
from notifications.texts.services import tidy
from staff.models import Site


class TextForm(forms.Form):
    """A text, and the site whose phone number and sender its preview shows.

    What may not stand in a text is said by the service (and live by the preview), not here.
    """

    body = forms.CharField(
        label=gettext_lazy("Texte"),
        required=False,  # an empty text lacks its variables, and is told so
        strip=False,
        widget=forms.Textarea,
    )
    site = forms.ModelChoiceField(
        Site.objects.all(),
        label=gettext_lazy("Aperçu pour le site"),
        required=False,
        empty_label=None,
    )

    def chosen(self) -> tuple[str, Site | None]:
        """Return the text and the site, as far as they were sent."""
        values: dict[str, Any] = dict(self.initial)
        if self.is_bound:
            self.is_valid()
            values = self.cleaned_data
        site = values.get("site") or Site.objects.first()
        return tidy((values.get("body") or "")[: 4 * wording.LONGEST]), site
