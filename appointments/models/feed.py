"""Where appointments come from."""

from collections.abc import Mapping

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment
from appointments.vocabulary import AgeFrom, AgeRule, Extent, Status
from staff.models.fields import known_value, person_or_none_field
from staff.sentences import SentenceDecoder, SentenceEncoder, SentenceField


class Feed(models.Model):
    """A source of appointments, and the age of its data.

    ``heard_at`` gives the age of all its data: when the source made its last export of everything
    it plans; None is unknown. ``newest_at`` is when it made its newest export, even one of a few
    units only. ``loaded_at`` is when we last loaded something of it; None is never.
    """

    name = models.SlugField(_("nom"), max_length=40, unique=True)
    heard_at = models.DateTimeField(_("moment de l'export"), null=True, blank=True)
    newest_at = models.DateTimeField(_("export le plus récent"), null=True, blank=True)
    loaded_at = models.DateTimeField(_("dernier chargement"), null=True, blank=True)
    age_rule = models.CharField(
        _("moment de l'export"), max_length=10, choices=AgeRule.choices, default=AgeRule.FILE
    )
    # Empty: not set; each load asks.
    complete_for = models.CharField(
        _("complet pour"), max_length=8, choices=Extent.choices, blank=True
    )

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ImportState(models.TextChoices):
    """The state of a load; see the drawing in ``ScheduleImport``."""

    WAITING = "waiting", _("en attente")
    RUNNING = "running", _("en cours")
    CHECKED = "checked", _("vérifié, rien n'est encore écrit")
    LOADED = "loaded", _("chargé")
    UNREADABLE = "unreadable", _("illisible")
    ABANDONED = "abandoned", _("abandonné")


def about_counts(counts: Mapping[str, int]) -> str:
    """Return the result for the rows of a file in one sentence, in the reader's language.

    Args:
        counts: ``rows``, ``created``, ``updated``, ``moved``, ``unchanged``, ``rejected`` and
            ``missing``, at least.
    """
    rows, missing = counts["rows"], counts["missing"]
    created, updated, moved = counts["created"], counts["updated"], counts["moved"]
    unchanged, rejected = counts["unchanged"], counts["rejected"]
    sentence = gettext(
        "%(rows)s : %(created)s, %(updated)s, %(moved)s, %(unchanged)s, %(rejected)s ; %(missing)s."
    )
    return sentence % {
        "rows": ngettext("%(n)s ligne", "%(n)s lignes", rows) % {"n": rows},
        "created": ngettext("%(n)s nouvelle", "%(n)s nouvelles", created) % {"n": created},
        "updated": ngettext("%(n)s modifiée", "%(n)s modifiées", updated) % {"n": updated},
        "moved": ngettext("%(n)s déplacée", "%(n)s déplacées", moved) % {"n": moved},
        "unchanged": ngettext("%(n)s inchangée", "%(n)s inchangées", unchanged) % {"n": unchanged},
        "rejected": ngettext("%(n)s rejetée", "%(n)s rejetées", rejected) % {"n": rejected},
        "missing": ngettext("%(n)s rendez-vous disparu", "%(n)s rendez-vous disparus", missing)
        % {"n": missing},
    }


