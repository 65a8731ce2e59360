"""Doctors and others to whom appointments belong. FHIR: Practitioner."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Practitioner(models.Model):
    """A doctor as the schedules name them; ``user`` once they have a sign-in."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    family_name = models.CharField(_("nom"), max_length=80)
    given_name = models.CharField(_("prénom"), max_length=80, blank=True)
    prefix = models.CharField(_("titre"), max_length=20, default="Dr", blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="practitioner",
        verbose_name=_("compte"),
    )

    class Meta:
        verbose_name = _("praticien")
        verbose_name_plural = _("praticiens")
        ordering = ["family_name", "given_name"]

    def __str__(self) -> str:
        is_surname = self.prefix or self.given_name  # else perhaps a team: "Équipe infirmière"
        name = self.family_name.upper() if is_surname else self.family_name
        return " ".join(filter(None, [self.prefix, self.given_name, name]))


class Delegation(models.Model):
    """A practitioner lets someone else keep patients in their name, until revoked."""

    practitioner = models.ForeignKey(
        Practitioner, models.CASCADE, related_name="delegations", verbose_name=_("praticien")
    )
    delegate = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="delegations",
        verbose_name=_("délégué"),
    )
    given_at = models.DateTimeField(_("donnée le"))
    revoked_at = models.DateTimeField(_("retirée le"), null=True, blank=True)

    class Meta:
        verbose_name = _("délégation")
        verbose_name_plural = _("délégations")
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner", "delegate"],
                condition=models.Q(revoked_at__isnull=True),
                name="delegation_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.practitioner} → {self.delegate}"
