"""What happened to an appointment on the day."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models.appointment import Appointment
from appointments.vocabulary import Attended


class Attendance(models.Model):
    """What a unit noted of one appointment. Append-only; the latest stands.

    ``Appointment.status`` is the source's word and stays as it was. ``cleared`` takes back what
    stood. ``day`` is the day that the note speaks of: the planned one, or the one to which a person
    postponed it; each day of an appointment has versions of its own. ``happened_at`` is when it was
    seen, ``noted_at`` when it was written here: later, when it comes from a sheet of paper. A tick
    without an hour on the sheet counts at the planned hour, and ``hour_is_known`` says that.
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
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        db_index=False,
        related_name="+",
        verbose_name=_("noté par"),
    )
    from_paper = models.BooleanField(_("d'après le papier"), default=False)
    remark = models.CharField(_("remarque"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("présence")
        verbose_name_plural = _("présences")
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "day", "version"], name="attendance_version_once"
            ),
            models.CheckConstraint(
                name="attendance_what_known", condition=Q(what__in=Attended.values)
            ),
            models.CheckConstraint(
                name="attendance_not_before_it_happened",
                condition=Q(happened_at__lte=F("noted_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_what_display()} (v{self.version})"
