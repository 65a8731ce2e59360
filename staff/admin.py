"""The reference data, for administrators: places, practitioners, accounts with their roles."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from staff.models import AuditEvent, Delegation, Practitioner, RoleAssignment, Site, Unit, User
from staff.requests import person
from staff.services import audit

admin.site.site_header = _("Données de référence")
admin.site.site_title = _("Données de référence")
admin.site.index_title = _("Vivalia Continuity")
admin.site.site_url = "/"
admin.site.unregister(Group)  # rights come from role assignments, never from groups


class ForAdministrators:
    """``is_staff`` makes the administrator: Django's own permissions and groups are not used."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether an administrator asks."""
        return bool(request.user.is_active and request.user.is_staff)

    has_module_permission = has_view_permission
    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class ReferenceAdmin(ForAdministrators, admin.ModelAdmin):
    """Each change goes into the trail, in the transaction that makes it."""

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Record an addition."""
        return self._record("added", request, obj, super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Record a change, with the names of the fields that changed."""
        return self._record("changed", request, obj, super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Record deletions, one event each."""
        for obj in queryset:
            audit.record(
                action=f"{obj._meta.model_name}.deleted",
                by=person(request),
                subject=obj,
                was=str(obj),
            )
        return super().log_deletions(request, queryset)

    def _record(self, verb: str, request: HttpRequest, obj: models.Model, entry: Any) -> Any:
        audit.record(
            action=f"{obj._meta.model_name}.{verb}",
            by=person(request),
            subject=obj,
            what=entry.get_change_message() if entry else "",
        )
        return entry


@admin.register(Site)
class SiteAdmin(ReferenceAdmin):
    """Hospitals."""

    list_display = ("name", "code", "callback_number", "sms_sender")
    search_fields = ("name", "code")


@admin.register(Unit)
class UnitAdmin(ReferenceAdmin):
    """Wards, clinics, theatres, rooms and centres."""

    list_display = ("name", "code", "site", "kind")
    list_filter = ("site", "kind")
    list_select_related = ("site",)
    search_fields = ("name", "code")


@admin.register(Practitioner)
class PractitionerAdmin(ReferenceAdmin):
    """Doctors as the schedules name them."""

    list_display = ("__str__", "code", "user")
    list_select_related = ("user",)
    search_fields = ("family_name", "given_name", "code")
    autocomplete_fields = ("user",)


@admin.register(Delegation)
class DelegationAdmin(ReferenceAdmin):
    """Who keeps patients in whose name."""

    list_display = ("practitioner", "delegate", "given_at", "revoked_at")
    list_select_related = ("practitioner", "delegate")
    autocomplete_fields = ("practitioner", "delegate")


class RoleAssignmentInline(ForAdministrators, admin.TabularInline):
    """The roles of an account, and where they hold."""

    model = RoleAssignment
    extra = 1
    autocomplete_fields = ("site", "unit")


@admin.register(User)
class UserAdmin(ReferenceAdmin, DjangoUserAdmin):
    """Accounts and their roles."""

    list_display = ("username", "first_name", "last_name", "language", "is_active", "is_staff")
    list_filter = ("role_assignments__role", "is_active", "is_staff")
    filter_horizontal = ()
    inlines = (RoleAssignmentInline,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personne"), {"fields": ("first_name", "last_name", "email", "language")}),
        (
            _("Accès"),
            {
                "fields": ("is_active", "is_staff"),
                "description": _(
                    "Un compte actif travaille selon ses rôles. Seuls les administrateurs "
                    "ouvrent ces pages-ci."
                ),
            },
        ),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "first_name", "last_name", "language")
                + ("usable_password", "password1", "password2"),
            },
        ),
    )


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin):
    """The trail, to read."""

    list_display = ("sequence", "at", "actor_name", "action", "object_type", "object_id")
    search_fields = ("actor_name", "action", "object_id")
    date_hierarchy = None
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Events are written by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The trail is never edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The trail is never cut."""
        return False
