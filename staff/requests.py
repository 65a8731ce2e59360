"""What a view behind ``@requires`` is given."""

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from staff.models import User


class SignedInRequest(HttpRequest):
    """A request of somebody who is signed in: ``requires`` has sent everybody else away."""

    user: User
    htmx: HtmxDetails


def person(request: HttpRequest) -> User:
    """Return who is signed in, where Django's own pages give a plain request."""
    return cast(User, request.user)
