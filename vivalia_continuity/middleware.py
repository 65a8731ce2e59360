"""What holds for every request: the person's language, and a sign-in that ran out."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _

SAFE = ("GET", "HEAD")
Answer = Callable[[HttpRequest], HttpResponse]


class PersonalLanguageMiddleware:
    """Whoever is signed in reads the language of their account, on any computer."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class LiveSignInMiddleware:
    """A live page whose sign-in ran out loads itself again, and so shows the sign-in page.

    Otherwise htmx would follow the redirect and put the sign-in page inside the old one. What a
    person did meanwhile is not lost without a word: they are told that it is not recorded.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        to_sign_in = response.get("Location", "").startswith(resolve_url(settings.LOGIN_URL))
        if not (request.htmx and to_sign_in):  # type: ignore[attr-defined]
            return response
        if request.method in SAFE:
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return render(request, "_components/refusal.html", _not_recorded(request), status=401)


def _not_recorded(request: HttpRequest) -> dict[str, str]:
    """Return what is said to somebody who acted after their sign-in ran out."""
    page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
    return {
        "message": _(
            "Votre connexion a expiré : votre choix n'est pas enregistré. Reconnectez-vous, puis "
            "recommencez."
        ),
        "address": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page})}",
        "link": _("Se reconnecter"),
    }
