"""Devices that signed in to an account before: a signed cookie per account.

The cookie skips neither the password nor the second factor. It only gives the device its own
budget of tries (``staff/sign_in/limits.py``). It is void after 90 days, when the password is
changed, when the account is closed and when its sessions are ended.
"""

import hmac
import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from staff.models import User

LIFETIME_SECONDS = 90 * 24 * 3600
_SALT = "staff.sign_in.device"


def of(request: HttpRequest, user: User) -> str:
    """Return the name of the request's device, if it is known to this account; else empty."""
    written = request.COOKIES.get(_cookie(user), "")
    try:
        found = signing.loads(written, salt=_SALT, max_age=LIFETIME_SECONDS)
        device, session = found["device"], found["session"]
    except (signing.BadSignature, KeyError, TypeError):
        return ""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    is_valid = any(hmac.compare_digest(str(session), _short(one)) for one in hashes)
    return str(device) if is_valid else ""


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Make the device that just signed in a known one for 90 days."""
    content = {
        "device": of(request, user) or secrets.token_hex(16),
        "session": _short(user.get_session_auth_hash()),
    }
    response.set_cookie(
        _cookie(user),
        signing.dumps(content, salt=_SALT),
        max_age=LIFETIME_SECONDS,
        path="/account/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_all(user: User) -> None:
    """End every session of this account, and make its devices unknown again."""
    user.devices_version += 1
    user.save(update_fields=["devices_version"])


def _cookie(user: User) -> str:
    return f"device_{user.pk}"


def _short(auth_hash: str) -> str:
    return auth_hash[:16]
