"""How old the data are, for sheets of paper that know nothing of appointments."""

from typing import Any

from django import template

from appointments.queries.data_age import every_age

register = template.Library()


@register.inclusion_tag("_components/data_age_on_paper.html")
def data_age_on_paper() -> dict[str, Any]:
    """Return how old the word of every source is (one query)."""
    return {"ages": every_age()}
