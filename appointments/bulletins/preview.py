"""What a bulletin would do, before anyone approves it.

Reads the very tables that applying writes from (``rulings.planned``), so the counts agree. The
counts are arranged as people read them: day, service, then site by outcome.
"""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from appointments.bulletins.queries import odd_moments
from appointments.bulletins.sentences import moment_in_words
from appointments.decisions import rulings
from appointments.decisions.keeping import decided_by_day
from appointments.decisions.ruling_tables import LIVE, RulingScope
from appointments.decisions.rulings import clauses_of, ruling_bulletins
from appointments.feeds.importing.refused_rows import RefusedCount, count_refused
from appointments.models import RULED, Appointment, Basis, Bulletin, Outcome, Service
from notifications.rules import QuietHours
from notifications.sending import estimate as estimating
from notifications.sending.estimate import Estimate, Sample
from staff import clock
from staff.database import as_date

UNDECIDED = ""
NONE_REFUSED = RefusedCount()
OUTCOMES = (Outcome.MAINTAINED, Outcome.UNDER_REVIEW, Outcome.CANCELLED, UNDECIDED)
BAR_WIDTH = 1000  # units of the picture's own scale
# Whole sentences, since languages do not build them from the same parts.
_CHANGES = {
    (UNDECIDED, Outcome.CANCELLED): ngettext_lazy(
        "%(number)d rendez-vous sans décision passe à annulé",
        "%(number)d rendez-vous sans décision passent à annulé",
        "number",
    ),
    (UNDECIDED, Outcome.MAINTAINED): ngettext_lazy(
        "%(number)d rendez-vous sans décision passe à maintenu",
        "%(number)d rendez-vous sans décision passent à maintenu",
        "number",
    ),
    (UNDECIDED, Outcome.UNDER_REVIEW): ngettext_lazy(
        "%(number)d rendez-vous sans décision passe à « à examiner »",
        "%(number)d rendez-vous sans décision passent à « à examiner »",
        "number",
    ),
    (Outcome.CANCELLED, Outcome.MAINTAINED): ngettext_lazy(
        "%(number)d rendez-vous passe d'annulé à maintenu",
        "%(number)d rendez-vous passent d'annulé à maintenu",
        "number",
    ),
    (Outcome.CANCELLED, Outcome.UNDER_REVIEW): ngettext_lazy(
        "%(number)d rendez-vous passe d'annulé à « à examiner »",
        "%(number)d rendez-vous passent d'annulé à « à examiner »",
        "number",
    ),
    (Outcome.MAINTAINED, Outcome.CANCELLED): ngettext_lazy(
        "%(number)d rendez-vous passe de maintenu à annulé",
        "%(number)d rendez-vous passent de maintenu à annulé",
        "number",
    ),
    (Outcome.MAINTAINED, Outcome.UNDER_REVIEW): ngettext_lazy(
        "%(number)d rendez-vous passe de maintenu à « à examiner »",
        "%(number)d rendez-vous passent de maintenu à « à examiner »",
        "number",
    ),
    (Outcome.UNDER_REVIEW, Outcome.CANCELLED): ngettext_lazy(
        "%(number)d rendez-vous passe de « à examiner » à annulé",
        "%(number)d rendez-vous passent de « à examiner » à annulé",
        "number",
    ),
    (Outcome.UNDER_REVIEW, Outcome.MAINTAINED): ngettext_lazy(
        "%(number)d rendez-vous passe de « à examiner » à maintenu",
        "%(number)d rendez-vous passent de « à examiner » à maintenu",
        "number",
    ),
}


