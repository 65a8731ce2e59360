"""People before the bulletin pages, for tests."""

from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell
from tests.pages import fields_of, signed_in


def crisis(name: str = "crise2") -> Client:
    """Return the browser of a member of the crisis cell."""
    return signed_in(somebody_in_the_crisis_cell(name))


def page(client: Client, name: str, *args: Any) -> HttpResponse:
    """Return a page by the name of its address."""
    return client.get(reverse(name, args=args))


def text_of(response: HttpResponse) -> str:
    """Return the HTML of a page."""
    return response.content.decode()


def seen_on(response: HttpResponse) -> str:
    """Return the fingerprint of the wording that a page shows."""
    return fields_of(text_of(response), having="seen")["seen"][0]


def typed_on(response: HttpResponse) -> dict[str, str]:
    """Return what somebody sends who types the number that the page asks for."""
    fields = fields_of(text_of(response), having="shown")
    return {"seen": fields["seen"][0], "shown": fields["shown"][0], "told": fields["shown"][0]}
