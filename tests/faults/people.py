"""Somebody signed in at a real web server, who presses buttons that may never answer."""

import contextlib
import re
import threading
import urllib.error
import urllib.parse
import urllib.request

from django.test import Client

from staff.models import User

TOKEN = "t" * 32
SEEN = re.compile(r'name="seen" value="([^"]+)"')
SHOWN = re.compile(r'name="shown" value="([^"]+)"')


class Person:
    """A signed-in person.

    Args:
        user: who; the session lies in the database that the server uses too.
        url: of the server, without a slash.
    """

    def __init__(self, user: User, url: str) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        self._url = url
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }

    def read(self, path: str) -> str:
        """Return a page.

        Raises:
            OSError: nobody answers, or not with a page.
        """
        request = urllib.request.Request(self._url + path, headers=self._headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()

    def press(self, path: str, **fields: str) -> threading.Thread:
        """Press a button in a thread of its own; whether an answer comes does not matter."""
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self._url + path, data=body, headers=self._headers)

        def send() -> None:
            with contextlib.suppress(OSError, urllib.error.HTTPError):
                _NotFollowing.open(request, timeout=30)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        return thread


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: object) -> None:
        """Stay where the button led."""


_NotFollowing = urllib.request.build_opener(_Stay)