def warnings_of(
    estimate: Estimate,
    *,
    release_at: dt.datetime,
    at_night: bool,
    hours: QuietHours,
    operations_by_sms: int = 0,
    refused: RefusedCount = NONE_REFUSED,
) -> list[str]:
    """Return what may not go as the bulletin's author thinks, most important first.

    Args:
        estimate: what telling would take.
        release_at: when SMS may leave, not before now.
        at_night: the bulletin sends in quiet hours too.
        hours: the quiet hours.
        operations_by_sms: how many operations are cancelled outright and told by SMS.
        refused: rows that loads refused and nobody has seen to.
    """
    warnings = (
        _of_refused(refused) if refused else "",
        _of_operations(operations_by_sms) if operations_by_sms else "",
        "" if at_night else _of_the_night(estimate, release_at, hours),
        _of_too_late(estimate.too_late) if estimate.too_late else "",
        _of_the_cap(estimate),
    )
    return [warning for warning in warnings if warning]


def _of_refused(refused: RefusedCount) -> str:
    return ngettext(
        "%(open)d ligne refusée au chargement reste ouverte, dont %(ruled)d sur les jours de ce "
        "bulletin et %(without)d sans jour lisible : aucun bulletin ne prévient ces patients. "
        "Voyez « Lignes refusées ».",
        "%(open)d lignes refusées au chargement restent ouvertes, dont %(ruled)d sur les jours de "
        "ce bulletin et %(without)d sans jour lisible : aucun bulletin ne prévient ces patients. "
        "Voyez « Lignes refusées ».",
        refused.open,
    ) % {"open": refused.open, "ruled": refused.on_ruled_days, "without": refused.without_day}


def _of_operations(number: int) -> str:
    return ngettext(
        "%(number)d opération serait annulée d'office et son patient prévenu par SMS : "
        "une opération se dit de vive voix. Choisissez « par téléphone », ou « au cas "
        "par cas » pour que le Directeur médical décide.",
        "%(number)d opérations seraient annulées d'office et leurs patients prévenus par "
        "SMS : une opération se dit de vive voix. Choisissez « par téléphone », ou « au "
        "cas par cas » pour que le Directeur médical décide.",
        number,
    ) % {"number": number}


def _of_the_night(estimate: Estimate, release_at: dt.datetime, hours: QuietHours) -> str:
    sends = estimate.by_sms or estimate.too_late
    if not (sends and hours.is_quiet(release_at)):
        return ""
    return _(
        "Les SMS libérés %(release)s attendront %(end)s : ce sont les heures calmes (%(hours)s)."
    ) % {
        "release": moment_in_words(release_at),
        "end": moment_in_words(hours.next_allowed(release_at)),
        "hours": hours,
    }


def _of_too_late(number: int) -> str:
    return ngettext(
        "%(number)d patient est compté parmi les appels : son SMS partirait trop tard.",
        "%(number)d patients sont comptés parmi les appels : leur SMS partirait trop tard.",
        number,
    ) % {"number": number}


def _of_the_cap(estimate: Estimate) -> str:
    if estimate.cap is None or estimate.parts <= estimate.cap:
        return ""
    return _(
        "Le plafond de la passerelle (%(cap)d parties par jour) ne suffit pas : il en "
        "faut %(parts)d. Le reste passera par une autre passerelle ou attendra le "
        "lendemain ; ceux qui n'ont pas ce temps seront appelés."
    ) % {"cap": estimate.cap, "parts": estimate.parts}


@dataclass(frozen=True)
class PreviewCount:
    """How many appointments of a day, site and service would have an outcome."""

    day: dt.date
    site: str
    service: str
    outcome: str  # "" where nothing is decided
    was: str  # the outcome now
    appointments: int


@dataclass(frozen=True)
class BulletinPreview:
    """The effect of a bulletin. Patients are counted once a day, as they are told.

    ``refused_open`` are rows that a load refused and nobody has seen to: no bulletin rules on
    them; ``refused_on_its_days`` are those on the bulletin's days.
    """

    counts: list[PreviewCount]
    appointments_changed: int
    patients_by_sms: int
    patients_by_phone: int
    patients_without_number: int
    notices_withdrawn: int
    already_told: int
    kept_by_people: int
    emergency_protected: int
    refused_open: int
    refused_on_its_days: int
    sms_parts: int
    sms_cost_euro: float
    sms_seconds: float
    warnings: list[str]
    samples: tuple[Sample, ...] = ()

    @property
    def patients_to_tell(self) -> int:
        """How many notices approving opens: a patient to be told about two days counts twice."""
        return self.patients_by_sms + self.patients_by_phone

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        values = dataclasses.asdict(self)
        values["counts"] = [count | {"day": count["day"].isoformat()} for count in values["counts"]]
        return values


