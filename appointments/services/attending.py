"""Note what happened to appointments on their day: one by a tick, many from a sheet of paper.

No lock: the unique key on (appointment, day, version) decides who of two was faster. Rows go in
by appointment, so that two sheets never wait for each other crosswise.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments import vocabulary
from appointments.attendance_rules import Timing, moment_of, timing
from appointments.models import Appointment, Attendance, Attended
from appointments.queries.attendance import standing_by_day
from staff import clock
from staff.access import Capability, Scope, require
from staff.errors import AccessRefused, Refusal
from staff.models import User
from staff.services import audit


@dataclass(frozen=True)
class Seen:
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
    """What came of it, by appointment: what stands now, or why it could not be noted."""

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
    seen = Seen(appointment_id, what, expected_version, happened_at, remark, day)
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
def note_many(*, seen: Collection[Seen], by: User, from_paper: bool = True) -> Noted:
    """Note a whole sheet: what can be noted is, and each row that cannot says why.

    Args:
        seen: of each appointment once, of whichever of its days.
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
    seen: Collection[Seen], *, by: User, from_paper: bool
) -> tuple[Noted, list[Attendance]]:
    """Append what can be noted; return what came of each row, and what is new."""
    scope = require(by, Capability.RECORD_ARRIVALS)
    ids = [one.appointment_id for one in seen]
    appointments = Appointment.objects.select_related("unit").in_bulk(ids)
    before = standing_by_day(ids)
    noted, wanted = Noted(), []
    for one in sorted(seen, key=lambda one: one.appointment_id):
        try:
            row = _row(one, appointments, before, scope, by=by)
        except Refusal as why:
            noted.faults[one.appointment_id] = why
            continue
        row.from_paper = from_paper
        if row._state.adding:
            wanted.append(row)
        else:
            noted.standing[one.appointment_id] = row
    made = list(_first_come(wanted, noted))
    noted.standing.update({row.appointment_id: row for row in made})
    return noted, made


def _first_come(wanted: list[Attendance], noted: Noted) -> Iterator[Attendance]:
    """Write the rows; yield those that stand, and name whoever wrote another first."""
    Attendance.objects.bulk_create(wanted, ignore_conflicts=True)
    after = standing_by_day([row.appointment_id for row in wanted])
    for row in wanted:
        standing = after[row.appointment_id, row.day]
        ours = ("version", "what", "noted_by_id", "happened_at", "noted_at", "remark")
        if all(getattr(standing, name) == getattr(row, name) for name in ours):
            standing.appointment = row.appointment
            yield standing
        elif standing.what == row.what:
            noted.standing[row.appointment_id] = standing
        else:
            noted.faults[row.appointment_id] = _faster(standing)


def _row(
    one: Seen,
    appointments: Mapping[int, Appointment],
    before: Mapping[tuple[int, dt.date], Attendance],
    scope: Scope,
    *,
    by: User,
) -> Attendance:
    """Return the row to append, or the one that says the same already.

    Raises:
        Refusal: why it cannot be noted.
    """
    appointment = appointments.get(one.appointment_id)
    if appointment is None:
        raise Refusal(_("Ce rendez-vous n'existe pas."))
    if not scope.covers(site_id=appointment.unit.site_id, unit_id=appointment.unit_id):
        raise AccessRefused(_("Cette unité n'est pas de votre ressort."))
    if one.what not in Attended.values:
        raise Refusal(_("Dites ce qui s'est passé : arrivé, fait, pas venu ou parti."))
    day = _day(one, appointment)
    standing = before.get((appointment.pk, day))
    if standing is not None and _says_the_same(standing, one):
        return standing
    version = standing.version if standing else 0
    if version != one.expected_version:
        raise _faster(standing) if standing else Refusal(_("Rechargez la page et recommencez."))
    now = clock.now()
    return Attendance(
        appointment=appointment,
        day=day,
        version=version + 1,
        what=one.what,
        # As the database gives them back: in the hour that happens twice, Python finds a moment
        # of Brussels equal to none of another zone.
        happened_at=_moment(one, appointment, day, now).astimezone(dt.UTC),
        hour_is_known=one.hour_is_known,
        noted_at=now.astimezone(dt.UTC),
        noted_by=by,
        remark=one.remark[:200],
    )


def _day(one: Seen, appointment: Appointment) -> dt.date:
    """Return of which day somebody speaks.

    The planned one stays possible for what was postponed: the patient may come all the same.
    """
    day = one.day or appointment.day
    if day not in (appointment.day, appointment.postponed_to):
        words = {"day": date_format(day, "l j F Y")}
        raise Refusal(_("Ce patient n'est pas attendu le %(day)s : rechargez la page.") % words)
    return day


def _says_the_same(standing: Attendance, one: Seen) -> bool:
    """Whether nothing would be added; whoever saw the row may still mend its time or remark."""
    if standing.what != one.what:
        return False
    asked = one.happened_at and one.happened_at.astimezone(dt.UTC)
    has_new_time = asked not in (None, standing.happened_at)
    has_new_remark = one.remark not in ("", standing.remark)
    return not (has_new_time or has_new_remark) or standing.version != one.expected_version


def _moment(one: Seen, appointment: Appointment, day: dt.date, now: dt.datetime) -> dt.datetime:
    what, asked = vocabulary.Attended(one.what), one.happened_at
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
        raise Refusal(why_not(verdict, day=day, moment=moment), field="time")
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
    """Return what to say to whoever came second."""
    moment = date_format(standing.noted_at.astimezone(clock.BRUSSELS), "D j/m H:i")
    return Refusal(
        _("%(who)s vient de noter « %(what)s » (%(moment)s). Vérifiez avant de recommencer.")
        % {"who": standing.noted_by, "what": standing.get_what_display(), "moment": moment}
    )
