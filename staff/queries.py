"""Reads of the trail, and of who may act in whose name."""

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from staff.access import GRANTS, Capability, scope_of
from staff.models import AuditEvent, AuditHead, Delegation, User


def trail_for(user: User) -> QuerySet[AuditEvent]:
    """Return the events that a user may read: all or none, for an event has no place."""
    if not scope_of(user, Capability.SEE_TRAIL).everywhere:
        return AuditEvent.objects.none()
    return AuditEvent.objects.all()


def trail_head() -> AuditHead:
    """Return the end of the chain; of an empty one before the first event."""
    return AuditHead.objects.first() or AuditHead()


def may_be_delegates(user: User) -> QuerySet[User]:
    """Return whom a practitioner may name: everybody else whose role keeps patients."""
    keepers = [role for role, granted in GRANTS.items() if Capability.KEEP in granted]
    colleagues = User.objects.filter(is_active=True, role_assignments__role__in=keepers)
    return colleagues.exclude(pk=user.pk).distinct().order_by("last_name", "first_name", "username")


def delegations_of(user: User) -> QuerySet[Delegation]:
    """Return who may keep patients in the user's own name now."""
    standing = Delegation.objects.filter(practitioner__user=user, revoked_at=None)
    return standing.select_related("delegate").order_by("given_at", "id")


class TrailFilter(filters.FilterSet):
    """Who did what to which object: ``?actor=crise1&action=appointment&object_id=12``."""

    actor = filters.ModelChoiceFilter(
        label=_("Qui"),
        queryset=User.objects.order_by("last_name", "first_name", "username"),
        to_field_name="username",
        empty_label=_("Tous, et le système"),
    )
    action = filters.CharFilter(
        label=_("Action"),
        lookup_expr="startswith",
        help_text=_("Le début suffit, par exemple « bulletin »."),
    )
    object_type = filters.CharFilter(label=_("Objet"), help_text=_("Par exemple « appointment »."))
    object_id = filters.CharFilter(label=_("Numéro d'objet"))
    day = filters.DateFilter(
        label=_("Jour"),
        field_name="at",
        lookup_expr="date",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    class Meta:
        model = AuditEvent
        fields: list[str] = []
