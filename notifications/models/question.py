"""What a person who rang in was answered."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications.models.notice import Notice
from patients.models import Patient


class FoundBy(models.TextChoices):
    """How the agent found who rings."""

    NAME = "name", _("nom")
    BIRTH = "birth", _("date de naissance")
    NUMBER = "number", _("numéro")
    REFERENCE = "reference", _("référence du SMS")


class Answer(models.TextChoices):
    """What was answered."""

    TOLD = "told", _("prévenu pendant cet appel")
    IN_FORCE = "in_force", _("ce qui vaut a été lu")
    NOT_KNOWN = "not_known", _("pas encore de réponse")
    NOT_OURS = "not_ours", _("le message n'est pas de nous")
    NOT_FOUND = "not_found", _("patient introuvable")


class Question(models.Model):
    """Somebody rang in and was answered; the database refuses to change or delete it.

    ``notice`` is the one that was in force when ``said`` was read out, ``day`` the day it was
    about. ``reference`` is what the caller read out, kept also when nobody here wrote it.
    """

    patient = models.ForeignKey(
        Patient,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # the index on (patient, asked_at) serves
        related_name="questions",
        verbose_name=_("patient"),
    )
    notice = models.ForeignKey(
        Notice,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="questions",
        verbose_name=_("avis"),
    )
    day = models.DateField(_("jour"), null=True, blank=True)
    asked_at = models.DateTimeField(_("demandé le"))
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        db_index=False,
        related_name="+",
        verbose_name=_("répondu par"),
    )
    found_by = models.CharField(_("trouvé par"), max_length=12, choices=FoundBy.choices, blank=True)
    reference = models.CharField(_("référence lue"), max_length=20, blank=True)
    answer = models.CharField(_("réponse"), max_length=12, choices=Answer.choices)
    said = models.TextField(_("phrase lue"), blank=True)
    remark = models.CharField(_("remarque"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints = [
            models.CheckConstraint(
                name="question_answer_known", condition=Q(answer__in=Answer.values)
            ),
            models.CheckConstraint(
                name="question_found_by_known", condition=Q(found_by__in=["", *FoundBy.values])
            ),
            models.CheckConstraint(
                name="question_told_has_notice",
                condition=~Q(answer="told") | Q(patient__isnull=False, notice__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["patient", "asked_at"], name="question_patient_asked")]

    def __str__(self) -> str:
        return f"{self.asked_at:%d/%m/%Y} – {self.get_answer_display()}"
