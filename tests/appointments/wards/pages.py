"""People before the pages of a ward, for tests."""

from django.test import Client
from django.urls import reverse

from appointments.models import Appointment
from tests import pages
from tests.builders import a_user


def signed_in(name: str = "secretariat", role: str = "ward_clerk") -> Client:
    """Return a browser in which somebody who notes arrivals is signed in."""
    return pages.signed_in(a_user(name, role))


def tick(client: Client, appointment: Appointment, what: str = "arrived", version: int = 0, **more):
    """Send a tick of one card."""
    address = reverse("ward_tick", args=[appointment.pk])
    return client.post(address, {"what": what, "version": version}, **more)


def page_of(client: Client, appointment: Appointment) -> str:
    """Return the page of the unit on the planned day."""
    address = reverse("ward_day", args=[appointment.unit_id, appointment.day])
    return client.get(address).content.decode()