def preview(bulletin_id: int) -> BulletinPreview:
    """Return what approving the bulletin now would do; nothing is changed.

    Args:
        bulletin_id: usually a draft; for a bulletin in force, what applying it again would do.
    """
    bulletin = Bulletin.objects.prefetch_related("clauses").get(pk=bulletin_id)
    scope = RulingScope(bulletin.first_day, bulletin.last_day)
    planned = Appointment.objects.filter(
        day__range=(bulletin.first_day, bulletin.last_day), status__in=RULED
    )
    refused = count_refused(set(bulletin.days))
    with rulings.planned(bulletin) as cursor:
        estimate = estimating.estimate(cursor, scope, day=bulletin.first_day)
        return BulletinPreview(
            counts=_counts(cursor, scope),
            appointments_changed=_one(
                cursor,
                """SELECT COUNT(*) FROM ruled_change c
                   JOIN appointments_appointment a ON a.id = c.appointment_id
                   WHERE a.outcome <> c.outcome""",
            ),
            kept_by_people=planned.filter(outcome_basis=Basis.PERSON).count(),
            emergency_protected=planned.filter(service=Service.EMERGENCY).count(),
            refused_open=refused.open,
            refused_on_its_days=refused.on_ruled_days,
            patients_by_sms=estimate.by_sms,
            patients_by_phone=estimate.by_phone,
            patients_without_number=estimate.without_number,
            notices_withdrawn=estimate.withdrawn,
            already_told=estimate.already_told,
            sms_parts=estimate.parts,
            sms_cost_euro=round(estimate.parts * settings.SMS_PART_COST_EURO, 2),
            sms_seconds=round(estimate.seconds, 1),
            samples=estimate.samples,
            warnings=odd_moments(bulletin, clauses_of(bulletin))
            + warnings_of(
                estimate,
                release_at=max(bulletin.release_at, clock.now()),
                at_night=bool(bulletin.quiet_hours_override_reason),
                hours=QuietHours.parse(settings.SMS_QUIET_HOURS),
                operations_by_sms=_one(
                    cursor,
                    # CROSS JOIN: without statistics, SQLite then begins with the small table.
                    """SELECT COUNT(*) FROM wanted w
                       CROSS JOIN appointments_appointment a
                       WHERE a.id = w.subject_id AND a.service = 'surgery' AND w.word = 'cancelled'
                           AND w.channel = 'sms'""",
                ),
                refused=refused,
            ),
        )


@dataclass(frozen=True)
class DayAfter:
    """What holds on a day after a withdrawal.

    Attributes:
        day: which.
        ruling: the bulletin that rules it then, if one does.
        by_persons: appointments that persons cancelled, postponed or have yet to decide.
        unaware: patients who do not know yet what holds.
    """

    day: dt.date
    ruling: Bulletin | None
    by_persons: int = 0
    unaware: int = 0


@dataclass(frozen=True)
class Withdrawal:
    """What withdrawing a bulletin does.

    Attributes:
        restored: the bulletin that comes back with it, if one does.
        days: from today on.
        patients_to_tell: patients who are told something else now.
        by_sms, by_phone: of these.
        call_seconds: how long calling them takes, by one person.
        notices_withdrawn: notices that were not sent yet and will not be.
    """

    restored: Bulletin | None
    days: list[DayAfter]
    patients_to_tell: int
    by_sms: int
    by_phone: int
    call_seconds: float
    notices_withdrawn: int


