"""Variables of every page: menu, data age, day of a drill, held and overdue SMS."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from appointments.feeds.data_age import data_age
from appointments.operations.queries import overdue
from notifications.models import Sending
from vivalia_continuity.navigation import menu


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of base.html; lazily, so that a fragment of a page makes no query."""
    context = {
        "hospital_name": settings.HOSPITAL_NAME,
        "demo_today": _demo_day(),
        "csp_nonce": getattr(request, "csp_nonce", None),  # the name under which htmx looks for it
    }
    if settings.DEMO_TODAY:
        context |= _demo_accounts()
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        context |= {
            "menu": SimpleLazyObject(lambda: menu(user)),
            "data_age": SimpleLazyObject(data_age),
            "sending": SimpleLazyObject(_sending),
            "overdue": SimpleLazyObject(lambda: overdue(user)),
        }
    return context


def _demo_day() -> dt.date | None:
    return dt.date.fromisoformat(settings.DEMO_TODAY) if settings.DEMO_TODAY else None


def _demo_accounts() -> dict[str, Any]:
    from appointments.demo.accounts import ACCOUNTS, DEMO_PASSWORD  # heavy; drills only

    return {"demo_accounts": ACCOUNTS, "demo_password": DEMO_PASSWORD}


def _sending() -> Sending:
    return Sending.objects.select_related("paused_by").first() or Sending()
