"""The wording of messages, where the hospital wants other words than the shipped ones."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Language


class MessageKind(models.TextChoices):
    """Which sentence; ``call_*`` is read out by an agent, the others are sent."""

    CANCELLED = "cancelled", _("SMS : annulé")
    MAINTAINED = "maintained", _("SMS : maintenu")
    MIXED = "mixed", _("SMS : annulé et maintenu")
    CALL_CANCELLED = "call_cancelled", _("appel : annulé")
    CALL_MAINTAINED = "call_maintained", _("appel : maintenu")
    CALL_MIXED = "call_mixed", _("appel : annulé et maintenu")
    CALL_POSTPONED = "call_postponed", _("appel : reporté à une date")


class MessageText(models.Model):
    """Replaces the shipped text of one language and kind (``templates/sms``).

    What a text must and must not say is asked by whoever writes one (``texts.services``).
    """

    language = models.CharField(_("langue"), max_length=2, choices=Language.choices)
    kind = models.CharField(_("message"), max_length=16, choices=MessageKind.choices)
    body = models.TextField(_("texte"))

    class Meta:
        verbose_name = _("texte de message")
        verbose_name_plural = _("textes de message")
        ordering = ["language", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["language", "kind"], name="message_text_once"),
            models.CheckConstraint(
                name="message_text_kind_known",
                condition=models.Q(kind__in=MessageKind.values),
            ),
            models.CheckConstraint(
                name="message_text_language_known",
                condition=models.Q(language__in=Language.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_language_display()} – {self.get_kind_display()}"
