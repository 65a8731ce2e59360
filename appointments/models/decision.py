"""Decisions with their basis, and the opinions of colleagues before them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment
from appointments.models.bulletin import Bulletin, Clause
from appointments.vocabulary import Basis, Outcome
from staff.models.fields import known_value, person_field, person_or_none_field


class Decision(models.Model):
    """The outcome of one appointment on one day, and why. Append-only; the latest version holds.

    The basis is a clause (``clause``), the person who decided (``person``), or the bulletin that no
    longer rules (``lapse``). A newer bulletin replaces a clause decision, not a person's. Both end
    when the appointment moves to another day. ``postponed_to`` is the day that a person promised
    instead of the one that they cancelled (ADR 0013).
    """

    appointment = models.ForeignKey(
        Appointment,
        models.PROTECT,
        db_index=False,  # the unique key on (appointment, version) serves
        related_name="decisions",
        verbose_name=_("rendez-vous"),
    )
    version = models.PositiveSmallIntegerField(_("version"))
    day = models.DateField(_("jour"))
    outcome = models.CharField(_("décision"), max_length=12, choices=Outcome.choices)
    basis = models.CharField(_("fondement"), max_length=8, choices=Basis.choices)
    bulletin = models.ForeignKey(
        Bulletin,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("bulletin"),
    )
    clause = models.ForeignKey(
        Clause,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("clause"),
    )
    decided_by = person_or_none_field(_("décidé par"), db_index=False)
    decided_at = models.DateTimeField(_("décidé le"))
    reason = models.CharField(_("motif"), max_length=300, blank=True)
    postponed_to = models.DateField(_("reporté au"), null=True, blank=True)

    class Meta:
        verbose_name = _("décision")
        verbose_name_plural = _("décisions")
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "version"], name="decision_version_once"
            ),
            known_value("decision_outcome_known", outcome=Outcome.values),
            models.CheckConstraint(
                name="decision_postponed_by_a_person",
                condition=Q(postponed_to__isnull=True)
                | Q(outcome="cancelled", basis="person", postponed_to__gt=F("day")),
            ),
            models.CheckConstraint(
                name="decision_has_its_ground",
                condition=Q(
                    basis="clause",
                    clause__isnull=False,
                    bulletin__isnull=False,
                    decided_by__isnull=True,
                )
                | Q(basis="person", clause__isnull=True, decided_by__isnull=False)
                | Q(
                    basis="lapse",
                    clause__isnull=True,
                    bulletin__isnull=False,
                    decided_by__isnull=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} ({self.get_basis_display()}, v{self.version})"


class OpinionRole(models.TextChoices):
    """The role in which a colleague gives an opinion."""

    SURGEON = "surgeon", _("chirurgien")
    ANAESTHETIST = "anaesthetist", _("anesthésiste")
    NURSE = "nurse", _("infirmier ou infirmière")


class View(models.TextChoices):
    """The outcome that a colleague recommends."""

    MAINTAIN = "maintain", _("maintenir")
    CANCEL = "cancel", _("annuler")


class Opinion(models.Model):
    """A colleague's view on an operation, before the Medical Director rules."""

    appointment = models.ForeignKey(
        Appointment, models.PROTECT, related_name="opinions", verbose_name=_("rendez-vous")
    )
    role = models.CharField(_("en tant que"), max_length=12, choices=OpinionRole.choices)
    view = models.CharField(_("point de vue"), max_length=8, choices=View.choices)
    comment = models.CharField(_("commentaire"), max_length=300, blank=True)
    given_by = person_field(_("donné par"))
    given_at = models.DateTimeField(_("donné le"))

    class Meta:
        verbose_name = _("avis d'un collègue")
        verbose_name_plural = _("avis des collègues")
        ordering = ["-given_at", "-id"]
        constraints = [
            known_value("opinion_role_known", role=OpinionRole.values),
            known_value("opinion_view_known", view=View.values),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} : {self.get_view_display()}"
