"""A refusal becomes a sentence on a page, never a stack trace."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from staff.errors import AccessRefused, Refusal


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
        template = "_components/refusal.html" if request.htmx else "refused.html"  # type: ignore[attr-defined]
        return render(request, template, {"message": exception.message}, status=status)
