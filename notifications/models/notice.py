"""The duty to tell a patient something about a day (FHIR: CommunicationRequest), its text, and each
try to tell it over one channel (FHIR: Communication).
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notifications import rules
from notifications.vocabulary import Channel
from patients.models import Language, Patient
from staff import clock
from staff.models import Practitioner, Site
from staff.sentences import SentenceField


class NoticeState(models.TextChoices):
    """Where a notice stands; see ``Notice``."""

    OPEN = "open", _("à prévenir")
    TOLD = "told", _("prévenu")
    UNREACHABLE = "unreachable", _("injoignable")
    WITHDRAWN = "withdrawn", _("retiré")


class Word(models.TextChoices):
    """What a patient is told about an appointment."""

    CANCELLED = "cancelled", _("annulé")
    MAINTAINED = "maintained", _("maintenu")


class Notice(models.Model):
    """One patient, one day, one version of the decisions: told exactly once.

    ``lifecycle.notice_states`` lists the transitions of its state: ``told`` when a gateway or a
    person says that the patient knows, ``unreachable`` when every try failed, ``withdrawn`` when
    the decisions changed before anything was handed over, or while nobody knows if it arrived.

    ``handed_over_at`` is set in the transaction that precedes the network call, or when a call
    reaches the patient. From then on the notice cannot be withdrawn, only followed by a new
    version, except while its SMS is given up and its call is not made yet. At most one notice per
    patient and day is open and not handed over.
    """

    patient = models.ForeignKey(
        Patient,
        models.PROTECT,
        db_index=False,  # the unique key on (patient, day, version) serves
        related_name="notices",
        verbose_name=_("patient"),
    )
    day = models.DateField(_("jour"))
    version = models.PositiveSmallIntegerField(_("version"))
    state = models.CharField(
        _("état"), max_length=12, choices=NoticeState.choices, default=NoticeState.OPEN
    )
    site = models.ForeignKey(
        Site, models.PROTECT, db_index=False, related_name="+", verbose_name=_("site")
    )
    first_at = models.DateTimeField(
        _("premier rendez-vous"), help_text=_("Passé ce moment, prévenir ne sert plus.")
    )
    reserved_for = models.ForeignKey(
        Practitioner,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("médecin qui appelle"),
        help_text=_("Le médecin qui a gardé le patient l'appelle lui-même."),
    )
    created_at = models.DateTimeField(_("ouvert le"))
    handed_over_at = models.DateTimeField(_("remis le"), null=True, blank=True)
    settled_at = models.DateTimeField(_("clos le"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("clos par"),
        help_text=_("Vide quand la passerelle l'a clos."),
    )

    class Meta:
        verbose_name = _("avis")
        verbose_name_plural = _("avis")
        constraints = [
            models.UniqueConstraint(fields=["patient", "day", "version"], name="notice_told_once"),
            models.UniqueConstraint(
                fields=["patient", "day"],
                condition=Q(state="open", handed_over_at__isnull=True),
                name="notice_one_pending",
            ),
            models.CheckConstraint(
                name="notice_state_known", condition=Q(state__in=NoticeState.values)
            ),
            models.CheckConstraint(
                name="notice_settled_iff_closed",
                condition=Q(state="open", settled_at__isnull=True)
                | (~Q(state="open") & Q(settled_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="notice_settler_needs_time",
                condition=Q(settled_by__isnull=True) | Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_told_was_handed_over",
                condition=~Q(state="told") | Q(handed_over_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["day", "state"], name="notice_day_state"),
            # The state is in it for SQLite, which else reads all states of the index above.
            models.Index(fields=["state", "day"], condition=Q(state="open"), name="notice_open"),
            models.Index(
                fields=["reserved_for", "day"],
                condition=Q(reserved_for__isnull=False),
                name="notice_reserved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient} {self.day:%d/%m/%Y} v{self.version}"

    @property
    def reference(self) -> str:
        """The short reference printed in the SMS, which a call agent can check."""
        return rules.reference_of(self.pk, settings.SECRET_KEY)


def notice_id_of(reference: str) -> int | None:
    """Return the notice's number if this is one of our references, in any case and spacing."""
    return rules.notice_id_of(reference, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])


