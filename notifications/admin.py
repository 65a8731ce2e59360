"""The wording of messages, for whoever keeps the reference data."""

import datetime as dt
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from notifications import sms_text, texts, wording
from notifications.models import MessageText, Word
from staff.admin import ForAdministrators
from staff.clock import BRUSSELS
from staff.requests import person
from staff.services import audit


@admin.register(MessageText)
class MessageTextAdmin(ForAdministrators, admin.ModelAdmin):
    """Edits texts; what is wrong with one is said by the model (``wording.faults``)."""

    list_display = ["language", "kind", "parts"]
    list_filter = ["language", "kind"]
    readonly_fields = ["help", "sample"]
    fields = ["language", "kind", "body", "help", "sample"]

    @admin.display(description="Aide")
    def help(self, obj: MessageText) -> str:
        """Explain the variables."""
        known = ", ".join(f"{{{name}}}" for name in sorted(wording.variables(obj.kind or "")))
        return _(
            "Variables : %(known)s. Singulier et pluriel : {votre|vos}. Rien de médical ; la "
            "référence et le numéro de rappel sont obligatoires."
        ) % {"known": known}

    @admin.display(description="Exemple")
    def sample(self, obj: MessageText) -> str:
        """Show the text as a patient with two appointments gets it."""
        return sample_of(obj) if obj.body else "–"

    @admin.display(description="Parties")
    def parts(self, obj: MessageText) -> int:
        """Count the SMS parts of the sample."""
        return sms_text.count(sample_of(obj)).parts

    def save_model(self, request: HttpRequest, obj: MessageText, form: Any, change: bool) -> None:
        """Save, use at once in this process (elsewhere within seconds), and record."""
        super().save_model(request, obj, form, change)
        self._changed(request, obj, "message_text.saved")
        parts = sms_text.count(sample_of(obj)).parts
        if parts > 1 and not obj.kind.startswith("call_"):
            text = _("Ce texte prend %(parts)s parties de SMS : il coûte et dure d'autant plus.")
            self.message_user(request, text % {"parts": parts}, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: MessageText) -> None:
        """Delete: the shipped text holds again."""
        self._changed(request, obj, "message_text.deleted")
        super().delete_model(request, obj)

    def _changed(self, request: HttpRequest, obj: MessageText, action: str) -> None:
        texts.forget()
        audit.record(
            action=action,
            by=person(request),
            subject=obj,
            language=obj.language,
            kind=obj.kind,
            body=obj.body,
        )


def sample_of(text: MessageText) -> str:
    """Return the text filled in for two appointments, in the SMS alphabet."""
    words = {
        "cancelled": [Word.CANCELLED] * 2,
        "maintained": [Word.MAINTAINED] * 2,
        "mixed": [Word.CANCELLED, Word.MAINTAINED],
    }[text.kind.removeprefix("call_")]
    morning = dt.datetime(2022, 5, 16, 9, 10, tzinfo=BRUSSELS)
    lines = [
        texts.Line(morning + dt.timedelta(hours=2 * place), word)
        for place, word in enumerate(words)
    ]
    return sms_text.transliterate(
        texts.filled(
            text.body,
            language=text.language,
            day=morning.date(),
            lines=lines,
            callback_number="+3263000000",
            reference="223K-7QF",
            long_day=text.kind.startswith("call_"),
        )
    )
