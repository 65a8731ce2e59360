"""A draft for a week whose days are set apart, and what its page shows, for tests."""

import datetime as dt
import re
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from tests.appointments.bulletins.builders import a_draft
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_site, a_unit
from tests.pages import fields_of

SATURDAY, SUNDAY = MONDAY + dt.timedelta(days=5), MONDAY + dt.timedelta(days=6)
ALL_WEEK = ClauseTerms("cancel", "cancelled", services=("consultation",))
ON_SATURDAY = ClauseTerms("maintain", "nobody", services=("consultation",), days=(SATURDAY,))
Fields = dict[str, Any]


def a_week() -> Bulletin:
    """Return a draft for a week of two sites, without a day apart."""
    a_unit("arlon-cardio", site="arlon")
    a_site("virton")
    return a_draft(ALL_WEEK, last_day=SUNDAY)


def fields(draft: Bulletin) -> Fields:
    """Return what the editor of a draft would send back untouched."""
    return fields_of(text_of(page(crisis(), "bulletin_edit", draft.pk)), having="title")


def sent(draft: Bulletin, data: Fields, **more: str) -> HttpResponse:
    """Return the answer to a form that was sent with these changes, as a browser sends it."""
    return crisis().post(reverse("bulletin_edit", args=[draft.pk]), data | more)


def shown(response: HttpResponse) -> Fields:
    """Return what an editor that was just answered would send back untouched."""
    return fields_of(text_of(response), having="title")


def apart(draft: Bulletin, day: str = "2022-05-21") -> HttpResponse:
    """Return the answer when a day is set apart."""
    return sent(draft, fields(draft), add_day="1", new_day=day)


def spot(response: HttpResponse, place: str) -> str:
    """Return what stands beside a cell."""
    found = re.search(rf'id="reach-{place}"[^>]*>([^<]*)<', text_of(response))
    assert found
    return found[1]


def focused(response: HttpResponse) -> list[str]:
    """Return the elements that the keyboard stands on when the page opens."""
    return re.findall(r"<[^>]+\sautofocus[^>]*>", text_of(response))
