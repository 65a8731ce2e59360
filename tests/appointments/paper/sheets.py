"""Sheets made of plain values, for tests that need no database."""

import datetime as dt
from typing import Any

from appointments.feeds.data_age import DataAge
from appointments.models import Roster
from appointments.paper.content import RosterContent, RosterRow, arranged
from appointments.paper.services import issue_many
from staff.models import User
from tests.builders import MONDAY, at

PRINTED_AT = at("2022-05-14 16:20")


def a_row(number: int = 1, *, starts: str = "09:10", **fields: Any) -> RosterRow:
    """Return one consultation that nobody ruled on, unless told otherwise."""
    values = {
        "appointment_id": number,
        "starts_at": at(f"2022-05-16 {starts}"),
        "family_name": f"Essai{number}",
        "given_name": "Anne",
        "birth_date": dt.date(1960, 1, 1),
        "record_number": f"D{number:05d}",
        "service": "consultation",
        "act": "",
        "practitioner": "Dr Anne Collignon",
        "phones": (("+32495123456", ""),),
    }
    return RosterRow(**(values | fields))


def by_clause(outcome: str) -> dict[str, Any]:
    """Return the fields of a row on which the second clause of bulletin 3 ruled."""
    return {"outcome": outcome, "basis": "clause", "bulletin": 3, "clause": 2}


def a_sheet(
    *rows: RosterRow, hours: int = 13, is_old: bool = False, **fields: Any
) -> RosterContent:
    """Return the first version of cardiology's sheet for Monday 16 May 2022."""
    heard_at = PRINTED_AT - dt.timedelta(hours=hours, minutes=53)
    values = {
        "unit_id": 1,
        "unit_code": "arlon-cardiologie",
        "unit": "Cardiologie",
        "site_code": "arlon",
        "site": "Arlon",
        "callback_number": "+3263000000",
        "day": MONDAY,
        "made_at": PRINTED_AT,
        "feeds": (DataAge("agenda", heard_at, dt.timedelta(hours=hours, minutes=53), is_old),),
        "rows": arranged(rows),
        "version": 1,
    }
    return RosterContent(**(values | fields))


def many_rows(count: int) -> list[RosterRow]:
    """Return rows of every outcome over the day, some with long acts."""
    outcomes = ["maintained", "under_review", "cancelled"]
    return [
        a_row(
            number,
            starts=f"{7 + number % 11:02d}:{number % 60:02d}",
            act="Échographie cardiaque transthoracique de contrôle " * (number % 3),
            **by_clause(outcomes[number % 3]),
        )
        for number in range(1, count + 1)
    ]


def issue(*, unit_id: int, day: dt.date, by: User | None) -> Roster:
    """Give one unit's sheet its version."""
    return issue_many(unit_ids=[unit_id], day=day, by=by)[0]
