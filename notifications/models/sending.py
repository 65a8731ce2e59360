"""The one switch that holds all sending."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Sending(models.Model):
    """One row: paused or not, by whom, since when. Workers read it before each hand-over."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    paused_at = models.DateTimeField(_("en pause depuis"), null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("mis en pause par"),
    )

    class Meta:
        verbose_name = _("envoi des messages")
        verbose_name_plural = _("envoi des messages")
        constraints = [
            models.CheckConstraint(name="sending_single", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="sending_paused_by_someone",
                condition=models.Q(paused_at__isnull=True, paused_by__isnull=True)
                | models.Q(paused_at__isnull=False, paused_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return "en pause" if self.paused_at else "en marche"

    @classmethod
    def is_paused(cls) -> bool:
        """Whether all sending is held."""
        return cls.objects.filter(paused_at__isnull=False).exists()