class ScheduleImport(models.Model):
    """One file read, in a dry run or for good.

    ::

        waiting ─▶ running ─▶ checked ─▶ waiting (for good) ─▶ running ─▶ loaded
                        │        └───▶ abandoned (nobody confirmed it for days)
                        └───▶ unreadable

    ``rows_done`` grows during a dry run, for the progress bar. ``claimed_at`` is the real time of
    the worker's last sign of life; without one, another worker takes the load over.
    ``sheets`` holds, for each sheet of a workbook, the rows read or why it was left out:
    ``{"name", "rows", "left_out"}``. The stored file holds patient data: it is deleted as soon as
    it is no longer needed. Its SHA-256 stays.

    ``exported_at`` is when the source made the file, None if unknown; ``age_from`` is where that
    was found. ``first_day`` and ``last_day`` are declared by a person, empty for the days of the
    file; ``covers_from`` and ``covers_until`` are the days that apply. ``complete_units`` are the
    units declared one by one, ``units_named`` those of the valid rows; both by number. Two values
    need a confirmation: ``rows_undone`` counts what an older file would change back, and
    ``too_many_missing`` names the sites and days on which many appointments disappeared.
    """

    feed = models.ForeignKey(Feed, models.PROTECT, related_name="imports", verbose_name=_("source"))
    state = models.CharField(
        _("état"), max_length=12, choices=ImportState.choices, default=ImportState.WAITING
    )
    file_name = models.CharField(_("fichier"), max_length=200)
    file_digest = models.CharField(_("empreinte"), max_length=64, blank=True)
    stored_file = models.FileField(upload_to="imports/", blank=True)
    file_date = models.DateTimeField(_("fichier écrit le"), null=True, blank=True)
    exported_at = models.DateTimeField(_("export fait le"), null=True, blank=True)
    age_from = models.CharField(max_length=10, choices=AgeFrom.choices[1:], blank=True)
    # Empty until a person, the source's setting or the first reading sets it.
    complete_for = models.CharField(
        _("complet pour"), max_length=8, choices=Extent.choices, blank=True
    )
    first_day = models.DateField(_("premier jour"), null=True, blank=True)
    last_day = models.DateField(_("dernier jour"), null=True, blank=True)
    complete_units = models.JSONField(_("unités cochées"), default=list, blank=True)
    units_named = models.JSONField(_("unités nommées"), default=list, blank=True)
    covers_from = models.DateField(_("complet du"), null=True, blank=True)
    covers_until = models.DateField(_("complet jusqu'au"), null=True, blank=True)
    accepts_older = models.BooleanField(default=False)
    accepts_disappeared = models.BooleanField(default=False)
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
    rows_waiting = models.PositiveIntegerField(_("en attente d'une décision"), default=0)
    rows_undone = models.PositiveIntegerField(_("nouvelles plus récentes défaites"), default=0)
    patients_told = models.PositiveIntegerField(_("patients à prévenir"), default=0)
    told_by_sms_now = models.PositiveIntegerField(_("par SMS tout de suite"), default=0)
    sms_now = models.PositiveIntegerField(_("SMS tout de suite"), default=0)
    sms_later = models.PositiveIntegerField(_("SMS plus tard"), default=0)
    told_by_sms_later = models.PositiveIntegerField(_("par SMS plus tard"), default=0)
    told_by_phone = models.PositiveIntegerField(_("par téléphone"), default=0)
    # Questions to confirm.
    too_many_missing = models.JSONField(
        default=list, blank=True, encoder=SentenceEncoder, decoder=SentenceDecoder
    )
    message = SentenceField(_("message"), blank=True)
    practitioners_made = models.PositiveIntegerField(_("praticiens créés"), default=0)
    sheets = models.JSONField(
        _("feuilles"),
        default=list,
        blank=True,
        encoder=SentenceEncoder,
        decoder=SentenceDecoder,
    )
    started_at = models.DateTimeField(_("commencé le"))
    started_by = person_or_none_field(_("lancé par"))
    finished_at = models.DateTimeField(_("terminé le"), null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("chargement")
        verbose_name_plural = _("chargements")
        ordering = ["-id"]
        constraints = [
            known_value("schedule_import_state_known", state=ImportState.values),
            models.CheckConstraint(
                name="schedule_import_age_from_somewhere",
                condition=Q(exported_at__isnull=True, age_from="")
                | (Q(exported_at__isnull=False) & ~Q(age_from="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_state_display()})"

    @property
    def about_counts(self) -> str:
        """The result for the rows in one sentence, in the reader's language."""
        names = ("created", "updated", "moved", "unchanged", "rejected", "missing")
        counts = {name: getattr(self, f"rows_{name}") for name in names}
        return about_counts({"rows": self.rows_total, **counts})

    @property
    def has_sheets_left_out(self) -> bool:
        """Whether a sheet of the workbook was not read."""
        return any(sheet["left_out"] for sheet in self.sheets)

    @property
    def sms(self) -> int:
        """How many SMS patients get because of it: one for each patient and day."""
        return self.sms_now + self.sms_later

    @property
    def has_more_sms(self) -> bool:
        """Whether somebody gets more than one SMS, so that there are more SMS than patients."""
        told = self.told_by_sms_now + self.told_by_sms_later
        return self.sms > told or self.sms_now > self.told_by_sms_now

    @property
    def has_no_phone(self) -> bool:
        """Whether rows were loaded and none of them has a telephone number of its patient."""
        return self.rows_total > self.rows_rejected and self.rows_with_phone == 0


class RejectedRow(models.Model):
    """One fault of one row: where it is, what was found, what to do.

    A row with ``landed`` was loaded without the faulty value.
    """

    schedule_import = models.ForeignKey(
        ScheduleImport, models.CASCADE, related_name="rejected_rows"
    )
    sheet = models.CharField(_("feuille"), max_length=31, blank=True)
    line = models.PositiveIntegerField(_("ligne"))
    column = models.CharField(_("colonne"), max_length=80)
    value = models.CharField(_("valeur"), max_length=200, blank=True)
    why = SentenceField(_("raison"))
    landed = models.BooleanField(_("entrée quand même"), default=False)

    class Meta:
        verbose_name = _("ligne rejetée")
        verbose_name_plural = _("lignes rejetées")
        ordering = ["id"]  # as in the file, sheet after sheet

    def __str__(self) -> str:
        return f"{self.line} {self.column} : {self.why}"


class DisappearedRow(models.Model):
    """An appointment that a load found to have disappeared, or would."""

    schedule_import = models.ForeignKey(
        ScheduleImport, models.CASCADE, related_name="disappeared_rows"
    )
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("rendez-vous disparu")
        verbose_name_plural = _("rendez-vous disparus")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule_import", "appointment"], name="disappeared_row_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.schedule_import_id} {self.appointment_id}"


class ConflictState(models.TextChoices):
    """The state of a conflict."""

    WAITING = "waiting", _("en attente")
    ACCEPTED = "accepted", _("accepté")
    REFUSED = "refused", _("refusé")
    SUPERSEDED = "superseded", _("dépassé par un fichier plus récent")


class Conflict(models.Model):
    """A file of unknown age contradicts what is stored of an appointment.

    It may be older than what is stored, so a person decides. ``record`` is the row as it was read
    (``feeds/records.py``). Accepting the conflict loads this row like any other.

    ::

        waiting ─▶ accepted | refused | superseded (a file of known age named the appointment)
    """

    feed = models.ForeignKey(
        Feed, models.PROTECT, related_name="conflicts", verbose_name=_("source")
    )
    appointment = models.ForeignKey(
        Appointment, models.CASCADE, related_name="conflicts", verbose_name=_("rendez-vous")
    )
    schedule_import = models.ForeignKey(
        ScheduleImport, models.SET_NULL, null=True, blank=True, related_name="conflicts"
    )
    state = models.CharField(
        _("état"), max_length=10, choices=ConflictState.choices, default=ConflictState.WAITING
    )
    record = models.JSONField(encoder=DjangoJSONEncoder)
    row_digest = models.CharField(max_length=32)
    starts_at = models.DateTimeField(_("début selon le fichier"))
    status = models.CharField(_("statut selon le fichier"), max_length=20)
    found_at = models.DateTimeField(_("trouvé le"))
    settled_at = models.DateTimeField(_("décidé le"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("conflit")
        verbose_name_plural = _("conflits")
        ordering = ["id"]
        constraints = [
            known_value("conflict_state_known", state=ConflictState.values),
            models.CheckConstraint(
                name="conflict_settled_iff_not_waiting",
                condition=Q(state="waiting", settled_at__isnull=True)
                | (~Q(state="waiting") & Q(settled_at__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["appointment"],
                condition=Q(state="waiting"),
                name="conflict_one_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.get_state_display()}"

    @property
    def status_label(self) -> str:
        """The status in the file, in the reader's language."""
        return str(Status(self.status).label)


class RefusedState(models.TextChoices):
    """The state of a refused row; see the drawing in ``RefusedRow``."""

    OPEN = "open", _("ouverte")
    MENDED = "mended", _("corrigée")
    CALLED = "called", _("patient appelé")
    DISMISSED = "dismissed", _("écartée")


class RefusedRow(models.Model):
    """One row that a load refused, with what could be read about the patient.

    ::

        open ─┬▶ mended      the same source later loaded that appointment
              ├▶ called      somebody called the patient by hand
              └▶ dismissed   somebody signs a reason why nothing needs doing
        mended, called, dismissed ─▶ open   refused again with another content

    No bulletin rules on it and no patient is told: only people can handle it.
    ``key`` identifies the row at its source, so that the same file loaded twice stores it once: the
    number of the appointment, or a digest of the row if that is unreadable. ``day`` is None if it
    is unreadable. ``content`` is a digest of what was read.
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
    settled_by = person_or_none_field(
        _("close par"), help_text=_("Vide quand un chargement l'a corrigée.")
    )
    note = models.CharField(_("remarque"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("ligne refusée")
        verbose_name_plural = _("lignes refusées")
        constraints = [
            models.UniqueConstraint(fields=["feed", "key"], name="refused_row_once"),
            known_value("refused_row_state_known", state=RefusedState.values),
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
