"""Somebody before a page, and an SMS of which nobody knows."""

import datetime as dt

from django.test import Client
from django.urls import reverse

from notifications.models import Delivery
from staff.models import User
from tests.notifications.builders import SUNDAY, a_notice, an_sms
from tests.page_rules import faults_of


def as_user(client: Client, user: User) -> Client:
    """Return the client, signed in."""
    client.force_login(user)
    return client


def text(client: Client, name: str, *args, **query) -> str:
    page = client.get(reverse(name, args=args), query)
    assert page.status_code == 200
    content = page.content.decode()
    assert faults_of(content, whole="live" not in name) == []
    return content


def unknown(**fields) -> Delivery:
    notice = fields.pop("notice", None) or a_notice(handed_over_at=SUNDAY)
    values = {"state": "unknown", "submitted_at": SUNDAY, "gateway": "console"}
    return an_sms(notice, **(values | {"lease_until": SUNDAY + dt.timedelta(minutes=15)} | fields))
