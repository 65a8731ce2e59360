"""How many appointments have which facts over the days of a draft, and when they begin."""

import datetime as dt

from django.db.models import Count, F, Min

from appointments.models import RULED, Appointment
from appointments.rules import Facts


def counted_facts(first_day: dt.date, last_day: dt.date) -> list[tuple[Facts, int]]:
    """Return each combination of facts in a window, with its appointments (one query)."""
    lines = (
        Appointment.objects.filter(day__gte=first_day, day__lte=last_day, status__in=RULED)
        .order_by()
        .values("service", "day", "protected_groups")
        .annotate(site=F("unit__site__code"), unit_code=F("unit__code"), number=Count("pk"))
    )
    return [
        (
            Facts(
                service=line["service"],
                site=line["site"],
                unit=line["unit_code"],
                day=line["day"],
                groups=frozenset(line["protected_groups"].split()),
            ),
            line["number"],
        )
        for line in lines
    ]


def first_starts(first_day: dt.date, last_day: dt.date) -> dict[dt.date, dt.datetime]:
    """Return when the first appointment of each day begins; days without any are absent."""
    lines = (
        Appointment.objects.filter(day__gte=first_day, day__lte=last_day, status__in=RULED)
        .order_by()
        .values_list("day")
        .annotate(first=Min("starts_at"))
    )
    return dict(lines)
