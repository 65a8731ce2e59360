"""All addresses."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path

from vivalia_continuity import views

# One way in for all: with lock-out and second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("health/", views.health, name="health"),
    # Asked for by browsers on pages that name no icon: those of the reference data.
    path("favicon.ico", views.icon, name="icon"),
    path("language/", views.switch_language, name="set_language"),
    # Accounts are given by an administrator, and there is no mail server in a crisis.
    re_path(r"^account/(signup|email|confirm-email|password/(reset|set))/", views.closed),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
    path("", include("appointments.urls")),
    path("", include("notifications.urls")),
    path("", include("staff.urls")),
]