def withdrawal(
    bulletin_id: int, *, restored: Bulletin | None = None, by_sms: bool = False
) -> Withdrawal:
    """Return what withdrawing the bulletin now would do; nothing is changed.

    Args:
        bulletin_id: in force.
        restored: a superseded bulletin that would come back with it.
        by_sms: whether "maintained after all" goes by SMS where it can.
    """
    bulletin = Bulletin.objects.prefetch_related("clauses").get(pk=bulletin_id)
    days = rulings.days_concerned(bulletin, restored)
    ruling = ruling_bulletins(days, without=bulletin.pk, restored=restored.pk if restored else 0)
    with rulings.planned_withdrawal(bulletin, restored, by_sms=by_sms) as cursor:
        estimate = estimating.estimate(cursor, RulingScope(days[0], days[-1]))
        unaware = estimating.unaware_by_day(cursor)
    by_persons = decided_by_day(days[0], days[-1])
    return Withdrawal(
        restored=restored,
        days=[
            DayAfter(day, ruling.get(day), by_persons.get(day, 0), unaware.get(day, 0))
            for day in bulletin.days
            if day >= clock.today()
        ],
        patients_to_tell=estimate.by_sms + estimate.by_phone,
        by_sms=estimate.by_sms,
        by_phone=estimate.by_phone,
        call_seconds=estimate.by_phone * settings.CALL_TAKES_SECONDS,
        notices_withdrawn=estimate.withdrawn,
    )


def _counts(cursor: CursorWrapper, scope: RulingScope) -> list[PreviewCount]:
    cursor.execute(
        f"""SELECT a.day, s.code, a.service, COALESCE(c.outcome, a.outcome), a.outcome, COUNT(*)
            FROM appointments_appointment a
            JOIN staff_unit u ON u.id = a.unit_id JOIN staff_site s ON s.id = u.site_id
            LEFT JOIN ruled_change c ON c.appointment_id = a.id
            WHERE {LIVE} AND {scope.condition("a")}
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5""",  # noqa: S608
        scope.parameters,
    )
    return [PreviewCount(as_date(day), *rest) for day, *rest in cursor.fetchall()]


def _one(cursor: CursorWrapper, sql: str) -> int:
    cursor.execute(sql)
    counted: int = cursor.fetchone()[0]
    return counted


@dataclass(frozen=True)
class Segment:
    """One piece of a bar: where it starts and how wide it is, of ``BAR_WIDTH``."""

    outcome: str
    label: str
    appointments: int
    start: int
    width: int


@dataclass(frozen=True)
class ServiceTable:
    """One service on one day; each row of ``sites`` has one number for each segment's outcome."""

    label: str
    segments: tuple[Segment, ...]
    sites: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class DayTables:
    """One day of the preview."""

    day: dt.date
    total: int
    changed: int
    services: tuple[ServiceTable, ...]


def tables_of(
    counts: Iterable[PreviewCount], site_names: Mapping[str, str]
) -> tuple[DayTables, ...]:
    """Return the counts by day and service; sites in the order of ``site_names``."""
    listed = list(counts)
    days = []
    for day in sorted({count.day for count in listed}):
        on_day = [count for count in listed if count.day == day]
        by_service = {
            service: [count for count in on_day if count.service == service] for service in Service
        }
        largest = max(map(_sum, by_service.values()))
        services = tuple(
            _service_table(service, of_service, site_names, largest)
            for service, of_service in by_service.items()
            if of_service
        )
        changed = _sum(count for count in on_day if count.outcome != count.was)
        days.append(DayTables(day, _sum(on_day), changed, services))
    return tuple(days)


def totals_of(counts: Iterable[PreviewCount]) -> tuple[tuple[str, int], ...]:
    """Return how many appointments each outcome has over all days, in the order of ``OUTCOMES``."""
    by_outcome: Counter[str] = Counter()
    for count in counts:
        by_outcome[count.outcome] += count.appointments
    return tuple((outcome, by_outcome[outcome]) for outcome in OUTCOMES)


