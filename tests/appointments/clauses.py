"""The clauses that the tests of the rules speak of."""

import datetime as dt

from appointments.rules import ClauseTerms
from appointments.vocabulary import KeptBy, Ruling, Tell
from notifications.vocabulary import Channel
from tests.builders import at

MONDAY = dt.date(2022, 5, 16)
DEADLINE = at("2022-05-15 18:00")


def the_clause(*services: str, **fields) -> ClauseTerms:
    """Return a clause on these services, first on the page unless told otherwise."""
    return ClauseTerms(**({"position": 1, "services": frozenset(services)} | fields))


CONSULTATIONS_CANCELLED = the_clause(
    "consultation",
    ruling=Ruling.CANCEL,
    tell=Tell.CANCELLED,
    kept_by=KeptBy.DOCTOR,
    keep_until=DEADLINE,
)
OPERATIONS_CASE_BY_CASE = the_clause(
    "surgery",
    ruling=Ruling.CASE_BY_CASE,
    tell=Tell.BOTH,
    channel=Channel.PHONE,
    kept_by=KeptBy.MEDICAL_DIRECTOR,
)
EVERYTHING_CANCELLED = the_clause(ruling=Ruling.CANCEL, tell=Tell.CANCELLED)
