"""German dates: "Montag, 16. Mai 2022", "14.05.2022", "14.5." where French has "14/5".

Templates and code ask for a date by the letters of Django's ``date`` filter, in the French order.
``django.utils.formats.get_format`` looks each such request up here by name first
(https://docs.djangoproject.com/en/5.2/topics/i18n/formatting/#creating-custom-format-files),
so one rule serves them all. Duden: a day in figures is an ordinal number and takes a full stop,
and a comma parts it from the day of the week.
"""

import re

_DAY_BEFORE_MONTH = re.compile(r"\bj (?=[FbMNE])")
_WEEKDAY_BEFORE_DAY = re.compile(r"\bl (?=j)")
_FIGURES = re.compile(r"\b([dj])/([mn])(/[Yy])?")


def __getattr__(name: str) -> str:
    """Return the German form of a date format; other names are not formats of ours."""
    dotted = _DAY_BEFORE_MONTH.sub("j. ", name)
    dotted = _WEEKDAY_BEFORE_DAY.sub("l, ", dotted)
    dotted = _FIGURES.sub(lambda m: f"{m[1]}.{m[2]}.{(m[3] or '')[1:]}", dotted)
    if dotted == name:
        raise AttributeError(name)
    return dotted
