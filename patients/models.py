"""Who the patients are and how they are reached. FHIR: Patient."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Language(models.TextChoices):
    """Languages in which a patient is written to."""

    FRENCH = "fr", _("français")
    DUTCH = "nl", _("néerlandais")
    GERMAN = "de", _("allemand")
    ENGLISH = "en", _("anglais")


class Patient(models.Model):
    """One person, as the newest feed describes them.

    ``mobile`` and ``landline`` are E.164 (``patients/phones.py`` tells them apart; only a
    mobile gets an SMS). A wrong national number is kept and flagged, never refused.
    Who refuses reminders (``reminder_opt_out_at``) still gets SMS about what changed; who refuses
    SMS (``sms_opt_out_at``) is called. ``search_name`` is the name folded to ASCII capitals, so
    that search needs no extension; ``search_given_name`` is the same with the given name first,
    so that an index answers for it alone.
    """

    family_name = models.CharField(_("nom"), max_length=80)
    given_name = models.CharField(_("prénom"), max_length=80, blank=True)
    birth_date = models.DateField(_("date de naissance"), null=True, blank=True, db_index=True)
    language = models.CharField(
        _("langue"), max_length=2, choices=Language.choices, default=Language.FRENCH
    )
    national_number = models.CharField(_("numéro national"), max_length=20, blank=True)
    national_number_valid = models.BooleanField(_("numéro national valide"), default=True)
    mobile = models.CharField(_("GSM"), max_length=20, blank=True, db_index=True)
    landline = models.CharField(_("téléphone fixe"), max_length=20, blank=True, db_index=True)
    sms_opt_out_at = models.DateTimeField(_("refuse les SMS depuis"), null=True, blank=True)
    reminder_opt_out_at = models.DateTimeField(
        _("refuse les rappels depuis"), null=True, blank=True
    )
    search_name = models.CharField(max_length=170, db_index=True, editable=False)
    search_given_name = models.CharField(
        max_length=170, db_index=True, db_default="", editable=False
    )

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        constraints = [
            models.CheckConstraint(
                name="patient_mobile_international",
                condition=models.Q(mobile="") | models.Q(mobile__startswith="+"),
            ),
            models.CheckConstraint(
                name="patient_landline_international",
                condition=models.Q(landline="") | models.Q(landline__startswith="+"),
            ),
            models.CheckConstraint(
                name="patient_language_known", condition=models.Q(language__in=Language.values)
            ),
        ]
        indexes = [
            models.Index(fields=["national_number"], name="patient_national_number"),
        ]

    def __str__(self) -> str:
        return f"{self.family_name.upper()} {self.given_name}".strip()


class PatientIdentifier(models.Model):
    """The number by which one source knows a patient (record number). FHIR: Identifier.

    ``known_since`` is when a source first named it; None where that was not kept.
    """

    patient = models.ForeignKey(
        Patient, models.CASCADE, related_name="identifiers", verbose_name=_("patient")
    )
    system = models.CharField(_("source"), max_length=40)
    value = models.CharField(_("numéro de dossier"), max_length=80, db_index=True)
    known_since = models.DateTimeField(_("connu depuis"), null=True, blank=True)

    class Meta:
        verbose_name = _("identifiant")
        verbose_name_plural = _("identifiants")
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="patient_identifier_once")
        ]

    def __str__(self) -> str:
        return f"{self.system}:{self.value}"
