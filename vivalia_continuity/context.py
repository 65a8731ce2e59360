"""What every page shows: the data age, the day of a drill, whether sending is held."""

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict:
    """Return the variables of base.html."""
    return {"hospital_name": settings.HOSPITAL_NAME, "demo_today": settings.DEMO_TODAY}
