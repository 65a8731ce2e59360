"""What all senders share (the pause, and of each gateway its rate, cap, health and sessions; which
hosts send, with their clocks and their connection to each gateway), and what comes back: receipts
(FHIR: Communication.status), replies, and questions of callers.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from notifications.models.notice import Delivery, Failure, Notice, plain_number
from patients.models import Patient


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


class ReceiptState(models.TextChoices):
    """What a receipt says of a message."""

    ON_ITS_WAY = "on_its_way", _("en route")
    DELIVERED = "delivered", _("reçu")
    FAILED = "failed", _("échoué")
    EXPIRED = "expired", _("périmé")


class DeliveryPart(models.Model):
    """One part of a long SMS of a gateway that numbers each part."""

    delivery = models.ForeignKey(
        Delivery, models.CASCADE, db_index=False, related_name="numbered_parts"
    )
    part = models.PositiveSmallIntegerField(_("partie"))
    gateway = models.CharField(_("passerelle"), max_length=40)
    provider_id = models.CharField(_("numéro chez la passerelle"), max_length=100)
    state = models.CharField(
        _("état"), max_length=12, choices=ReceiptState.choices, default=ReceiptState.ON_ITS_WAY
    )

    class Meta:
        verbose_name = _("partie d'un SMS")
        verbose_name_plural = _("parties d'un SMS")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "part"], name="delivery_part_once"),
            models.CheckConstraint(
                name="delivery_part_state_known", condition=Q(state__in=ReceiptState.values)
            ),
        ]
        indexes = [models.Index(F("gateway"), plain_number(), name="delivery_part_plain_number")]

    def __str__(self) -> str:
        return f"{self.part}: {self.get_state_display()}"


class Receipt(models.Model):
    """What a gateway reported about one message; append-only.

    A receipt without ``delivery`` is unmatched: it may have come before the answer to the
    submission, so it is looked at again for a while, and shown. Two receipts of a gateway with
    the same ``key`` are the same.
    """

    gateway = models.CharField(_("passerelle"), max_length=40)
    key = models.CharField(max_length=64)
    delivery = models.ForeignKey(
        Delivery, models.PROTECT, null=True, blank=True, related_name="receipts"
    )
    state = models.CharField(_("dit"), max_length=12, choices=ReceiptState.choices)
    failure = models.CharField(_("cause"), max_length=16, choices=Failure.choices, blank=True)
    reference = models.CharField(max_length=32, blank=True)
    provider_id = models.CharField(_("numéro chez la passerelle"), max_length=100, blank=True)
    other_ids = models.CharField(
        max_length=200, blank=True, help_text=_("Autres formes du numéro, séparées d'un espace.")
    )
    phone = models.CharField(_("numéro"), max_length=20, blank=True)
    remark = models.CharField(_("remarque"), max_length=200, blank=True)
    temporary = models.BooleanField(
        _("passager"), default=False, help_text=_("Rien n'est parti : un autre essai peut suivre.")
    )
    happened_at = models.DateTimeField(_("d'après la passerelle"), null=True, blank=True)
    received_at = models.DateTimeField(_("reçu le"))
    # Not columns: known only while the report is being read.
    in_trouble = False
    is_new = False

    class Meta:
        verbose_name = _("accusé")
        verbose_name_plural = _("accusés")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "key"], name="receipt_once"),
            models.CheckConstraint(
                name="receipt_state_known", condition=Q(state__in=ReceiptState.values)
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=Q(delivery__isnull=True),
                name="receipt_unmatched",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway}: {self.get_state_display()}"

    @property
    def numbers(self) -> tuple[str, ...]:
        """The message's number at the gateway, in every form it may have."""
        return (self.provider_id, *self.other_ids.split()) if self.provider_id else ()


class ReplyMeaning(models.TextChoices):
    """What a patient's SMS says."""

    STOP = "stop", _("ne veut plus de SMS")
    OTHER = "other", _("autre réponse")


class ReplyOutcome(models.TextChoices):
    """The outcome once somebody spoke with the patient."""

    NO_SMS_AT_ALL = "no_sms_at_all", _("plus aucun SMS : appeler")
    NO_REMINDERS = "no_reminders", _("plus de rappels, mais bien les annulations")
    SMS_AGAIN = "sms_again", _("de nouveau des SMS")
    SEEN = "seen", _("vu")


class Reply(models.Model):
    """An SMS of a patient; it waits until an agent records its outcome.

    STOP ends SMS at once and asks for a call: the patient may mean reminders only, and a
    cancellation must reach them either way.
    """

    gateway = models.CharField(_("passerelle"), max_length=40)
    key = models.CharField(max_length=64)
    phone = models.CharField(_("numéro"), max_length=20)
    text = models.TextField(_("texte"))
    meaning = models.CharField(_("sens"), max_length=8, choices=ReplyMeaning.choices)
    patient = models.ForeignKey(
        Patient, models.PROTECT, null=True, blank=True, related_name="replies"
    )
    notice = models.ForeignKey(
        Notice, models.PROTECT, null=True, blank=True, related_name="replies"
    )
    received_at = models.DateTimeField(_("reçue le"))
    outcome = models.CharField(_("suite"), max_length=16, choices=ReplyOutcome.choices, blank=True)
    handled_at = models.DateTimeField(_("traitée le"), null=True, blank=True)
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("traitée par"),
    )

    class Meta:
        verbose_name = _("réponse")
        verbose_name_plural = _("réponses")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "key"], name="reply_once"),
            models.CheckConstraint(
                name="reply_meaning_known", condition=Q(meaning__in=ReplyMeaning.values)
            ),
            models.CheckConstraint(
                name="reply_handled_by_someone_somehow",
                condition=Q(handled_at__isnull=True, handled_by__isnull=True, outcome="")
                | (
                    Q(handled_at__isnull=False, handled_by__isnull=False)
                    & Q(outcome__in=ReplyOutcome.values)
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(handled_at__isnull=True), name="reply_waiting"
            ),
            models.Index(fields=["received_at", "id"], name="reply_received"),
        ]

    def __str__(self) -> str:
        return f"{self.phone} {self.get_meaning_display()}"


class FoundBy(models.TextChoices):
    """How the agent found the patient."""

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
    """A person called and was answered; the database refuses to change or delete it.

    ``notice`` is the one that was in force when ``said`` was read out, ``day`` the day it was
    about. ``reference`` is what the caller read out, ours or not.
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
