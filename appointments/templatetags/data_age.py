"""The age of the data, for printed sheets of apps that do not know appointments."""

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
    """Return the age of the data of every source (one query)."""
    return {"ages": every_age()}
