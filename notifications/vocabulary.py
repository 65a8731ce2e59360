"""The channels, for models and for pure rules; see ``appointments/vocabulary.py``."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Channel(TextChoices):
    """Over what a patient is told."""

    SMS = "sms", _("SMS")
    PHONE = "phone", _("téléphone")
