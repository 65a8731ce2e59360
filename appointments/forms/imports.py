"""The form that takes a schedule file."""

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from appointments.feeds.limits import LARGEST_FILE
from appointments.services.importing_files import DEFAULT_SOURCE, check_source_name
from staff.errors import Refusal


class ImportForm(forms.Form):
    """A file, where it comes from, and whether it is everything."""

    file = forms.FileField(
        label=_("Fichier CSV ou XLSX"),
        max_length=200,
        allow_empty_file=True,  # the service says better what to do about one
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        help_text=_("Jusqu'à %(limit)s Mo.") % {"limit": LARGEST_FILE // 1024 // 1024},
    )
    source = forms.CharField(
        label=_("Source"),
        max_length=40,
        initial=DEFAULT_SOURCE,
        widget=forms.TextInput(attrs={"list": "known-sources", "autocomplete": "off"}),
        help_text=_(
            "Le programme d'où vient l'export, toujours le même nom : un autre nom ferait de "
            "chaque rendez-vous un second."
        ),
    )
    is_full_export = forms.BooleanField(
        label=_("Export complet des jours et des sites qu'il contient"),
        required=False,
        initial=True,
        help_text=_(
            "Ce qui n'y figure plus est alors signalé comme disparu ; rien n'est jamais effacé."
        ),
    )

    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True

    def clean_source(self) -> str:
        """Return a usable name."""
        name = self.cleaned_data["source"]
        try:
            check_source_name(name)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return name
