"""The person's language and the expired sign-in, for every request."""

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
    """Sets the language of the signed-in account, on any computer."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class LiveSignInMiddleware:
    """Reloads a live page whose sign-in expired, so that it shows the sign-in page.

    Otherwise htmx would follow the redirect and put the sign-in page inside the old one. If the
    person did something meanwhile, a message says that it is not recorded.
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
    """Return the message for a person who acted after their sign-in expired."""
    page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
    return {
        "message": _(
            "Votre connexion a expiré : votre choix n'est pas enregistré. Reconnectez-vous, puis "
            "recommencez."
        ),
        "address": f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': page})}",
        "link": _("Se reconnecter"),
    }
