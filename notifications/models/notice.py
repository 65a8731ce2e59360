"""The duty to tell a patient something about a day (FHIR: CommunicationRequest), and its text."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from patients.models import Language, Patient
from staff.models import Practitioner, Site


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
        from notifications.references import reference_of

        return reference_of(self.pk)


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
