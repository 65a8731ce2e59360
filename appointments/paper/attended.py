"""A unit's day as it goes on: who is awaited, who is there, who was seen. Plain values."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from appointments.models import Attendance, Attended, Outcome
from appointments.paper.content import RosterContent, RosterRow


@dataclass(frozen=True)
class WardLine:
    """One appointment on its day.

    Attributes:
        latest: what was noted last, also when that took a mistake back; None before.
        arrival: the note of the arrival that came before what holds; None without one.
        kept_by: code of who may still keep it, as the bulletin that cancels it says.
    """

    row: RosterRow
    latest: Attendance | None = None
    arrival: Attendance | None = None
    kept_by: str = ""

    @property
    def version(self) -> int:
        """The version of what was noted last; 0 before."""
        return self.latest.version if self.latest else 0

    @property
    def standing(self) -> Attendance | None:
        """What holds; nothing once a note was taken back."""
        return self.latest if self.latest and self.latest.what != Attended.CLEARED else None

    @property
    def what(self) -> str:
        """Code of what holds; empty while nobody noted anything."""
        return self.standing.what if self.standing else ""

    @property
    def notes(self) -> list[Attendance]:
        """What holds, in the order in which it happened."""
        return [one for one in (self.arrival, self.standing) if one]

    @property
    def is_called_off(self) -> bool:
        """Whether this patient should not come."""
        return self.row.section == Outcome.CANCELLED

    @property
    def stands_there(self) -> bool:
        """Whether a patient came who should not have."""
        return self.is_called_off and self.what == Attended.ARRIVED


@dataclass(frozen=True)
class AttendanceCounts:
    """How a day stands: each appointment that holds is in one of the first five.

    ``despite`` are patients who stand there although their appointment is cancelled;
    ``called_off`` those who should not come, and of whom nothing is noted.
    """

    expected: int = 0
    arrived: int = 0
    done: int = 0
    absent: int = 0
    left: int = 0
    despite: int = 0
    called_off: int = 0

    @property
    def total(self) -> int:
        """How many were to come."""
        return self.expected + self.arrived + self.done + self.absent + self.left


@dataclass(frozen=True)
class WardDay:
    """One unit's day: its sheet, and the same lines with what happened."""

    content: RosterContent
    lines: tuple[WardLine, ...]

    @property
    def counts(self) -> AttendanceCounts:
        """How the day stands."""
        return counted((line.is_called_off, line.what) for line in self.lines)


def counted(days: Iterable[tuple[bool, str]]) -> AttendanceCounts:
    """Count appointments, each given as whether it is called off and the code of what holds."""
    numbers: Counter[str] = Counter()
    for is_called_off, what in days:
        if is_called_off and what == Attended.ARRIVED:
            numbers["despite"] += 1
        else:
            numbers[what or ("called_off" if is_called_off else "expected")] += 1
    return AttendanceCounts(**numbers)
