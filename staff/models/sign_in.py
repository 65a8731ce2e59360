"""Tries to sign in, and changes of accounts."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from staff import clock
from staff.sign_in.limits import SignInStep

if TYPE_CHECKING:
    from staff.models.user import User


class SignInTry(models.Model):
    """One try that failed, or is under way; one that succeeds is deleted.

    ``account`` is the name as typed, folded, whether or not such an account exists: an attacker
    must not learn which names do. ``device`` is the known device that tried; empty for others.
    """

    account = models.CharField(_("compte"), max_length=150)
    step = models.CharField(_("étape"), max_length=8, choices=SignInStep.choices)
    address = models.CharField(_("adresse"), max_length=45)
    device = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField(_("quand"))

    class Meta:
        verbose_name = _("essai de connexion")
        verbose_name_plural = _("essais de connexion")
        constraints = [
            models.CheckConstraint(
                name="sign_in_step_known", condition=models.Q(step__in=["password", "factor"])
            )
        ]
        indexes = [
            models.Index(fields=["account", "step", "at"], name="sign_in_account"),
            models.Index(fields=["address", "at"], name="sign_in_address"),
            models.Index(fields=["at"], name="sign_in_at"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.step}"


class AccountChange(models.Model):
    """A change of an account, role or password by somebody; append-only.

    ``by`` is None for the command line. ``staff/two_persons.py`` decides from it
    whether two accounts are two persons.
    """

    class What(models.TextChoices):
        """What was changed; unlocking a sign-in is no change."""

        MADE = "made", _("compte créé")
        ROLE = "role", _("rôles changés")
        PASSWORD = "password", _("mot de passe donné")
        ACCESS = "access", _("accès changé")

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="changes", verbose_name=_("compte")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("par"),
    )
    what = models.CharField(_("quoi"), max_length=8, choices=What.choices)
    at = models.DateTimeField(_("quand"))

    class Meta:
        verbose_name = _("changement de compte")
        verbose_name_plural = _("changements de comptes")
        constraints = [
            models.CheckConstraint(
                name="account_change_known",
                condition=models.Q(what__in=["made", "role", "password", "access"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.what}"

    @classmethod
    def note(cls, *, account: "User", what: What, by: "User | None") -> None:
        """Record that somebody made or changed an account; call it in the same transaction."""
        cls.objects.create(account=account, what=what, by=by, at=clock.real())
