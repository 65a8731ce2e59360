"""Refusals before and after a view, and pages that no browser may cache."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from staff.errors import AccessRefused, Refusal

# Without a sign-in, a request is a password or a gateway's report of a megabyte at most.
LARGEST_BODY_OF_STRANGERS = 2 * 1024 * 1024
_View = TypeVar("_View", bound=Callable[..., Any])


class RefusalMiddleware:
    """Show an uncaught ``Refusal`` as a page (or fragment for htmx) that says what to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a Refusal into 403 or 409."""
        if not isinstance(exception, Refusal):
            return None
        status = 403 if isinstance(exception, AccessRefused) else 409
        return _refused(request, exception.message, status=status)


def _refused(request: HttpRequest, message: str, *, status: int) -> HttpResponse:
    template = "_components/refusal.html" if request.htmx else "refused.html"  # type: ignore[attr-defined]
    return render(request, template, {"message": message}, status=status)


def takes_files_up_to(size: int) -> Callable[[_View], _View]:
    """Let a view take a file of up to so many bytes."""

    def marked(view: _View) -> _View:
        view.largest_body = size + 1024 * 1024  # type: ignore[attr-defined]  # the form around it
        return view

    return marked


class LargeBodyMiddleware:
    """Refuse a body by its announced length, before anything reads it.

    Django writes an uploaded file to the disk while it looks for the form's token, long before a
    view checks the user. A body without an announced length is not read at all (WSGI).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced, most = _announced(request), _largest_body(request)
        if announced <= most:
            return self.get_response(request)
        message = _(
            "Ce que vous envoyez pèse %(size)s Mo ; ici, %(most)s Mo au plus sont acceptés. Rien "
            "n'a été enregistré."
        ) % {"size": -(-announced // 1024**2), "most": most // 1024**2}
        return _refused(request, message, status=413)


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # Django reads nothing of it either


def _largest_body(request: HttpRequest) -> int:
    """Return how many bytes this person may send to this address."""
    if not request.user.is_authenticated:
        return LARGEST_BODY_OF_STRANGERS
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return most
    return getattr(view, "largest_body", most)


class NoStoreMiddleware:
    """Forbid browsers and proxies to cache pages of a signed-in person.

    Computers on wards are shared: *back* after signing out must show no patients.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers["Cache-Control"] = "no-store, private"
        return response
