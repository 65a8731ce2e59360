"""Note what happened to appointments on their day: one by a tick, many from a sheet of paper.

No lock: the unique key on (appointment, day, version) decides which of two people was first. Rows
are written by appointment, so that two sheets never deadlock.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.models import Appointment, Attendance, Attended
from appointments.wards.attendance_rules import (
    MarkConflict,
    Timing,
    conflict_of,
    in_order,
    moment_of,
    timing,
)
from appointments.wards.queries import VISIT_ENDS, holding, notes_by_day
from staff import clock
from staff.access import AccessScope, Capability, require
from staff.errors import AccessRefused, Refusal
from staff.models import User
from staff.services import audit

Notes = Mapping[tuple[int, dt.date], Sequence[Attendance]]
# Where the sheet has an hour.
_FIELDS = {Attended.ARRIVED: "arrived_at", Attended.DONE: "done_at"}


@dataclass(frozen=True)
class AttendanceMark:
    """What somebody saw of one appointment.

    Attributes:
        what: ``Attended``.
        expected_version: of what stood when they looked; 0 for nothing.
        day: of which it speaks; None for the planned one.
        happened_at: None for "now", and for an absence on a day that is past.
        hour_is_known: false for a tick on a sheet that has no hour beside it.
    """

    appointment_id: int
    what: str
    expected_version: int
    happened_at: dt.datetime | None = None
    remark: str = ""
    day: dt.date | None = None
    hour_is_known: bool = True


@dataclass(frozen=True)
class Noted:
    """The result by appointment: what stands now, or why it could not be noted."""

    standing: dict[int, Attendance] = field(default_factory=dict)
    faults: dict[int, Refusal] = field(default_factory=dict)


@transaction.atomic
def note(
    *,
    appointment_id: int,
    by: User,
    what: str,
    happened_at: dt.datetime | None = None,
    from_paper: bool = False,
    remark: str = "",
    expected_version: int,
    day: dt.date | None = None,
) -> Attendance:
    """Note what happened to one appointment; the same word twice is noted once.

    Args:
        day: of which it speaks, the planned one or the one to which a person postponed it; None
            for the planned one.

    Raises:
        Refusal: an unknown word, a day on which nobody expects the patient, a moment that cannot
            be, or a colleague who was faster.
    """
    seen = AttendanceMark(appointment_id, what, expected_version, happened_at, remark, day)
    noted, made = _append([seen], by=by, from_paper=from_paper)
    if refusal := noted.faults.get(appointment_id):
        raise refusal
    for row in made:
        audit.record(
            action="attendance.noted",
            by=by,
            subject=row.appointment,
            day=row.day,
            what=row.what,
            happened_at=row.happened_at,
            from_paper=from_paper,
        )
    return noted.standing[appointment_id]


@transaction.atomic
def note_many(*, seen: Collection[AttendanceMark], by: User, from_paper: bool = True) -> Noted:
    """Note a whole sheet: what can be noted is, and each row that cannot says why.

    Args:
        seen: of each appointment what its row says, in the order in which it happened, all of
            one of its days and with the same ``expected_version``. All of a row is noted, or
            nothing of it.
    """
    noted, made = _append(seen, by=by, from_paper=from_paper)
    if made:
        audit.record(
            action="attendance.noted",
            by=by,
            from_paper=from_paper,
            rows=[[row.appointment_id, row.day, row.what, row.happened_at] for row in made],
        )
    return noted


def _append(
    seen: Collection[AttendanceMark], *, by: User, from_paper: bool
) -> tuple[Noted, list[Attendance]]:
    """Append what can be noted; return what came of each row, and what is new."""
    scope = require(by, Capability.RECORD_ARRIVALS)
    said: dict[int, list[AttendanceMark]] = defaultdict(list)
    for one in seen:
        said[one.appointment_id].append(one)
    appointments = Appointment.objects.select_related("unit").in_bulk(said)
    before = notes_by_day(said)
    noted, wanted = Noted(), []
    for pk in sorted(said):
        try:
            rows = _rows(said[pk], appointments, before, scope, noted, by=by)
        except Refusal as why:
            noted.faults[pk] = why
            continue
        for row in rows:
            row.from_paper = from_paper
        wanted.append(rows)
    return noted, list(_first_come([rows for rows in wanted if rows], noted))


def _first_come(wanted: list[list[Attendance]], noted: Noted) -> Iterator[Attendance]:
    """Write the rows; yield those that stand, and name whoever wrote another first.

    The first note of every appointment goes in before the second of any: where a colleague was
    faster, nothing of ours follows theirs.
    """
    for step in range(max(map(len, wanted), default=0)):
        some = [
            rows[step]
            for rows in wanted
            if step < len(rows) and rows[step].appointment_id not in noted.faults
        ]
        Attendance.objects.bulk_create(some, ignore_conflicts=True)
        after = notes_by_day([row.appointment_id for row in some])
        for row in some:
            notes = after[row.appointment_id, row.day]
            standing = next(one for one in notes if one.version == row.version)
            ours = ("what", "noted_by_id", "happened_at", "noted_at", "remark")
            if standing.what != row.what:
                noted.faults[row.appointment_id] = _faster(standing)
                continue
            noted.standing[row.appointment_id] = standing
            if all(getattr(standing, name) == getattr(row, name) for name in ours):
                standing.appointment = row.appointment
                yield standing


def _rows(
    said: Sequence[AttendanceMark],
    appointments: Mapping[int, Appointment],
    before: Notes,
    scope: AccessScope,
    noted: Noted,
    *,
    by: User,
) -> list[Attendance]:
    """Return what to append of one appointment; where all is noted already, say what stands.

    Raises:
        Refusal: why it cannot be noted.
    """
    first = said[0]
    appointment = appointments.get(first.appointment_id)
    if appointment is None:
        raise Refusal(_("Ce rendez-vous n'existe pas."))
    if not scope.covers(site_id=appointment.unit.site_id, unit_id=appointment.unit_id):
        raise AccessRefused(_("Cette unité n'est pas de votre ressort."))
    if any(one.what not in Attended.values for one in said):
        raise Refusal(_("Dites ce qui s'est passé : arrivé, fait, pas venu ou parti."))
    day = _day(first, appointment)
    _refuse_contradictions({Attended(one.what): one.happened_at for one in said})
    notes = before.get((appointment.pk, day), [])
    standing = notes[-1] if notes else None
    holds = holding(notes)
    new = _not_noted_yet(said, holds, standing)
    if standing is not None and not new:
        noted.standing[appointment.pk] = standing
        return []
    version = standing.version if standing else 0
    if version != first.expected_version:
        raise _faster(standing) if standing else Refusal(_("Rechargez la page et recommencez."))
    new += _end_that_stays(new, holds)
    now = clock.now()
    moments = _moments(new, holds, appointment, day, now)
    return [
        Attendance(
            appointment=appointment,
            day=day,
            version=version + number,
            what=one.what,
            happened_at=moment,
            hour_is_known=one.hour_is_known,
            noted_at=now.astimezone(dt.UTC),
            noted_by=by,
            remark=one.remark[:200],
        )
        for number, (one, moment) in enumerate(zip(new, moments, strict=True), start=1)
    ]


def _not_noted_yet(
    said: Sequence[AttendanceMark], holds: Sequence[Attendance], standing: Attendance | None
) -> list[AttendanceMark]:
    """Return what a row says beyond what holds, which may be the first part of it or all."""
    if standing is None:
        return list(said)
    known = {one.what: one for one in [*holds, standing]}
    is_stale = standing.version != said[0].expected_version
    return list(
        dropwhile(
            lambda one: (
                one.what in known and _says_the_same(known[one.what], one, is_stale=is_stale)
            ),
            said,
        )
    )


def _end_that_stays(
    new: Sequence[AttendanceMark], holds: Sequence[Attendance]
) -> list[AttendanceMark]:
    """Return the end of the visit that stands already, to stand after an arrival noted now."""
    if not holds or holds[-1].what not in VISIT_ENDS or new[-1].what != Attended.ARRIVED:
        return []
    end = holds[-1]
    return [
        replace(
            new[-1],
            what=end.what,
            happened_at=end.happened_at if end.hour_is_known else None,
            remark=end.remark,
            hour_is_known=end.hour_is_known,
        )
    ]


def _moments(
    new: Sequence[AttendanceMark],
    holds: Sequence[Attendance],
    appointment: Appointment,
    day: dt.date,
    now: dt.datetime,
) -> list[dt.datetime]:
    """Return the moment of each note, in UTC: as the database gives them back.

    In the hour that happens twice, Python finds a moment of Brussels equal to none of another zone.

    Raises:
        Refusal: what cannot be, with the field of the sheet that says so.
    """
    earlier = [one for one in holds[:1] if one.what == Attended.ARRIVED]
    noted = earlier if new[0].what in VISIT_ENDS else []
    whats = [Attended(what) for what in (*(one.what for one in noted), *(one.what for one in new))]
    known = [*(one.hour_is_known for one in noted), *(one.hour_is_known for one in new)]
    moments = [one.happened_at for one in noted]
    moments += [_moment(one, appointment, day, now).astimezone(dt.UTC) for one in new]
    marks = {
        what: moment if is_known else None
        for what, moment, is_known in zip(whats, moments, known, strict=True)
    }
    _refuse_contradictions(marks, was_noted=bool(noted))
    return in_order(list(zip(moments, known, strict=True)))[len(noted) :]


def _refuse_contradictions(
    marks: Mapping[Attended, dt.datetime | None], *, was_noted: bool = False
) -> None:
    """Refuse marks of one patient that cannot all be true.

    Args:
        marks: each with its moment, None where its hour is not known.
        was_noted: whether the arrival is one that was noted before.

    Raises:
        Refusal: what contradicts what, in words.
    """
    conflict = conflict_of(marks)
    if conflict is None:
        return
    words = {
        what: date_format(at.astimezone(clock.BRUSSELS), "H:i") if at else ""
        for what, at in marks.items()
    }
    before = {
        False: _(
            "« Fait à %(done)s » vient avant « Arrivé à %(arrived)s » : vérifiez les deux heures."
        ),
        True: _(
            "« Fait à %(done)s » vient avant l'arrivée, déjà notée à %(arrived)s : écrivez aussi "
            "l'heure d'arrivée de la feuille."
        ),
    }
    sentences = {
        MarkConflict.NOT_COME_AND_SEEN: _(
            "« Pas venu » contredit les autres coches de la ligne : gardez l'un ou l'autre."
        ),
        MarkConflict.DONE_AND_LEFT: _(
            "« Parti, non vu » contredit « Fait » : gardez l'un ou l'autre."
        ),
        MarkConflict.DONE_BEFORE_ARRIVAL: before[was_noted],
        MarkConflict.LEFT_BEFORE_ARRIVAL: _(
            "Le patient serait parti à %(left)s, avant son arrivée à %(arrived)s : vérifiez les "
            "heures."
        ),
    }
    is_of_done = conflict == MarkConflict.DONE_BEFORE_ARRIVAL
    raise Refusal(sentences[conflict] % words, field="done_at" if is_of_done else "")


def _day(one: AttendanceMark, appointment: Appointment) -> dt.date:
    """Return of which day somebody speaks.

    The planned one stays possible for what was postponed: the patient may come all the same.
    """
    day = one.day or appointment.day
    if day not in (appointment.day, appointment.postponed_to):
        words = {"day": date_format(day, "l j F Y")}
        raise Refusal(_("Ce patient n'est pas attendu le %(day)s : rechargez la page.") % words)
    return day


def _says_the_same(note: Attendance, one: AttendanceMark, *, is_stale: bool) -> bool:
    """Whether nothing is new; a person who saw the note may still correct its time or remark."""
    asked = one.happened_at and one.happened_at.astimezone(dt.UTC)
    has_new_time = asked is not None and (asked != note.happened_at or not note.hour_is_known)
    has_new_remark = one.remark not in ("", note.remark)
    return not (has_new_time or has_new_remark) or is_stale


def _moment(
    one: AttendanceMark, appointment: Appointment, day: dt.date, now: dt.datetime
) -> dt.datetime:
    what, asked = Attended(one.what), one.happened_at
    if asked is not None:
        asked = asked.astimezone(clock.BRUSSELS)
    starts_at = appointment.starts_at.astimezone(clock.BRUSSELS)
    moment = moment_of(
        what,
        starts_at=starts_at,
        day=day,
        asked=asked,
        now=now,
        hour_is_known=one.hour_is_known,
    )
    verdict = timing(what, moment, day=day, now=now)
    if moment is None or verdict != Timing.FITS:
        raise Refusal(why_not(verdict, day=day, moment=moment), field=_FIELDS.get(what, ""))
    return moment


def why_not(verdict: Timing, *, day: dt.date, moment: dt.datetime | None) -> str:
    """Return what is wrong with a moment, in words."""
    words = {
        "day": date_format(day, "l j F Y"),
        "moment": date_format(moment, "l j F Y H:i") if moment else "",
    }
    sentences = {
        Timing.NOT_YET: _("Ce rendez-vous est prévu le %(day)s : notez-le ce jour-là."),
        Timing.FUTURE: _("%(moment)s n'est pas encore passé : vérifiez l'heure."),
        Timing.OTHER_DAY: _("%(moment)s n'est pas le jour du rendez-vous, le %(day)s."),
        Timing.NO_TIME: _(
            "Ce rendez-vous était prévu le %(day)s : encodez la feuille papier, avec l'heure."
        ),
    }
    return sentences[verdict] % words


def _faster(standing: Attendance) -> Refusal:
    """Return the refusal for the second of two people."""
    moment = date_format(standing.noted_at.astimezone(clock.BRUSSELS), "D j/m H:i")
    return Refusal(
        _("%(who)s vient de noter « %(what)s » (%(moment)s). Vérifiez avant de recommencer.")
        % {"who": standing.noted_by, "what": standing.get_what_display(), "moment": moment}
    )
