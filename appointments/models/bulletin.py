"""What the crisis cell orders."""

import datetime as dt

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.vocabulary import KeptBy, Ruling, Tell
from staff import clock
from staff.models.fields import both_or_neither, known_value, person_field, person_or_none_field
from staff.sentences import SentenceField


class BulletinState(models.TextChoices):
    """The state of a bulletin; see the drawing in ``Bulletin``."""

    DRAFT = "draft", _("brouillon")
    IN_FORCE = "in_force", _("en vigueur")
    SUPERSEDED = "superseded", _("remplacé")
    WITHDRAWN = "withdrawn", _("retiré")


class Bulletin(models.Model):
    """An order of the crisis cell for a window of days.

    ::

        draft ⇄ draft, ready ──▶ in_force ──▶ superseded   every day is ruled by a newer one
          └────────┴──▶ (gone)       │  ▲       └──▶ in_force   put back when that one is withdrawn
                                     └──┴──────▶ withdrawn     asked by one person, done by another

    Of the bulletins in force, only the one approved last rules a day. It also rules what a feed
    brings later. The person who approves is never the one who drafted. A
    draft is ready once its author says so, until somebody edits it; it can be deleted.
    """

    title = models.CharField(_("titre"), max_length=120)
    state = models.CharField(
        _("état"), max_length=12, choices=BulletinState.choices, default=BulletinState.DRAFT
    )
    first_day = models.DateField(_("premier jour"))
    last_day = models.DateField(_("dernier jour"))
    release_at = models.DateTimeField(
        _("envoi des SMS à partir de"),
        help_text=_("Jusque-là les SMS sont retenus et les médecins gardent leurs patients."),
    )
    quiet_hours_override_reason = models.TextField(
        _("motif de l'envoi pendant les heures calmes"),
        blank=True,
        max_length=200,
        help_text=_("Vide : les SMS attendent la fin des heures calmes."),
    )
    source_text = models.TextField(_("texte d'origine"), blank=True)
    public_texts = models.JSONField(
        _("textes publics écrits à la main"), default=dict, blank=True, editable=False
    )
    drafted_by = person_field(_("rédigé par"))
    drafted_at = models.DateTimeField(_("rédigé le"))
    ready_by = person_or_none_field(_("dit prêt par"))
    ready_at = models.DateTimeField(_("dit prêt le"), null=True, blank=True)
    approved_by = person_or_none_field(_("approuvé par"))
    approved_at = models.DateTimeField(_("approuvé le"), null=True, blank=True)
    released_by = person_or_none_field(_("envoyé avant l'heure par"))
    released_at = models.DateTimeField(_("envoyé avant l'heure le"), null=True, blank=True)
    withdrawal_asked_by = person_or_none_field(_("retrait demandé par"))
    withdrawal_asked_at = models.DateTimeField(_("retrait demandé le"), null=True, blank=True)
    withdrawal_restores = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("bulletin remis en vigueur"),
    )
    withdrawal_sends_back = models.BooleanField(
        _("redemande les décisions des personnes"), default=False
    )
    withdrawal_by_sms = models.BooleanField(_("« maintenu » par SMS"), default=False)
    restored_by = person_or_none_field(_("remis en vigueur par"))
    restored_at = models.DateTimeField(_("remis en vigueur le"), null=True, blank=True)
    withdrawn_by = person_or_none_field(_("retiré par"))
    withdrawn_at = models.DateTimeField(_("retiré le"), null=True, blank=True)
    # What is said of the two accounts where one third person made both (staff/access.py).
    approval_remark = SentenceField(blank=True, default="", db_default="")
    withdrawal_reason = models.CharField(_("motif du retrait"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("bulletin")
        verbose_name_plural = _("bulletins")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="bulletin_window", condition=Q(last_day__gte=F("first_day"))
            ),
            known_value("bulletin_state_known", state=BulletinState.values),
            models.CheckConstraint(
                name="bulletin_ready_by_its_author",
                condition=Q(ready_by__isnull=True, ready_at__isnull=True)
                | Q(ready_by=F("drafted_by"), ready_by__isnull=False, ready_at__isnull=False),
            ),
            models.CheckConstraint(
                name="bulletin_approved_when_ready",
                condition=Q(approved_at__isnull=True) | Q(ready_at__isnull=False),
            ),
            models.CheckConstraint(
                name="bulletin_approval_paired",
                condition=both_or_neither("approved_by", "approved_at"),
            ),
            models.CheckConstraint(
                name="bulletin_release_paired",
                condition=Q(released_by__isnull=True, released_at__isnull=True)
                | Q(
                    released_by__isnull=False,
                    released_at__isnull=False,
                    approved_at__isnull=False,
                    released_at__lt=F("release_at"),
                ),
            ),
            models.CheckConstraint(
                name="bulletin_two_people",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("drafted_by")),
            ),
            models.CheckConstraint(
                name="bulletin_approved_iff_left_draft",
                condition=Q(state="draft", approved_at__isnull=True)
                | (~Q(state="draft") & Q(approved_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="bulletin_withdrawal_complete",
                condition=Q(
                    withdrawn_by__isnull=True, withdrawn_at__isnull=True, withdrawal_reason=""
                )
                | (
                    Q(state="in_force", withdrawal_asked_at__isnull=False)
                    & Q(withdrawn_by__isnull=True, withdrawn_at__isnull=True)
                    & ~Q(withdrawal_reason="")
                )
                | (
                    Q(state="withdrawn", withdrawn_by__isnull=False, withdrawn_at__isnull=False)
                    & ~Q(withdrawal_reason="")
                ),
            ),
            models.CheckConstraint(
                name="bulletin_withdrawal_asked_paired",
                condition=Q(withdrawal_asked_by__isnull=True, withdrawal_asked_at__isnull=True)
                | (
                    Q(withdrawal_asked_by__isnull=False, withdrawal_asked_at__isnull=False)
                    & ~Q(withdrawal_reason="")
                ),
            ),
            models.CheckConstraint(
                name="bulletin_withdrawal_two_people",
                condition=Q(withdrawn_by__isnull=True)
                | Q(withdrawal_asked_by__isnull=True)
                | ~Q(withdrawn_by=F("withdrawal_asked_by")),
            ),
            models.CheckConstraint(
                name="bulletin_restored_paired",
                condition=both_or_neither("restored_by", "restored_at"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} – {self.title}"

    @property
    def days(self) -> list[dt.date]:
        """Every day of its window, whether or not a newer bulletin rules it."""
        return clock.days_between(self.first_day, self.last_day)

    @property
    def leaves_at(self) -> dt.datetime:
        """When its first SMS may leave: the hour that was ordered, or an earlier release."""
        return self.released_at or self.release_at

    @property
    def waits_for_withdrawal(self) -> bool:
        """Whether its withdrawal was requested and waits for a second person."""
        return self.state == BulletinState.IN_FORCE and self.withdrawal_asked_at is not None

    @property
    def has_ended(self) -> bool:
        """Whether it was in force and no longer orders anything."""
        return self.state in (BulletinState.SUPERSEDED, BulletinState.WITHDRAWN)

    @property
    def is_ready(self) -> bool:
        """Whether it is a draft that waits for a second person."""
        return self.state == BulletinState.DRAFT and self.ready_at is not None


class Clause(models.Model):
    """One row of a bulletin: the patients it selects and what it orders.

    The selectors are lists of codes; an empty list selects everything. ``sites`` and ``units``
    hold the codes of the reference data, ``days`` ISO dates.
    """

    bulletin = models.ForeignKey(Bulletin, models.CASCADE, related_name="clauses")
    position = models.PositiveSmallIntegerField(_("position"))
    services = models.JSONField(_("activités"), default=list, blank=True)
    sites = models.JSONField(_("sites"), default=list, blank=True)
    units = models.JSONField(_("unités"), default=list, blank=True)
    days = models.JSONField(_("jours"), default=list, blank=True)
    groups = models.JSONField(_("groupes protégés"), default=list, blank=True)
    ruling = models.CharField(_("décision"), max_length=12, choices=Ruling.choices)
    tell = models.CharField(_("prévenir"), max_length=12, choices=Tell.choices)
    channel = models.CharField(
        _("par"),
        max_length=8,
        choices=[("sms", _("SMS")), ("phone", _("téléphone"))],
        default="sms",
    )
    kept_by = models.CharField(
        _("peut garder"), max_length=20, choices=KeptBy.choices, default=KeptBy.NOBODY
    )
    keep_until = models.DateTimeField(_("garder jusqu'à"), null=True, blank=True)

    class Meta:
        verbose_name = _("clause")
        verbose_name_plural = _("clauses")
        ordering = ["bulletin", "position"]
        constraints = [
            models.UniqueConstraint(fields=["bulletin", "position"], name="clause_position_once"),
            known_value("clause_ruling_known", ruling=Ruling.values),
            known_value("clause_tell_known", tell=Tell.values),
            known_value("clause_channel_known", channel=["sms", "phone"]),
            known_value("clause_kept_by_known", kept_by=KeptBy.values),
        ]

    def __str__(self) -> str:
        return f"{self.bulletin_id}.{self.position} {self.get_ruling_display()}"
