"""The reference data, for administrators: places, practitioners, accounts with their roles."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from staff import clock
from staff.models import (
    AccountChange,
    AuditEvent,
    Delegation,
    Practitioner,
    RoleAssignment,
    Site,
    Unit,
    User,
)
from staff.requests import person
from staff.services import audit
from staff.sign_in import devices, tries

admin.site.site_header = _("Données de référence")
admin.site.site_title = _("Données de référence")
admin.site.index_title = _("Vivalia Continuity")
admin.site.site_url = "/"
admin.site.unregister(Group)  # rights come from role assignments, never from groups


class ForAdministrators:
    """``is_staff`` makes the administrator: Django's own permissions and groups are not used."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user is an administrator."""
        return bool(request.user.is_active and request.user.is_staff)

    has_module_permission = has_view_permission
    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


class ReferenceAdmin(ForAdministrators, admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
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
        if entry:  # its history is a page, and shows the hospital's time
            entry.action_time = clock.now()
            entry.save(update_fields=["action_time"])
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
    """Delegations of practitioners."""

    list_display = ("practitioner", "delegate", "given_at", "revoked_at")
    list_select_related = ("practitioner", "delegate")
    autocomplete_fields = ("practitioner", "delegate")


class RoleAssignmentInline(ForAdministrators, admin.TabularInline):  # type: ignore[type-arg]  # no generic at run time
    """The roles of an account, and where they hold."""

    model = RoleAssignment
    extra = 1
    autocomplete_fields = ("site", "unit")


@admin.register(User)
class UserAdmin(ReferenceAdmin, DjangoUserAdmin):  # type: ignore[type-arg]  # no generic at run time
    """Accounts and their roles.

    Changes of accounts are also stored separately: they decide which two accounts are two persons
    (``staff/two_persons.py``). An administrator cannot change a superuser.
    """

    actions = ("unlock", "end_sessions")

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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user is an administrator, and the account is in reach."""
        return self.has_view_permission(request) and _is_in_reach(request, obj)

    has_delete_permission = has_change_permission

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save, and record a new, opened, closed or raised account."""
        super().save_model(request, obj, form, change)
        if not change:
            AccountChange.note(account=obj, what=AccountChange.What.MADE, by=person(request))
        elif {"is_active", "is_staff"} & set(form.changed_data):
            AccountChange.note(account=obj, what=AccountChange.What.ACCESS, by=person(request))
            devices.forget_all(obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the roles, and record the user who gave them."""
        super().save_formset(request, form, formset, change)
        if formset.has_changed():
            AccountChange.note(
                account=form.instance, what=AccountChange.What.ROLE, by=person(request)
            )

    @transaction.atomic
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a password, and record the user who knows it."""
        before = User.objects.filter(pk=id).values_list("password", flat=True).first()
        response = super().user_change_password(request, id, form_url)
        account = User.objects.filter(pk=id).first()
        if account and account.password != before:
            AccountChange.note(
                account=account, what=AccountChange.What.PASSWORD, by=person(request)
            )
            devices.forget_all(account)
        return response

    @admin.action(description=_("Débloquer la connexion"))
    def unlock(self, request: HttpRequest, queryset: Any) -> None:
        """Unlock the sign-in of the accounts."""
        for account in queryset:
            tries.unlock(user=account, by=person(request))
        number = len(queryset)
        self.message_user(
            request,
            ngettext(
                "La connexion de %(number)s compte est débloquée.",
                "La connexion de %(number)s comptes est débloquée.",
                number,
            )
            % {"number": number},
        )

    @admin.action(description=_("Fermer toutes les sessions"))
    @transaction.atomic
    def end_sessions(self, request: HttpRequest, queryset: Any) -> None:
        """End all sessions of the accounts, on every device."""
        accounts = [one for one in queryset if _is_in_reach(request, one)]
        for account in accounts:
            devices.forget_all(account)
            audit.record(action="account.sessions_ended", by=person(request), subject=account)
        number = len(accounts)
        self.message_user(
            request,
            ngettext(
                "Les sessions de %(number)s compte sont fermées.",
                "Les sessions de %(number)s comptes sont fermées.",
                number,
            )
            % {"number": number},
        )


def _is_in_reach(request: HttpRequest, obj: Any) -> bool:
    """Whether the user may change this account: a superuser's only as a superuser."""
    return not (isinstance(obj, User) and obj.is_superuser and not person(request).is_superuser)


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # no generic at run time
    """The trail, to read."""

    list_display = ("sequence", "at", "actor_name", "action", "object_type", "object_id")
    search_fields = ("actor_name", "action", "object_id")
    date_hierarchy = None
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds an event by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The trail is never edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The trail is never deleted."""
        return False
