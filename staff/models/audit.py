"""The trail: append-only, chained by hash."""

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One thing a person (or the system) did or saw.

    ``sequence`` counts from 1 without a gap; ``hash`` signs the previous hash and this event's
    canonical JSON (``staff/services/audit.py``) with the key that ``key`` names; events older than
    the first key have none. The database refuses UPDATE, DELETE and TRUNCATE by trigger;
    ``manage.py verify`` finds changes made without the triggers.
    """

    sequence = models.BigIntegerField(_("numéro"), unique=True)
    at = models.DateTimeField(_("quand"), db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("qui"),
    )
    actor_name = models.CharField(_("nom"), max_length=160)
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(_("objet"), max_length=40, blank=True)
    object_id = models.CharField(_("numéro d'objet"), max_length=80, blank=True)
    detail = models.JSONField(_("détail"), default=dict, encoder=DjangoJSONEncoder)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    key = models.CharField(_("clé"), max_length=12, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("événement")
        verbose_name_plural = _("événements")
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            # For prefixes, see ``staff/lookups.py``.
            models.Index(fields=["action"], opclasses=["varchar_pattern_ops"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action}"


class AuditHead(models.Model):
    """The end of the chain, one row: its lock makes writers append one after the other.

    ``signature`` is made with the trail's key, so that nobody with access to the database can
    move the end back. The database refuses to delete the row and to lower ``sequence``.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)
    signature = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.CheckConstraint(name="audit_head_single", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash[:12]}"
