"""French dates: "1er janvier 2022", and "2 janvier 2022": only the first day is an ordinal number.

Found by the letters that ask for it, as in ``formats/de/formats.py``. ``S`` is the ending of the
day, which ``vivalia_continuity.formats`` teaches French.
"""

import re

# What Django itself asks for by name: the administration.
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
