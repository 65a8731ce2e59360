"""People who sign in, and their roles by site and unit."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from staff.models.place import Site, Unit


class Role(models.TextChoices):
    """The jobs of DESIGN.md section 2; what each may do is in ``staff/access.py``."""

    CRISIS_CELL = "crisis_cell", _("Cellule de crise")
    DOCTOR = "doctor", _("Médecin")
    SURGEON = "surgeon", _("Chirurgien ou anesthésiste")
    NURSE = "nurse", _("Infirmier ou infirmière")
    MEDICAL_DIRECTOR = "medical_director", _("Directeur médical")
    CALL_AGENT = "call_agent", _("Agent d'appel")
    WARD_CLERK = "ward_clerk", _("Secrétariat d'unité")
    FEED_OPERATOR = "feed_operator", _("Opérateur des flux")
    AUDITOR = "auditor", _("Auditeur")


class User(AbstractUser):
    """A person with a sign-in. Rights come from role assignments, never from groups."""

    language = models.CharField(_("langue"), max_length=2, choices=settings.LANGUAGES, default="fr")

    class Meta(AbstractUser.Meta):
        verbose_name = _("utilisateur")  # type: ignore[assignment]
        verbose_name_plural = _("utilisateurs")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class RoleAssignment(models.Model):
    """A role held everywhere, at one site, or in one unit."""

    user = models.ForeignKey(
        User, models.CASCADE, related_name="role_assignments", verbose_name=_("utilisateur")
    )
    role = models.CharField(_("rôle"), max_length=20, choices=Role.choices)
    site = models.ForeignKey(
        Site, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("site")
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unité")
    )

    class Meta:
        verbose_name = _("rôle attribué")
        verbose_name_plural = _("rôles attribués")
        constraints = [
            models.UniqueConstraint(
                "user",
                "role",
                Coalesce("site", 0),
                Coalesce("unit", 0),
                name="role_assignment_once",
            ),
            models.CheckConstraint(
                name="role_assignment_site_or_unit",
                condition=models.Q(site__isnull=True) | models.Q(unit__isnull=True),
            ),
            models.CheckConstraint(name="role_known", condition=models.Q(role__in=Role.values)),
        ]

    def __str__(self) -> str:
        where = self.site or self.unit
        return f"{self.get_role_display()} – {where}" if where else self.get_role_display()