def _service_table(
    service: Service, counts: list[PreviewCount], site_names: Mapping[str, str], largest: int
) -> ServiceTable:
    segments = _segments(totals_of(counts), largest)
    sites = []
    for code, name in site_names.items():
        at_site = [count for count in counts if count.site == code]
        if at_site:
            numbers = dict(totals_of(at_site))
            sites.append((name, tuple(numbers[segment.outcome] for segment in segments)))
    return ServiceTable(label=str(service.label), segments=segments, sites=tuple(sites))


def _segments(totals: tuple[tuple[str, int], ...], whole: int) -> tuple[Segment, ...]:
    """Return the pieces of a bar; edges are rounded, not widths, so that they always meet.

    Args:
        totals: appointments by outcome.
        whole: how many fill the picture: the largest service of the day, so that bars compare.
    """
    segments, before = [], 0
    for outcome, number in totals:
        start = round(BAR_WIDTH * before / whole)
        end = round(BAR_WIDTH * (before + number) / whole)
        if number:
            segments.append(Segment(outcome, _label(outcome, number), number, start, end - start))
        before += number
    return tuple(segments)


def _label(outcome: str, number: int) -> str:
    """Return what follows the number, as in ``3 annulés``."""
    if outcome == Outcome.MAINTAINED:
        return ngettext("maintenu", "maintenus", number)
    if outcome == Outcome.CANCELLED:
        return ngettext("annulé", "annulés", number)
    return _("à examiner") if outcome == Outcome.UNDER_REVIEW else _("sans décision")


def _sum(counts: Iterable[PreviewCount]) -> int:
    return sum(count.appointments for count in counts)


@dataclass(frozen=True)
class ServiceChange:
    """One service; ``numbers`` has one number for each of the change's ``sites``."""

    label: str
    numbers: tuple[int, ...]
    total: int


@dataclass(frozen=True)
class OutcomeChange:
    """The appointments that go from one outcome to another."""

    was: str
    outcome: str
    appointments: int
    sentence: str
    sites: tuple[str, ...]
    services: tuple[ServiceChange, ...]


@dataclass(frozen=True)
class ClauseChanges:
    """How a draft reads beside the bulletin that rules the same days, if one does.

    Attributes:
        number, title: of that bulletin; 0 and nothing where none rules.
        days: those of the draft's days that it rules.
        added: what the draft orders otherwise on these days.
        dropped: what it orders there instead.
        still: the days that it goes on ruling after the draft is approved.
    """

    number: int
    title: str
    days: tuple[dt.date, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    still: tuple[dt.date, ...] = ()


def changes_of(
    counts: Iterable[PreviewCount], site_names: Mapping[str, str]
) -> tuple[OutcomeChange, ...]:
    """Return what changes, by what it was and what it becomes; the most appointments first."""
    listed = [count for count in counts if count.outcome != count.was]
    changes = [
        _outcome_change(was, outcome, of_pair, site_names)
        for was in OUTCOMES
        for outcome in OUTCOMES
        if (of_pair := [one for one in listed if (one.was, one.outcome) == (was, outcome)])
    ]
    return tuple(sorted(changes, key=lambda change: -change.appointments))


def _outcome_change(
    was: str, outcome: str, counts: list[PreviewCount], site_names: Mapping[str, str]
) -> OutcomeChange:
    places: Counter[tuple[str, str]] = Counter()
    for count in counts:
        places[count.service, count.site] += count.appointments
    sites = [code for code in site_names if any(site == code for _service, site in places)]
    services = []
    for service in Service:
        numbers = tuple(places[service, site] for site in sites)
        if any(numbers):
            services.append(ServiceChange(str(service.label), numbers, sum(numbers)))
    total = places.total()
    sentence = _CHANGES[Outcome(was) if was else UNDECIDED, Outcome(outcome)]
    return OutcomeChange(
        was=was,
        outcome=outcome,
        appointments=total,
        sentence=str(sentence % {"number": total}),
        sites=tuple(site_names[code] for code in sites),
        services=tuple(services),
    )
