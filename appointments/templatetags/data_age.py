"""How old the data are, for sheets of paper that know nothing of appointments."""

import datetime as dt
from typing import Any

from django import template

from appointments.feeds.data_age import every_age
from staff import clock

register = template.Library()


@register.filter
def lasting(span: dt.timedelta) -> str:
    """Return how long something lasts, to the minute within a day."""
    return clock.lasting(span)


@register.inclusion_tag("_components/data_age_on_paper.html")
def data_age_on_paper() -> dict[str, Any]:
    """Return how old the word of every source is (one query)."""
    return {"ages": every_age()}
