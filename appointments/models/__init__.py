"""What was planned, what the crisis decides about it, where it came from, what was printed."""

from appointments.models.appointment import (
    RULED,
    Appointment,
    Outcome,
    Priority,
    ProtectedGroup,
    Service,
    Status,
)
from appointments.models.attendance import Attendance, Attended
from appointments.models.bulletin import (
    Bulletin,
    BulletinState,
    Clause,
    KeptBy,
    Ruling,
    Tell,
)
from appointments.models.decision import Basis, Decision, Opinion, OpinionRole, View
from appointments.models.feed import (
    AgeFrom,
    AgeRule,
    Conflict,
    ConflictState,
    DisappearedRow,
    Extent,
    Feed,
    ImportState,
    RejectedRow,
    ScheduleImport,
)
from appointments.models.refused import RefusedRow, RefusedState
from appointments.models.roster import Roster, RosterState

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
