"""The request of a view behind ``@requires``."""

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from staff.models import User


class SignedInRequest(HttpRequest):
    """A request of a signed-in person; ``requires`` has refused all others."""

    user: User
    htmx: HtmxDetails


def person(request: HttpRequest) -> User:
    """Return the signed-in user of a plain request, as Django's own pages give it."""
    return cast(User, request.user)
