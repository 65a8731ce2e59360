"""What was planned, what the crisis decides about it, where it came from, what was printed."""

from appointments.models.appointment import Appointment
from appointments.models.attendance import Attendance
from appointments.models.bulletin import Bulletin, BulletinState, Clause
from appointments.models.decision import Decision, Opinion, OpinionRole, View
from appointments.models.feed import (
    Conflict,
    ConflictState,
    DisappearedRow,
    Feed,
    ImportState,
    RejectedRow,
    ScheduleImport,
)
from appointments.models.refused import RefusedRow, RefusedState
from appointments.models.roster import Roster, RosterState
from appointments.vocabulary import (
    RULED,
    AgeFrom,
    AgeRule,
    Attended,
    Basis,
    Extent,
    KeptBy,
    Outcome,
    Priority,
    ProtectedGroup,
    Ruling,
    Service,
    Status,
    Tell,
)

__all__ = [
    "RULED",
    "AgeFrom",
    "AgeRule",
    "Appointment",
    "Attendance",
    "Attended",
    "Basis",
    "Bulletin",
    "BulletinState",
    "Clause",
    "Conflict",
    "ConflictState",
    "Decision",
    "DisappearedRow",
    "Extent",
    "Feed",
    "ImportState",
    "KeptBy",
    "Opinion",
    "OpinionRole",
    "Outcome",
    "Priority",
    "ProtectedGroup",
    "RefusedRow",
    "RefusedState",
    "RejectedRow",
    "Roster",
    "RosterState",
    "Ruling",
    "ScheduleImport",
    "Service",
    "Status",
    "Tell",
    "View",
]
