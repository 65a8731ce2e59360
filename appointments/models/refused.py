"""Rows of schedule files that could not be taken: patients who may travel for nothing."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appointments.models.feed import Feed, ScheduleImport
from staff.sentences import SentenceField


class RefusedState(models.TextChoices):
    """What became of a refused row; see the drawing in ``RefusedRow``."""

    OPEN = "open", _("ouverte")
    MENDED = "mended", _("corrigée")
    CALLED = "called", _("patient appelé")
    DISMISSED = "dismissed", _("écartée")


class RefusedRow(models.Model):
    """One row that a load refused, with what could be read of whom it is about.

    ::

        open ─┬▶ mended      the same source later landed that appointment
              ├▶ called      somebody called the patient by hand
              └▶ dismissed   somebody says by name why nothing needs doing
        mended, called, dismissed ─▶ open   refused again, and the row says something else

    No bulletin rules on it and nobody is told: only people can see to it.
    ``key`` names the row at its source, so that the same file twice keeps it once: the number of
    the appointment, or a digest of the row where that cannot be read. ``day`` is None where no
    day can be read. ``content`` is a digest of what was read.
    """

    feed = models.ForeignKey(
        Feed, models.PROTECT, related_name="refused_rows", verbose_name=_("source")
    )
    key = models.CharField(max_length=120, editable=False)
    source_id = models.CharField(_("numéro à la source"), max_length=80, blank=True)
    schedule_import = models.ForeignKey(
        ScheduleImport,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("chargement"),
    )
    sheet = models.CharField(_("feuille"), max_length=31, blank=True)
    line = models.PositiveIntegerField(_("ligne"))
    record_number = models.CharField(_("numéro de dossier"), max_length=80, blank=True)
    name = models.CharField(_("nom"), max_length=170, blank=True)
    phones = models.CharField(_("téléphone"), max_length=200, blank=True)
    day = models.DateField(_("jour"), null=True, blank=True)
    moment = models.CharField(_("date et heure"), max_length=80, blank=True)
    place = models.CharField(_("unité"), max_length=160, blank=True)
    why = SentenceField(_("raison"))
    content = models.CharField(max_length=32, editable=False)
    state = models.CharField(
        _("état"), max_length=12, choices=RefusedState.choices, default=RefusedState.OPEN
    )
    refused_at = models.DateTimeField(_("refusée le"))
    settled_at = models.DateTimeField(_("close le"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("close par"),
        help_text=_("Vide quand un chargement l'a corrigée."),
    )
    note = models.CharField(_("remarque"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("ligne refusée")
        verbose_name_plural = _("lignes refusées")
        constraints = [
            models.UniqueConstraint(fields=["feed", "key"], name="refused_row_once"),
            models.CheckConstraint(
                name="refused_row_state_known", condition=Q(state__in=RefusedState.values)
            ),
            models.CheckConstraint(
                name="refused_row_settled_iff_closed",
                condition=Q(state="open", settled_at__isnull=True)
                | (~Q(state="open") & Q(settled_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="refused_row_settled_by_a_person",
                condition=Q(state__in=["called", "dismissed"], settled_by__isnull=False)
                | Q(state__in=["open", "mended"], settled_by__isnull=True),
            ),
            models.CheckConstraint(
                name="refused_row_dismissed_with_a_reason",
                condition=~Q(state="dismissed") | ~Q(note=""),
            ),
        ]
        indexes = [
            models.Index(fields=["day", "id"], condition=Q(state="open"), name="refused_row_open"),
            models.Index(fields=["state", "-id"], name="refused_row_state"),
        ]

    def __str__(self) -> str:
        return f"{self.feed.name} {self.line} : {self.name or self.source_id}"
