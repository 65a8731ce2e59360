"""One try to tell a notice over one channel. FHIR: Communication."""

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from notifications.models.notice import Notice
from notifications.vocabulary import Channel
from staff import clock
from staff.sentences import SentenceField


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
    """Return a gateway's number as ``receipt_rules.plain``: as the indexes know it."""
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
