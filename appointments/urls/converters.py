"""Parts of addresses that several modules use."""

import datetime as dt

from django.urls import register_converter

YEARS = range(1900, 2200)  # beyond, somebody plays with the address


class DayConverter:
    """A date in an address, written ``2022-05-16``; anything else is not found."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """Read the date."""
        day = dt.date.fromisoformat(value)
        if day.year not in YEARS:
            raise ValueError(value)
        return day

    def to_url(self, value: dt.date) -> str:
        """Write the date."""
        return f"{value:%Y-%m-%d}"


register_converter(DayConverter, "roster_day")
