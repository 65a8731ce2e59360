"""Where appointments come from."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Feed(models.Model):
    """A source of appointments. ``heard_at`` makes the data age of everything it brought."""

    name = models.SlugField(_("nom"), max_length=40, unique=True)
    heard_at = models.DateTimeField(_("dernière lecture"), null=True, blank=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ImportState(models.TextChoices):
    """Where a load stands; see the drawing in ``ScheduleImport``."""

    WAITING = "waiting", _("en attente")
    RUNNING = "running", _("en cours")
    CHECKED = "checked", _("vérifié, rien n'est encore écrit")
    LOADED = "loaded", _("chargé")
    UNREADABLE = "unreadable", _("illisible")
    ABANDONED = "abandoned", _("abandonné")


class ScheduleImport(models.Model):
    """One file read, in a dry run or for good.

    ::

        waiting ─▶ running ─▶ checked ─▶ waiting (for good) ─▶ running ─▶ loaded
                        │        └───▶ abandoned (nobody confirmed it for days)
                        └───▶ unreadable

    ``rows_done`` moves while a dry run runs, for the progress bar. ``claimed_at`` is the real
    time at which a worker was last heard of; one that fell silent loses the work to another.
    The stored file holds patient data: it goes as soon as it is no longer needed, its SHA-256
    stays.
    """

    feed = models.ForeignKey(Feed, models.PROTECT, related_name="imports", verbose_name=_("source"))
    state = models.CharField(
        _("état"), max_length=12, choices=ImportState.choices, default=ImportState.WAITING
    )
    file_name = models.CharField(_("fichier"), max_length=200)
    file_digest = models.CharField(_("empreinte"), max_length=64, blank=True)
    stored_file = models.FileField(upload_to="imports/", blank=True)
    is_full_export = models.BooleanField(_("export complet"), default=True)
    is_dry_run = models.BooleanField(_("essai à blanc"), default=False)
    rows_total = models.PositiveIntegerField(_("lignes"), default=0)
    rows_done = models.PositiveIntegerField(_("lignes lues"), default=0)
    rows_created = models.PositiveIntegerField(_("nouveaux"), default=0)
    rows_updated = models.PositiveIntegerField(_("modifiés"), default=0)
    rows_moved = models.PositiveIntegerField(_("déplacés"), default=0)
    rows_unchanged = models.PositiveIntegerField(_("inchangés"), default=0)
    rows_rejected = models.PositiveIntegerField(_("rejetés"), default=0)
    rows_missing = models.PositiveIntegerField(_("disparus"), default=0)
    rows_remarks = models.PositiveIntegerField(_("remarques"), default=0)
    rows_with_phone = models.PositiveIntegerField(
        _("avec téléphone"),
        null=True,
        blank=True,
        help_text=_("Vide pour les chargements d'avant ce décompte."),
    )
    message = models.CharField(_("message"), max_length=300, blank=True)
    started_at = models.DateTimeField(_("commencé le"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("lancé par"),
    )
    finished_at = models.DateTimeField(_("terminé le"), null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("chargement")
        verbose_name_plural = _("chargements")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="schedule_import_state_known", condition=Q(state__in=ImportState.values)
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_state_display()})"

    @property
    def has_no_phone(self) -> bool:
        """Whether rows were taken and not one of them says how to reach its patient."""
        return self.rows_total > self.rows_rejected and self.rows_with_phone == 0


class RejectedRow(models.Model):
    """One fault of one row: where, what was found, what to do.

    ``landed`` rows were taken all the same, without the faulty value.
    """

    schedule_import = models.ForeignKey(
        ScheduleImport, models.CASCADE, related_name="rejected_rows"
    )
    line = models.PositiveIntegerField(_("ligne"))
    column = models.CharField(_("colonne"), max_length=80)
    value = models.CharField(_("valeur"), max_length=200, blank=True)
    why = models.CharField(_("raison"), max_length=300)
    landed = models.BooleanField(_("entrée quand même"), default=False)

    class Meta:
        verbose_name = _("ligne rejetée")
        verbose_name_plural = _("lignes rejetées")
        ordering = ["line", "id"]

    def __str__(self) -> str:
        return f"{self.line} {self.column} : {self.why}"
