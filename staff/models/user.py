"""People who sign in, and their roles by site and unit."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from staff.models.place import Site, Unit


class Role(models.TextChoices):
    """The jobs of DESIGN.md section 2; ``staff/access.py`` lists the capabilities of each."""

    CRISIS_CELL = "crisis_cell", _("Cellule de crise")
    DOCTOR = "doctor", _("Médecin")
    SURGEON = "surgeon", _("Chirurgien ou anesthésiste")
    NURSE = "nurse", _("Infirmier ou infirmière")
    MEDICAL_DIRECTOR = "medical_director", _("Directeur médical")
    CALL_AGENT = "call_agent", _("Agent d'appel")
    WARD_CLERK = "ward_clerk", _("Secrétariat d'unité")
    FEED_OPERATOR = "feed_operator", _("Opérateur des flux")
    AUDITOR = "auditor", _("Auditeur")


class UserManager(DjangoUserManager["User"]):
    """Makes accounts, and checks every superuser's password."""

    def create_superuser(  # type: ignore[override]
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """Make a superuser.

        Raises:
            ValidationError: the password can be guessed. Django's command accepts such a one
                from the environment, or after a confirmation.
        """
        if password is not None:
            account = User(username=username, email=email, **fields)
            validate_password(password, account)
        return super().create_superuser(username, email, password, **fields)


class User(AbstractUser):
    """A person with a sign-in. Rights come from role assignments, never from groups."""

    # Incremented to end all sessions of this account and to forget its devices.
    devices_version = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    language = models.CharField(_("langue"), max_length=2, choices=settings.LANGUAGES, default="fr")

    objects: ClassVar[UserManager] = UserManager()

    class Meta(AbstractUser.Meta):
        verbose_name = _("utilisateur")  # type: ignore[assignment]
        verbose_name_plural = _("utilisateurs")  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name.upper()}".strip() or self.username

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """Return the hash of a valid session: it changes with the password and the version."""
        salt = "staff.models.User.session"
        value = f"{self.password}:{self.devices_version}"
        return salted_hmac(salt, value, secret=secret, algorithm="sha256").hexdigest()


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