class NoticeItem(models.Model):
    """One appointment in a notice: when, where, kept or not; nothing medical.

    ``subject_id`` is its id in the app that planned it; this app does not know appointments.
    ``postponed_to`` is the day given instead of a cancelled one, ``new_day_suits`` the patient's
    answer to it. ``has_lapsed``: it no longer holds, though an SMS that is out says it (ADR 0014).
    ``record_number`` is the patient's number by which the source planned it.
    """

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="items")
    subject_id = models.BigIntegerField(_("rendez-vous"))
    starts_at = models.DateTimeField(_("heure"))
    site = models.ForeignKey(
        Site, models.PROTECT, db_index=False, related_name="+", verbose_name=_("site")
    )
    word = models.CharField(_("dit"), max_length=10, choices=Word.choices)
    postponed_to = models.DateField(_("reporté au"), null=True, blank=True)
    new_day_suits = models.BooleanField(_("le nouveau jour convient"), null=True, blank=True)
    new_day_answered_at = models.DateTimeField(_("réponse le"), null=True, blank=True)
    has_lapsed = models.BooleanField(
        _("ne vaut plus"),
        default=False,
        db_default=False,
        help_text=_("Changé pendant que le SMS était en route : s'il échoue, on ne le dit plus."),
    )
    record_number = models.CharField(
        _("numéro de dossier"), max_length=80, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("élément d'avis")
        verbose_name_plural = _("éléments d'avis")
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "notice"], name="notice_item_once"),
            models.CheckConstraint(
                name="notice_item_word_known", condition=Q(word__in=Word.values)
            ),
            models.CheckConstraint(
                name="notice_item_postponed_is_cancelled",
                condition=Q(postponed_to__isnull=True) | Q(word="cancelled"),
            ),
            models.CheckConstraint(
                name="notice_item_answer_is_to_a_new_day",
                condition=Q(new_day_suits__isnull=True, new_day_answered_at__isnull=True)
                | Q(
                    new_day_suits__isnull=False,
                    new_day_answered_at__isnull=False,
                    postponed_to__isnull=False,
                ),
            ),
        ]
        indexes = [
            # Few; asked for by the day that was given.
            models.Index(
                fields=["postponed_to"],
                condition=Q(postponed_to__isnull=False),
                name="notice_item_postponed",
            ),
        ]

    def __str__(self) -> str:
        return f"{localtime(self.starts_at):%H:%M} {self.said}"

    @property
    def said(self) -> str:
        """What is said of the appointment, in the reader's language."""
        if self.postponed_to is None:
            return str(Word(self.word).label)
        return gettext("reporté au %(day)s") % {"day": date_format(self.postponed_to, "D j/m/Y")}


class DeliveryState(models.TextChoices):
    """Where a try stands; see ``Delivery``."""

    HELD = "held", _("retenu")
    QUEUED = "queued", _("en attente")
    CLAIMED = "claimed", _("pris en charge")
    SUBMITTING = "submitting", _("en cours de remise")
    ACCEPTED = "accepted", _("remis à l'opérateur")
    DELIVERED = "delivered", _("reçu")
    UNKNOWN = "unknown", _("inconnu")
    FAILED = "failed", _("échoué")
    EXPIRED = "expired", _("périmé")
    WITHDRAWN = "withdrawn", _("retiré")
    SUPPRESSED = "suppressed", _("non envoyé")


UNSENT = (DeliveryState.HELD, DeliveryState.QUEUED)
WITHDRAWABLE = (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.CLAIMED)
HANDED_OVER = (
    DeliveryState.SUBMITTING,
    DeliveryState.ACCEPTED,
    DeliveryState.DELIVERED,
    DeliveryState.UNKNOWN,
)
LIVE = (*WITHDRAWABLE, DeliveryState.SUBMITTING, DeliveryState.ACCEPTED, DeliveryState.UNKNOWN)


