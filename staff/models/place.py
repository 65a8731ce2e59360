"""Sites (hospitals) and their units. FHIR: Location."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from staff import phone_numbers


class UnitKind(models.TextChoices):
    """What a unit is for."""

    WARD = "ward", _("Service d'hospitalisation")
    CLINIC = "clinic", _("Consultation")
    OPERATING_THEATRE = "operating_theatre", _("Bloc opératoire")
    IMAGING_ROOM = "imaging_room", _("Salle d'imagerie")
    SAMPLING_CENTRE = "sampling_centre", _("Centre de prélèvements")
    COVID_CENTRE = "covid_centre", _("Centre Covid")
    EMERGENCY = "emergency", _("Urgences")


class Site(models.Model):
    """A hospital of the group. ``code`` is its name in files and playbooks."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("nom"), max_length=80)
    callback_number = models.CharField(
        _("numéro de rappel"),
        max_length=20,
        help_text=_("Figure dans chaque SMS. Format international, par exemple +3263000000."),
    )
    sms_sender = models.CharField(
        _("expéditeur des SMS"),
        max_length=16,
        blank=True,
        help_text=_(
            "Ce que le téléphone montre : 11 lettres et chiffres au plus, ou un numéro "
            "international. Vide : celui de la passerelle. Les opérateurs belges le remplacent "
            "souvent par un numéro à eux."
        ),
    )

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="site_callback_number_international",
                condition=models.Q(callback_number__startswith="+"),
            ),
            models.CheckConstraint(
                name="site_sms_sender_short_or_number",
                condition=models.Q(sms_sender__startswith="+")
                | models.Q(LessThanOrEqual(Length("sms_sender"), 11)),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Convert both numbers to E.164, and refuse those that a phone cannot show or dial."""
        faults: dict[str, list[str]] = {}
        checks: dict[str, Callable[[str], str]] = {
            "callback_number": phone_numbers.international,
            "sms_sender": phone_numbers.sender,
        }
        for field, check in checks.items():
            text = getattr(self, field)
            try:
                setattr(self, field, check(text) if text else "")
            except ValidationError as error:
                faults[field] = error.messages
        if faults:
            raise ValidationError(faults)


class Unit(models.Model):
    """A ward, clinic, theatre, room or centre of a site."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="units", verbose_name=_("site"))
    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("nom"), max_length=80)
    kind = models.CharField(_("genre"), max_length=20, choices=UnitKind.choices)

    class Meta:
        verbose_name = _("unité")
        verbose_name_plural = _("unités")
        ordering = ["site__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["site", "name"], name="unit_name_unique_per_site"),
            models.CheckConstraint(
                name="unit_kind_known", condition=models.Q(kind__in=UnitKind.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.site.name})"
