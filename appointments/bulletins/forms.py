"""Small forms around a bulletin: where it starts from, and why it is withdrawn."""

from collections.abc import Sequence
from typing import Any, cast

from crispy_forms.layout import Layout
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.bulletins.playbooks import LONGEST_FILE, Playbook, read
from appointments.models import Bulletin
from staff.errors import Refusal
from staff.inputs import DayInput, bare_helper


class PlaybookForm(forms.Form):
    """A playbook to start from; ``cleaned_data["playbook"]`` is the ``Playbook`` that was read."""

    playbook = forms.FileField(
        label=_("Fichier TOML"), widget=forms.FileInput(attrs={"accept": ".toml"})
    )
    first_day = forms.DateField(
        label=_("Premier jour"),
        required=False,
        widget=DayInput(),
        help_text=_(
            "Facultatif : toutes les dates du fichier sont décalées pour commencer ce jour."
        ),
    )

    helper = bare_helper()

    def clean_playbook(self) -> Playbook:
        """Return what the file says, or every fault in it."""
        file = self.cleaned_data["playbook"]
        if file.size > LONGEST_FILE:
            raise forms.ValidationError(_("Ce fichier est trop grand pour un bulletin."))
        try:
            return read(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise forms.ValidationError(_("Ce fichier n'est pas un texte en UTF-8.")) from None
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message.splitlines()) from None

    def clean(self) -> dict[str, Any]:
        """Move the playbook to the day that was asked for."""
        cleaned = super().clean() or self.cleaned_data
        playbook, first_day = cleaned.get("playbook"), cleaned.get("first_day")
        if playbook and first_day:
            try:
                cleaned["playbook"] = playbook.starting(first_day)
            except Refusal as refusal:
                self.add_error("first_day", refusal.message)
        return cleaned


class CopyForm(forms.Form):
    """A bulletin to start from."""

    original = forms.ModelChoiceField(
        label=_("Bulletin"), queryset=Bulletin.objects.none(), empty_label=None
    )
    first_day = forms.DateField(
        label=_("Premier jour"),
        required=False,
        widget=DayInput(),
        help_text=_("Facultatif : toutes les dates sont décalées pour commencer ce jour."),
    )

    helper = bare_helper()

    def __init__(self, *args: Any, originals: QuerySet[Bulletin], **options: Any) -> None:
        # Its page has another first day, of the playbook.
        super().__init__(*args, **{"auto_id": "copy_%s"} | options)
        self.fields["original"].queryset = originals  # type: ignore[attr-defined]


class ApproveForm(forms.Form):
    """The number that the second person read and types, so that nobody approves unread.

    ``shown`` is the number that their page had; ``seen`` the wording.
    """

    seen = forms.CharField(widget=forms.HiddenInput)
    shown = forms.IntegerField(widget=forms.HiddenInput)
    told = forms.IntegerField(
        label=_("Tapez le nombre de patients à prévenir"),
        min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("Il est écrit plus haut, sous « Patients à prévenir »."),
        error_messages={
            "required": _("Tapez le nombre de patients à prévenir, écrit plus haut."),
            "invalid": _("Tapez un nombre entier, sans lettres ni signes."),
        },
    )

    helper = bare_helper()
    helper.layout = Layout("told")

    def clean(self) -> dict[str, Any]:
        """Refuse another number than the one on the page."""
        cleaned = super().clean() or self.cleaned_data
        told, shown = cleaned.get("told"), cleaned.get("shown")
        if told is not None and shown is not None and told != shown:
            self.add_error(
                "told",
                _(
                    "Vous avez tapé %(told)d, la page annonce un autre nombre : relisez-la. "
                    "Rien n'a été approuvé."
                )
                % {"told": told},
            )
        return cleaned


class PublicTextForm(forms.Form):
    """What the public reads in one language; ``seen`` names the text that was shown."""

    seen = forms.CharField()
    text = forms.CharField(
        label=_("Texte"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text=_("Vide : le texte suit de nouveau ce que le bulletin ordonne."),
    )

    helper = bare_helper()
    helper.layout = Layout("text")

    def __init__(self, *args: Any, language: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].widget.attrs["lang"] = language


class WithdrawForm(forms.Form):
    """Why a bulletin is lifted, and what comes in its place."""

    reason = forms.CharField(
        label=_("Motif"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Il reste lisible dans l'historique."),
    )
    restores = forms.TypedChoiceField(
        label=_("Ce qui vaut ensuite"),
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.RadioSelect,
    )
    by_sms = forms.BooleanField(
        label=_("Dire « maintenu » par SMS, là où le premier message est bien arrivé"),
        required=False,
        help_text=_("Les autres sont appelés ; qui ne l'a pas reçu à temps aussi."),
    )
    sends_decisions_back = forms.BooleanField(
        label=_("Redemander leurs décisions aux personnes qui ont annulé"),
        required=False,
        help_text=_("Elles décident de nouveau ; jusque-là, les patients ne sont pas prévenus."),
    )

    helper = bare_helper()

    def __init__(self, *args: Any, earlier: Sequence[Bulletin], **options: Any) -> None:
        super().__init__(*args, **options)
        field = cast("forms.ChoiceField", self.fields["restores"])
        field.choices = [
            (
                "",
                _(
                    "Sans bulletin : l'agenda vaut, sauf ce que règle un autre bulletin ou une "
                    "personne"
                ),
            ),
            *(
                (
                    bulletin.pk,
                    _("Remettre en vigueur le bulletin %(number)s : %(title)s")
                    % {"number": bulletin.pk, "title": bulletin.title},
                )
                for bulletin in earlier
            ),
        ]
        if not earlier:
            del self.fields["restores"]


class SendBackForm(forms.Form):
    """The reason for sending decisions back."""

    reason = forms.CharField(
        label=_("Motif"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Les personnes concernées le lisent."),
    )

    helper = bare_helper()
