"""French dates: "1er janvier 2022", and "2 janvier 2022": only the first day is an ordinal number.

Found by the requested letters, as in ``formats/de/formats.py``. ``S`` is the ending of the
day, which ``vivalia_continuity.formats`` teaches French.
"""

import re

# Django's administration requests these by name.
DATE_FORMAT = "jS F Y"
DATETIME_FORMAT = "jS F Y H:i"
MONTH_DAY_FORMAT = "jS F"
_DAY_BEFORE_MONTH = re.compile(r"\bj (?=[FbMNE])")


def __getattr__(name: str) -> str:
    """Return the French form of a date format; other names are not formats of ours."""
    ordinal = _DAY_BEFORE_MONTH.sub("jS ", name)
    if ordinal == name:
        raise AttributeError(name)
    return ordinal
