"""What all senders share: the pause, and of each gateway its rate, cap, health and sessions; which
hosts send, with their clocks and their connection to each gateway.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class GatewayState(models.Model):
    """One row per gateway that was ever used.

    Moments are on the real clock (``clock.real``), except ``day``. ``away_until`` follows from
    what the gateway itself answered or reported; ``GatewayReach`` holds which hosts cannot reach
    it. ``free_at`` is the theoretical arrival time of a virtual schedule (GCRA, ITU-T I.371): a
    sender moves it on by what the messages cost, and waits until it has come.
    """

    name = models.CharField(_("passerelle"), max_length=40, primary_key=True)
    free_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(_("jour compté"), null=True, blank=True)
    parts_of_day = models.PositiveIntegerField(_("parties ce jour"), default=0)
    away_until = models.DateTimeField(_("hors d'atteinte jusqu'à"), null=True, blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("échecs de suite"), default=0)
    accepted_at = models.DateTimeField(_("dernier message remis"), null=True, blank=True)
    reported_at = models.DateTimeField(_("dernier accusé"), null=True, blank=True)
    throttled_at = models.DateTimeField(_("dernier frein"), null=True, blank=True)
    failed_at = models.DateTimeField(_("dernier échec"), null=True, blank=True)
    complaint = models.CharField(_("dernier échec, en mots"), max_length=200, blank=True)
    two_receipts_at = models.DateTimeField(
        _("deux accusés pour un message long"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("état d'une passerelle")
        verbose_name_plural = _("état des passerelles")

    def __str__(self) -> str:
        return self.name


class GatewaySeat(models.Model):
    """One session of a gateway, leased to a worker (real clock)."""

    gateway = models.CharField(_("passerelle"), max_length=40)
    seat = models.PositiveSmallIntegerField(_("place"))
    worker = models.CharField(_("prise par"), max_length=80)
    until = models.DateTimeField(_("jusqu'à"))

    class Meta:
        verbose_name = _("connexion à une passerelle")
        verbose_name_plural = _("connexions aux passerelles")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "seat"], name="gateway_seat_once"),
            models.CheckConstraint(name="gateway_seat_is_taken", condition=~Q(worker="")),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.seat}: {self.worker}"


class SendingHost(models.Model):
    """A machine on which workers send; it is alive while it was seen a moment ago (real clock)."""

    name = models.CharField(_("machine"), max_length=60, primary_key=True)
    seen_at = models.DateTimeField(_("vue le"))
    clock_ahead = models.FloatField(
        _("avance de son horloge"),
        default=0.0,
        help_text=_("Secondes ; négatif si elle retarde sur la base de données."),
    )

    class Meta:
        verbose_name = _("machine qui envoie")
        verbose_name_plural = _("machines qui envoient")

    def __str__(self) -> str:
        return self.name

    @property
    def seconds_off(self) -> int:
        """By how much its clock is ahead or behind, in whole seconds."""
        return round(abs(self.clock_ahead))


class GatewayReach(models.Model):
    """Whether one host last reached a gateway (real clock)."""

    gateway = models.CharField(_("passerelle"), max_length=40)
    host = models.CharField(_("machine"), max_length=60)
    away_until = models.DateTimeField(_("hors d'atteinte jusqu'à"), null=True, blank=True)
    failures_in_a_row = models.PositiveIntegerField(_("échecs de suite"), default=0)
    failed_at = models.DateTimeField(_("dernier échec"), null=True, blank=True)
    complaint = models.CharField(_("dernier échec, en mots"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("chemin vers une passerelle")
        verbose_name_plural = _("chemins vers les passerelles")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "host"], name="gateway_reach_once")
        ]

    def __str__(self) -> str:
        return f"{self.host} → {self.gateway}"


class ClockStep(models.Model):
    """The clock was set back: events between the two moments have no order.

    Both are the hospital's moments (``clock.now``).
    """

    noticed_at = models.DateTimeField(_("remarqué le"))
    was_at = models.DateTimeField(_("elle montrait"))

    class Meta:
        verbose_name = _("recul de l'horloge")
        verbose_name_plural = _("reculs de l'horloge")
        constraints = [
            models.CheckConstraint(
                name="clock_step_is_back", condition=Q(was_at__gt=models.F("noticed_at"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.was_at} → {self.noticed_at}"


class Sending(models.Model):
    """The one row of the pause; workers read it before each hand-over."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    paused_at = models.DateTimeField(_("en pause depuis"), null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("mis en pause par"),
    )

    class Meta:
        verbose_name = _("envoi des messages")
        verbose_name_plural = _("envoi des messages")
        constraints = [
            models.CheckConstraint(name="sending_single", condition=Q(id=1)),
            models.CheckConstraint(
                name="sending_paused_by_someone",
                condition=Q(paused_at__isnull=True, paused_by__isnull=True)
                | Q(paused_at__isnull=False, paused_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return "en pause" if self.paused_at else "en marche"

    @classmethod
    def is_paused(cls) -> bool:
        """Whether all sending is held."""
        return cls.objects.filter(paused_at__isnull=False).exists()
