"""The patients and their telephones. FHIR: Patient."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.phones import Phone


class Language(models.TextChoices):
    """Languages of the messages to patients."""

    FRENCH = "fr", _("français")
    DUTCH = "nl", _("néerlandais")
    GERMAN = "de", _("allemand")
    ENGLISH = "en", _("anglais")


class Patient(models.Model):
    """One person, as the newest feed describes them.

    ``mobile`` and ``landline`` are E.164 (``patients/phones.py`` tells them apart; only a
    mobile gets an SMS), the first of each kind among ``phones``. A wrong national number is kept
    and flagged, never refused. A patient who refuses reminders (``reminder_opt_out_at``) still
    gets SMS about what changed; one who refuses SMS (``sms_opt_out_at``) is called.
    ``search_name`` is the name folded to ASCII capitals, so that search needs no extension;
    ``search_given_name`` is the same with the given name first, so that the given name alone has an
    index; ``search_sound`` is its sound (``patients/names.py``).
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
    search_sound = models.CharField(max_length=170, db_index=True, db_default="", editable=False)
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

    @property
    def numbers(self) -> tuple[Phone, ...]:
        """Every number of the patient, in order; lists fetch ``phones`` beforehand.

        A mobile or landline that is not in the list comes first: messages go to it.
        """
        listed = {one.number: one for one in self.phones.all()}
        alone = [
            Phone(number, is_mobile)
            for number, is_mobile in ((self.mobile, True), (self.landline, False))
            if number and number not in listed
        ]
        kept = [Phone(one.number, one.is_mobile, one.label) for one in listed.values()]
        return (*alone, *kept)


class PhoneKind(models.TextChoices):
    """The kind of a number."""

    MOBILE = "mobile", _("GSM")
    LANDLINE = "landline", _("fixe")


class PatientPhone(models.Model):
    """One of a patient's numbers, in the order of trying them. FHIR: ContactPoint.

    The first mobile and the first landline of a patient are also ``Patient.mobile`` and
    ``Patient.landline``, which statements over many patients read;
    ``patients/services/registration.py`` writes all three.
    """

    patient = models.ForeignKey(
        Patient,
        models.CASCADE,
        db_index=False,  # the unique key on (patient, position) serves
        related_name="phones",
        verbose_name=_("patient"),
    )
    position = models.PositiveSmallIntegerField(_("rang"))
    number = models.CharField(_("numéro"), max_length=20, db_index=True)
    kind = models.CharField(_("sorte"), max_length=8, choices=PhoneKind.choices)
    label = models.CharField(
        _("à qui, où"),
        max_length=40,
        blank=True,
        help_text=_("Ce que la source en dit : « fille », « bureau », « poste 12 »."),
    )

    class Meta:
        verbose_name = _("numéro de téléphone")
        verbose_name_plural = _("numéros de téléphone")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["patient", "position"], name="patient_phone_position"),
            models.UniqueConstraint(fields=["patient", "number"], name="patient_phone_once"),
            models.CheckConstraint(
                name="patient_phone_international", condition=models.Q(number__startswith="+")
            ),
            models.CheckConstraint(
                name="patient_phone_kind_known", condition=models.Q(kind__in=PhoneKind.values)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_mobile(self) -> bool:
        """Whether an SMS can reach it."""
        return self.kind == PhoneKind.MOBILE


class PatientIdentifier(models.Model):
    """A source's number of a patient (record number). FHIR: Identifier.

    ``known_since`` is when a source first named it; None if that was not stored.
    ``linked_at``: the number was linked to the patient of another number, because all identifying
    values are equal (``patients/identity.py``). ``linked_says`` is its source's description since
    then, ``linked_numbers`` the telephones that only it brought: with both, the link can be undone
    exactly. ``linked_from`` is its former patient, if two separate patients turned out to be one:
    that patient stays without a number, and gets it back when the link is undone.
    ``linked_kept`` holds the other data that moved with it.
    """

    patient = models.ForeignKey(
        Patient, models.CASCADE, related_name="identifiers", verbose_name=_("patient")
    )
    system = models.CharField(_("source"), max_length=40)
    value = models.CharField(_("numéro de dossier"), max_length=80, db_index=True)
    known_since = models.DateTimeField(_("connu depuis"), null=True, blank=True)
    linked_at = models.DateTimeField(_("relié le"), null=True, blank=True)
    linked_says = models.JSONField(null=True, blank=True, editable=False)
    linked_numbers = models.JSONField(default=list, blank=True, editable=False)
    linked_from = models.ForeignKey(
        Patient,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="left_records",
        verbose_name=_("était le dossier de"),
    )
    linked_kept = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        verbose_name = _("identifiant")
        verbose_name_plural = _("identifiants")
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="patient_identifier_once"),
            models.CheckConstraint(
                name="patient_identifier_left_is_linked",
                condition=models.Q(linked_from__isnull=True) | models.Q(linked_at__isnull=False),
            ),
            models.CheckConstraint(
                name="patient_identifier_linked_paired",
                condition=models.Q(linked_at__isnull=True, linked_says__isnull=True)
                | models.Q(linked_at__isnull=False, linked_says__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["-linked_at", "-id"],
                condition=models.Q(linked_at__isnull=False),
                name="patient_identifier_linked",
            )
        ]

    def __str__(self) -> str:
        return f"{self.system}:{self.value}"


class Likeness(models.TextChoices):
    """Why two records may be one person but are not linked."""

    ALL = "all", _("tout est égal, mais les deux patients étaient déjà connus séparément")
    NUMBER = "number", _("même numéro national, autre nom, prénom ou date de naissance")
    NAMES = "names", _("mêmes nom, prénom et date de naissance, sans le même numéro national")


class LinkProposal(models.Model):
    """Two records that may be one person: people decide, nothing is linked.

    Made when a source first names ``record``, or describes it further. Twins with a copied number
    look like this too.
    """

    record = models.ForeignKey(
        PatientIdentifier, models.CASCADE, related_name="proposals", verbose_name=_("dossier")
    )
    other = models.ForeignKey(
        Patient, models.CASCADE, related_name="+", verbose_name=_("autre patient")
    )
    likeness = models.CharField(_("ressemblance"), max_length=8, choices=Likeness.choices)
    proposed_at = models.DateTimeField(_("proposé le"))
    dismissed_at = models.DateTimeField(_("écarté le"), null=True, blank=True)
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("écarté par"),
    )

    class Meta:
        verbose_name = _("ressemblance")
        verbose_name_plural = _("ressemblances")
        constraints = [
            models.UniqueConstraint(fields=["record", "other"], name="link_proposal_once"),
            models.CheckConstraint(
                name="link_proposal_likeness_known",
                condition=models.Q(likeness__in=Likeness.values),
            ),
            models.CheckConstraint(
                name="link_proposal_dismissed_paired",
                condition=models.Q(dismissed_at__isnull=True, dismissed_by__isnull=True)
                | models.Q(dismissed_at__isnull=False, dismissed_by__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["-id"],
                condition=models.Q(dismissed_at__isnull=True),
                name="link_proposal_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.record} ~ {self.other}"