class Failure(models.TextChoices):
    """Why a try did not reach the patient."""

    INVALID_NUMBER = "invalid_number", _("numéro invalide")
    UNREACHABLE = "unreachable", _("injoignable")
    REJECTED = "rejected", _("refusé par l'opérateur")
    EXPIRED = "expired", _("trop tard")
    BARRED = "barred", _("numéro bloqué")
    OPTED_OUT = "opted_out", _("refuse les SMS")
    NO_ANSWER = "no_answer", _("ne répond pas")
    WRONG_NUMBER = "wrong_number", _("mauvais numéro")
    CALL_LATER = "call_later", _("demande à être rappelé")
    NO_NUMBER = "no_number", _("pas de numéro utilisable")
    QUIET_HOURS = "quiet_hours", _("heures calmes jusqu'au rendez-vous")
    UNKNOWN = "unknown", _("sort inconnu")


def plain_number() -> Func:
    """Return a gateway's number as ``rules.plain_number``: as the indexes know it."""
    return Func(Lower("provider_id"), Value("0"), function="LTRIM")


class Delivery(models.Model):
    """One try over one channel. ``lifecycle.delivery_states`` lists the transitions of its state.

    - An SMS is ``held`` until ``not_before``, the release time of its bulletin; then it is
      ``queued``, and claimed by ``urgency`` (``rules.urgency``, the smallest first).
    - ``claimed`` is a lease of one worker or call agent until ``lease_until`` on the real clock.
    - ``submitting`` is committed before the network call. After a crash it becomes ``unknown``,
      and goes back to ``queued`` only over a gateway that honours ``client_reference`` as an
      idempotency key.
    - ``accepted`` waits for its receipt until ``lease_until``, then becomes ``unknown``.
    - ``unknown`` is settled by a receipt, a status query or a person, or else ends at
      ``lease_until`` as ``failed`` with the cause ``unknown``, and the patient is called. Neither
      limit is later than ``rules.latest_departure``: the call must be of use.
    - A late receipt may turn ``failed`` or ``expired`` into ``delivered``, never the other way.
    - ``client_reference`` and ``submitted_at`` (the first submission) are set for as long as
      something may have left.
    - A call is ``queued`` while it is on the call list, and ``delivered`` when the patient was
      reached, also after ``withdrawn`` if the notice was withdrawn during the call.
    """

    notice = models.ForeignKey(
        Notice,
        models.PROTECT,
        db_index=False,  # the unique key on (notice, channel, number) serves
        related_name="deliveries",
    )
    channel = models.CharField(_("canal"), max_length=8, choices=Channel.choices)
    number = models.PositiveSmallIntegerField(_("essai"), default=1)
    state = models.CharField(_("état"), max_length=12, choices=DeliveryState.choices)
    address = models.CharField(_("numéro"), max_length=20, blank=True)
    not_before = models.DateTimeField(_("pas avant"))
    urgency = models.PositiveIntegerField(_("urgence"), default=0)
    ignores_quiet_hours = models.BooleanField(_("même pendant les heures calmes"), default=False)
    body = models.TextField(_("texte"), blank=True, help_text=_("Ce qui a été remis."))
    parts = models.PositiveSmallIntegerField(_("parties"), default=0)
    gateway = models.CharField(_("passerelle"), max_length=40, blank=True)
    client_reference = models.CharField(max_length=32, blank=True)
    provider_id = models.CharField(_("numéro chez la passerelle"), max_length=100, blank=True)
    claimed_by = models.CharField(_("pris par"), max_length=80, blank=True)
    lease_until = models.DateTimeField(_("pris jusqu'à"), null=True, blank=True)
    printed_at = models.DateTimeField(
        _("pris sur papier le"),
        null=True,
        blank=True,
        help_text=_("L'agent appelle sans écran et note le résultat plus tard."),
    )
    submitted_at = models.DateTimeField(_("remis le"), null=True, blank=True)
    finished_at = models.DateTimeField(_("terminé le"), null=True, blank=True)
    caller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("appelé par"),
    )
    failure = models.CharField(_("cause"), max_length=16, choices=Failure.choices, blank=True)
    remark = SentenceField(_("remarque"), blank=True)

    class Meta:
        verbose_name = _("envoi")
        verbose_name_plural = _("envois")
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "channel", "number"], name="delivery_try_once"
            ),
            models.UniqueConstraint(
                fields=["notice"],
                condition=Q(state__in=[str(state) for state in LIVE]),
                name="delivery_one_live_per_notice",
            ),
            models.UniqueConstraint(
                fields=["client_reference"],
                condition=~Q(client_reference=""),
                name="delivery_client_reference_once",
            ),
            models.CheckConstraint(
                name="delivery_state_known", condition=Q(state__in=DeliveryState.values)
            ),
            models.CheckConstraint(
                name="delivery_channel_known", condition=Q(channel__in=Channel.values)
            ),
            models.CheckConstraint(
                name="delivery_sms_has_address", condition=~Q(channel="sms") | ~Q(address="")
            ),
            models.CheckConstraint(
                name="delivery_claim_is_a_lease",
                condition=~Q(state="claimed") | (Q(lease_until__isnull=False) & ~Q(claimed_by="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "urgency"], condition=Q(state="held"), name="delivery_held"
            ),
            models.Index(
                fields=["channel", "urgency", "id"],
                condition=Q(state="queued"),
                name="delivery_queued",
            ),
            models.Index(
                fields=["channel", "gateway"],
                condition=Q(state="queued") & ~Q(client_reference=""),
                name="delivery_to_repeat",
            ),
            models.Index(
                fields=["gateway", "lease_until"],
                condition=Q(state="unknown"),
                name="delivery_unknown",
            ),
            models.Index(
                fields=["gateway", "submitted_at"],
                condition=Q(state="accepted", finished_at__isnull=True),
                name="delivery_awaited",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(lease_until__isnull=False),
                name="delivery_leased",
            ),
            models.Index(
                F("gateway"),
                plain_number(),
                condition=~Q(provider_id=""),
                name="delivery_provider_number",
            ),
            models.Index(fields=["finished_at"], name="delivery_finished"),
            models.Index(
                fields=["submitted_at"],
                condition=Q(submitted_at__isnull=False),
                name="delivery_submitted",
            ),
            models.Index(
                fields=["caller", "notice"],
                condition=Q(channel="phone", state="claimed"),
                name="delivery_being_called",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.number} – {self.get_state_display()}"

    @property
    def may_have_left(self) -> bool:
        """Whether the patient may have it: it cannot be withdrawn any more."""
        return self.state in HANDED_OVER or bool(self.client_reference)

    @property
    def is_being_made(self) -> bool:
        """Whether a worker or an agent has it under a lease that has not run out."""
        return (
            self.state == DeliveryState.CLAIMED
            and self.lease_until is not None
            and self.lease_until >= clock.real()
        )


class ToAskAgain(models.Model):
    """A patient and day to bring in line with what is owed (``notice_states.answer``)."""

    patient = models.ForeignKey(Patient, models.CASCADE, db_index=False, related_name="+")
    day = models.DateField(_("jour"))

    class Meta:
        verbose_name = _("question à reposer")
        verbose_name_plural = _("questions à reposer")

    def __str__(self) -> str:
        return f"{self.patient_id} {self.day:%d/%m/%Y}"


class MessageKind(models.TextChoices):
    """Which sentence; ``call_*`` is read out by an agent, the others are sent."""

    CANCELLED = "cancelled", _("SMS : annulé")
    MAINTAINED = "maintained", _("SMS : maintenu")
    MIXED = "mixed", _("SMS : annulé et maintenu")
    CALL_CANCELLED = "call_cancelled", _("appel : annulé")
    CALL_MAINTAINED = "call_maintained", _("appel : maintenu")
    CALL_MIXED = "call_mixed", _("appel : annulé et maintenu")
    CALL_POSTPONED = "call_postponed", _("appel : reporté à une date")


class MessageText(models.Model):
    """Replaces the shipped text of one language and kind (``templates/sms``)."""

    language = models.CharField(_("langue"), max_length=2, choices=Language.choices)
    kind = models.CharField(_("message"), max_length=16, choices=MessageKind.choices)
    body = models.TextField(_("texte"))

    class Meta:
        verbose_name = _("texte de message")
        verbose_name_plural = _("textes de message")
        ordering = ["language", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["language", "kind"], name="message_text_once"),
            models.CheckConstraint(
                name="message_text_kind_known",
                condition=Q(kind__in=MessageKind.values),
            ),
            models.CheckConstraint(
                name="message_text_language_known",
                condition=Q(language__in=Language.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_language_display()} – {self.get_kind_display()}"
