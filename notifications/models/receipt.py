"""What comes back: receipts (FHIR: Communication.status), replies, and questions of callers."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from notifications.models.delivery import Delivery, Failure, plain_number
from notifications.models.notice import Notice
from patients.models import Patient


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
