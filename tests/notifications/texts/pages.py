"""The pages of the texts, for tests."""

import re

from django.test import Client

from staff.models import User
from tests.builders import a_site
from tests.pages import signed_in

GOOD = "{hospital}: {day} {times} annulé. {number} {reference}"
TABLE = "/texts/"
EDITOR = "/texts/fr/cancelled/"


def browser_of(user: User) -> Client:
    """Return the browser of somebody in a hospital of two sites."""
    a_site("arlon", callback_number="+3263231111", sms_sender="VivaliaArl")
    a_site("bertrix", callback_number="+3261000030")
    return signed_in(user)


def words(answer) -> str:
    """Return what a page says, its tags taken away."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())
