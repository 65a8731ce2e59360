"""One planned act for one patient. FHIR: Appointment."""

from django.db import models
from django.db.models import F, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from appointments.vocabulary import Attended, Outcome, Priority, ProtectedGroup, Service, Status
from patients.models import Patient
from staff.models import Practitioner, Unit
from staff.models.fields import both_or_neither, known_value, person_field


class Appointment(models.Model):
    """What a feed planned; ``status`` comes from the source and is never overwritten.

    ``outcome``, ``outcome_basis``, ``postponed_to`` and ``decision_version`` repeat the latest
    ``Decision`` for reading. No index holds them, except that of the few postponed ones, so that
    PostgreSQL updates them in place (fillfactor 80, see ADR 0004). ``day`` is the local
    date of ``starts_at`` in Europe/Brussels.
    ``protected_groups`` holds sorted codes separated by spaces. ``record_number`` is the patient's
    number at the source: it allows splitting a patient with several numbers again.
    ``may_be_double`` is set when another source plans the appointment too, and never cleared:
    only these few are checked for double entries.
    """

    feed = models.ForeignKey(
        "appointments.Feed",
        models.PROTECT,
        db_index=False,
        related_name="appointments",
        verbose_name=_("source"),
    )
    source_id = models.CharField(_("numéro à la source"), max_length=80)
    patient = models.ForeignKey(
        Patient,
        models.PROTECT,
        db_index=False,  # the index on (patient, day) serves
        related_name="appointments",
        verbose_name=_("patient"),
    )
    record_number = models.CharField(
        _("numéro de dossier"), max_length=80, blank=True, default="", db_default=""
    )
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        db_index=False,  # the index on (unit, day) serves
        related_name="appointments",
        verbose_name=_("unité"),
    )
    practitioner = models.ForeignKey(
        Practitioner,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # the index on (practitioner, day) serves
        related_name="appointments",
        verbose_name=_("praticien"),
    )
    service = models.CharField(_("activité"), max_length=20, choices=Service.choices)
    status = models.CharField(
        _("statut à la source"), max_length=20, choices=Status.choices, default=Status.BOOKED
    )
    starts_at = models.DateTimeField(_("début"))
    day = models.DateField(_("jour"))
    minutes = models.PositiveSmallIntegerField(_("durée (min)"), null=True, blank=True)
    act = models.CharField(_("acte"), max_length=200, blank=True)
    priority = models.CharField(
        _("urgence"), max_length=8, choices=Priority.choices, default=Priority.ROUTINE
    )
    protected_groups = models.CharField(_("groupes protégés"), max_length=80, blank=True)

    row_digest = models.CharField(max_length=32, blank=True, editable=False)
    loaded_at = models.DateTimeField(_("lu le"))
    moved_from = models.DateTimeField(_("déplacé de"), null=True, blank=True)
    moved_at = models.DateTimeField(_("déplacement lu le"), null=True, blank=True)
    missing_since = models.DateTimeField(_("absent de la source depuis"), null=True, blank=True)
    may_be_double = models.BooleanField(default=False, db_default=False, editable=False)

    outcome = models.CharField(_("décision"), max_length=12, choices=Outcome.choices, blank=True)
    outcome_basis = models.CharField(max_length=8, blank=True)
    decision_version = models.PositiveSmallIntegerField(default=0)
    postponed_to = models.DateField(_("reporté au"), null=True, blank=True)

    class Meta:
        verbose_name = _("rendez-vous")
        verbose_name_plural = _("rendez-vous")
        constraints = [
            models.UniqueConstraint(fields=["feed", "source_id"], name="appointment_source_once"),
            known_value("appointment_service_known", service=Service.values),
            known_value("appointment_status_known", status=Status.values),
            known_value("appointment_outcome_known", outcome=["", *Outcome.values]),
            models.CheckConstraint(
                name="appointment_outcome_iff_decided",
                condition=Q(outcome="", outcome_basis="", decision_version=0)
                | (~Q(outcome="") & ~Q(outcome_basis="") & Q(decision_version__gte=1)),
            ),
            models.CheckConstraint(
                name="appointment_emergency_never_cancelled",
                condition=~Q(service="emergency") | Q(outcome__in=["", "maintained"]),
            ),
            models.CheckConstraint(
                name="appointment_postponed_is_cancelled",
                condition=Q(postponed_to__isnull=True)
                | Q(outcome="cancelled", outcome_basis="person"),
            ),
            models.CheckConstraint(
                name="appointment_move_paired",
                condition=both_or_neither("moved_from", "moved_at"),
            ),
        ]
        indexes = [
            models.Index(fields=["day", "unit"], name="appointment_day_unit"),
            models.Index(fields=["unit", "day"], name="appointment_unit_day"),
            models.Index(fields=["patient", "day"], name="appointment_patient_day"),
            models.Index(fields=["practitioner", "day"], name="appointment_practitioner_day"),
            models.Index(fields=["starts_at", "id"], name="appointment_starts_at"),
            models.Index(
                fields=["postponed_to", "unit"],
                condition=Q(postponed_to__isnull=False),
                name="appointment_postponed",
            ),
            # A partial index: few rows among years of others.
            models.Index(
                fields=["starts_at", "id"],
                condition=Q(missing_since__isnull=False),
                name="appointment_missing",
            ),
            models.Index(
                fields=["starts_at", "id"],
                condition=Q(moved_at__isnull=False),
                name="appointment_moved",
            ),
            models.Index(
                fields=["starts_at", "id"],
                condition=Q(may_be_double=True),
                name="appointment_double",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_service_display()} {localtime(self.starts_at):%d/%m/%Y %H:%M}"

    @property
    def contested(self) -> models.Model | None:
        """Its conflict that waits for a person (one query)."""
        return self.conflicts.filter(state="waiting").first()

    @property
    def groups(self) -> frozenset[str]:
        """The protected groups as a set of codes."""
        return frozenset(self.protected_groups.split())

    @property
    def group_labels(self) -> list[str]:
        """The protected groups in the reader's language."""
        return [str(ProtectedGroup(code).label) for code in self.protected_groups.split()]


class Attendance(models.Model):
    """What a unit noted about one appointment. Append-only; the latest version holds.

    ``Appointment.status`` comes from the source and does not change. ``cleared`` cancels the note
    before. ``day`` is the day of the note: the planned one, or the one to which a person postponed
    the appointment; each day has its own versions. ``happened_at`` is when it was seen.
    ``noted_at`` is when it was entered here: later, if it comes from a sheet of paper. A tick
    without an hour on the sheet counts at the planned hour, with ``hour_is_known`` false.
    """

    appointment = models.ForeignKey(
        Appointment,
        models.PROTECT,
        db_index=False,  # the unique key on (appointment, day, version) serves
        related_name="attendances",
        verbose_name=_("rendez-vous"),
    )
    day = models.DateField(_("jour"))
    version = models.PositiveSmallIntegerField(_("version"))
    what = models.CharField(_("ce qui s'est passé"), max_length=8, choices=Attended.choices)
    happened_at = models.DateTimeField(_("à"))
    hour_is_known = models.BooleanField(_("heure notée"), default=True, db_default=True)
    noted_at = models.DateTimeField(_("noté le"))
    noted_by = person_field(_("noté par"), db_index=False)
    from_paper = models.BooleanField(_("d'après le papier"), default=False)
    remark = models.CharField(_("remarque"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("présence")
        verbose_name_plural = _("présences")
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "day", "version"], name="attendance_version_once"
            ),
            known_value("attendance_what_known", what=Attended.values),
            models.CheckConstraint(
                name="attendance_not_before_it_happened",
                condition=Q(happened_at__lte=F("noted_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} (v{self.version})"
