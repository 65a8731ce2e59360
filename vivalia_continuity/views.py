"""The pages that belong to no app: the first page, the language, the health check."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from staff.models import User
from staff.requests import SignedInRequest
from staff.sign_in.signals import CHOSEN_LANGUAGE
from vivalia_continuity.health import health as look_at_health
from vivalia_continuity.navigation import first_page


@login_required
def home(request: SignedInRequest) -> HttpResponse:
    """Bring each person to the page where their work starts."""
    page = first_page(request.user)
    if page is not None:
        return redirect(page.name)
    if request.user.is_staff:
        return redirect("admin:index")
    return render(request, "no_role.html", status=403)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer a monitor: 200 while people can work, else 503; no sign-in, no patient data."""
    found = look_at_health()
    return JsonResponse(found.as_dict(), status=200 if found.ok else 503)


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon, whatever its name is in this version."""
    return redirect(static("continuity/icon.svg"))


@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """Change the language of the screens, for good when somebody is signed in.

    What is chosen before signing in becomes the account's on signing in.
    """
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            User.objects.filter(pk=request.user.pk).update(language=language)
        else:
            request.session[CHOSEN_LANGUAGE] = language
    return set_language(request)


def closed(request: HttpRequest, *args: str) -> HttpResponse:
    """Answer 404 for a page of allauth that we do not offer."""
    raise Http404


def page_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form from a page that is too old, or of another site (``CSRF_FAILURE_VIEW``).

    Django's own page for this styles itself inline, which our policy blocks.
    """
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure())
    context = {
        "message": _("Rien n'a été enregistré. Rechargez la page et recommencez."),
        "again": came_from if is_ours else reverse("home"),
    }
    template = "_components/refusal.html" if request.htmx else "403_csrf.html"  # type: ignore[attr-defined]
    return render(request, template, context, status=403)
