"""The pages that belong to no app: the way in, the language, the health of the house."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from staff.models import User
from vivalia_continuity.navigation import first_page


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Bring each person to the page where their work starts."""
    page = first_page(request.user)
    if page is not None:
        return redirect(page.name)
    if request.user.is_staff:
        return redirect("admin:index")
    return render(request, "no_role.html", status=403)


@require_POST
def switch_language(request: HttpRequest) -> HttpResponse:
    """Change the language of the screens, for good when somebody is signed in."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and check_for_language(language):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language(request)


def closed(request: HttpRequest, *args: str) -> HttpResponse:
    """Shut a page of allauth that this house does not offer."""
    raise Http404
