"""What was printed for a unit and a day."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from staff.models import Unit
from staff.models.fields import known_value, person_or_none_field
from staff.sentences import SentenceField


class RosterState(models.TextChoices):
    """The state of a printed roster."""

    WAITING = "waiting", _("en attente")
    READY = "ready", _("prête")
    FAILED = "failed", _("échouée")


class Roster(models.Model):
    """One version of a unit's paper for a day; a new version replaces the one before.

    ::

        waiting ─▶ ready
          ▲  └───▶ failed ─▶ waiting   (asked for again, the content being the same)

    ``content_digest`` covers everything printed: unchanged content makes no new version.
    ``plan_digest`` leaves out which patients were told. That changes by the minute while messages
    go out, and the printed sheet stays valid.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="rosters", verbose_name=_("unité"))
    day = models.DateField(_("jour"))
    version = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(
        _("état"), max_length=8, choices=RosterState.choices, default=RosterState.WAITING
    )
    content_digest = models.CharField(max_length=64, blank=True)
    plan_digest = models.CharField(max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField(_("pages"), default=0)
    file = models.FileField(upload_to="rosters/", max_length=200, blank=True)
    message = SentenceField(_("message"), blank=True)
    made_at = models.DateTimeField(_("établie le"))
    made_by = person_or_none_field(_("demandée par"))

    class Meta:
        verbose_name = _("feuille de service")
        verbose_name_plural = _("feuilles de service")
        constraints = [
            models.UniqueConstraint(fields=["unit", "day", "version"], name="roster_version_once"),
            models.CheckConstraint(name="roster_version_from_one", condition=Q(version__gte=1)),
            known_value("roster_state_known", state=RosterState.values),
            models.CheckConstraint(
                name="roster_ready_has_its_file", condition=~Q(state="ready") | ~Q(file="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(state="waiting"), name="roster_waiting"
            ),  # what the sweep looks for
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.day:%d/%m/%Y} v{self.version}"
