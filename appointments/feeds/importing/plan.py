"""What a few hundred records would change: new, changed, moved, unchanged, refused.

Reads only. The dry run stops here; the load writes exactly what was planned.
"""

import datetime as dt
import difflib
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Self

from django.db.models import prefetch_related_objects

from appointments.decisions.acts import Act, entries_at
from appointments.feeds.files.headings import BY_KEY
from appointments.feeds.importing.people import People, Practitioners, Recognised
from appointments.feeds.records import Coverage, Readable, RowFault, ScheduleRecord
from appointments.models import CALLED_OFF, RULED, Appointment, Conflict, ConflictState, Feed
from patients import phones
from patients.names import fold
from patients.services.registration import Description, KnownPatient, says_nothing_new
from staff import clock
from staff.models import Site, Unit
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _

_UNKNOWN = 0
# The place of a row and the state of its file: not part of what the row says.
_ASIDE = {"line", "sheet", "changed_at", "is_name_certain"}
_content = attrgetter(
    *(
        name
        for name in ScheduleRecord.__slots__
        if name not in {"starts_at", "protected_groups"} | _ASIDE
    )
)


@dataclass(frozen=True, slots=True)
class UnitPlace:
    """A unit and its site, by id."""

    unit_id: int
    site_id: int


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Why there is no such unit: ``column`` is ``site`` or ``unit``."""

    column: str
    value: str
    why: Stored


@dataclass(frozen=True, slots=True)
class Known:
    """What the database holds of an appointment that the file names again."""

    id: int
    row_digest: str
    starts_at: dt.datetime
    moved_from: dt.datetime | None
    moved_at: dt.datetime | None
    missing_since: dt.datetime | None
    service: str
    status: str
    outcome: str
    patient_id: int
    record_number: str
    unit_id: int
    practitioner_id: int | None
    day: dt.date
    minutes: int | None
    act: str
    priority: str
    protected_groups: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A record, where it takes place, and what is known of it."""

    record: ScheduleRecord
    place: UnitPlace
    digest: str
    known: Known | None = None
    who: Recognised = Recognised()

    @property
    def is_moved(self) -> bool:
        """Whether the source gives another moment than before."""
        return self.known is not None and self.known.starts_at != self.record.starts_at

    @property
    def says_otherwise(self) -> bool:
        """Whether it changes when, or whether, a known appointment takes place."""
        return self.is_moved or (
            self.known is not None
            and self.known.status != self.record.status
            and not {self.known.status, self.record.status}.isdisjoint(CALLED_OFF)
        )

    def said(self, practitioner_id: int | None) -> dict[str, Any]:
        """Return the fields of the appointment that the source says."""
        record = self.record
        return {
            "record_number": record.patient_id,
            "unit_id": self.place.unit_id,
            "practitioner_id": practitioner_id,
            "service": record.service,
            "status": record.status,
            "starts_at": record.starts_at,
            "day": clock.local_day(record.starts_at),
            "minutes": record.minutes,
            "act": record.act,
            "priority": record.priority,
            "protected_groups": " ".join(sorted(record.protected_groups)),
        }

    def description(self, *, is_newest: bool) -> Description:
        """Return what the source says of the patient."""
        record = self.record
        return Description(
            number=record.patient_id,
            family_name=record.family_name,
            given_name=record.given_name,
            birth_date=record.birth_date,
            language=record.language,
            national_number=record.national_number,
            phones=record.phones,
            is_name_certain=record.is_name_certain,
            same_as=self.who.same_as,
            like=self.who.like,
            is_newest=is_newest,
        )

    def last_move(self, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return from when the appointment was last moved, and when we learned it."""
        if self.known is None:
            return None, None
        if self.is_moved:
            return self.known.starts_at, now
        return self.known.moved_from, self.known.moved_at


@dataclass
class ChunkPlan:
    """What one chunk changes.

    ``back`` are unchanged rows that had disappeared; ``waiting`` are rows of a file of unknown
    age that say otherwise of when or whether a known appointment takes place. ``patients`` are
    those known under its record numbers before it is written.
    """

    created: list[Planned] = field(default_factory=list)
    updated: list[Planned] = field(default_factory=list)
    moved: list[Planned] = field(default_factory=list)
    back: list[Planned] = field(default_factory=list)
    waiting: list[Planned] = field(default_factory=list)
    unchanged: int = 0
    faults: list[RowFault] = field(default_factory=list)
    patients: Mapping[str, KnownPatient] | None = None

    def ruled_part(self, ruled_days: Collection[dt.date]) -> Self | None:
        """Return the rows that a bulletin in force may touch; None without any."""

        def concerns(one: Planned) -> bool:
            days = [one.record.starts_at] + ([one.known.starts_at] if one.known else [])
            is_decided = one.known is not None and bool(one.known.outcome)
            if is_decided or one.who.joins:
                return True
            return any(clock.local_day(moment) in ruled_days for moment in days)

        part = type(self)(
            created=list(filter(concerns, self.created)),
            updated=list(filter(concerns, self.updated)),
            moved=list(filter(concerns, self.moved)),
            back=list(filter(concerns, self.back)),
        )
        return part if part.created or part.updated or part.moved or part.back else None


class Planner:
    """Plans one load, chunk by chunk; remembers what the file has said so far."""

    def __init__(
        self,
        feed: Feed | None,
        headings: Mapping[str, str],
        practitioners: Practitioners,
        *,
        is_age_known: bool,
    ) -> None:
        """Start a load.

        Args:
            feed: the source; None for a new one.
            headings: for the keys of columns, the file's own headings.
            practitioners: those known, and those that this load makes.
            is_age_known: whether anybody knows when the export was made; without it, what it
                says of when a known appointment takes place waits for a person.
        """
        self._feed = feed
        self._headings = headings
        self._is_age_known = is_age_known
        self._practitioners = practitioners
        self._places = PlaceIndex()
        self._people = People(feed.name if feed else "")
        self._digests: dict[str, str] = {}  # number at the source → what its row says
        self.coverage = Coverage()

    def plan(self, records: Sequence[ScheduleRecord]) -> ChunkPlan:
        """Return what some hundred records change, in a fixed number of queries."""
        plan = ChunkPlan()
        plan.patients = known_people = self._people.known(records)
        accepted = self._accepted(records, known_people, plan.faults)
        known = self._known([record.source_id for record, _place, _who in accepted])
        for fault in plan.faults:
            if not fault.landed:
                self.coverage.refuse(fault.source_id, fault.written)
        for record, place, who in accepted:
            planned = Planned(record, place, digest_of(record), known.get(record.source_id), who)
            self._digests[record.source_id] = planned.digest
            self.coverage.take(
                record.source_id,
                record.where,
                day=clock.local_day(record.starts_at),
                unit_id=place.unit_id,
                site_id=place.site_id,
            )
            self._sort(planned, plan)
        self._drop_refused_before(plan)
        self._drop_same(plan)
        self._name_double_entries(plan)
        return plan

    def _name_double_entries(self, plan: ChunkPlan) -> None:
        """Add a remark about what another source plans for the same patient, moment and place."""
        people = plan.patients or {}
        concerned = []
        for one in [*plan.created, *plan.moved]:
            known = people.get(one.record.patient_id)
            patient_id = known.patient.pk if known else one.who.same_as
            if isinstance(patient_id, int) and one.record.status in RULED:
                record = one.record
                place = (record.starts_at, record.service, one.place.site_id)
                concerned.append((record, Act(patient_id, *place)))
        entries = entries_at(
            {act.patient_id for _record, act in concerned},
            {act.starts_at for _record, act in concerned},
        )
        own = self._feed.pk if self._feed else 0
        named = _("%(number)s (source %(source)s)")
        why = _(
            "Même patient, même heure, même activité et même site que le rendez-vous %(others)s : "
            "un seul rendez-vous pour le patient, annoncé une fois. Ce qu'une personne décide de "
            "l'un vaut pour l'autre."
        )
        for record, act in concerned:
            others = [
                named % {"number": one.source_id, "source": one.source}
                for one in entries.get(act, ())
                if one.feed_id != own
            ]
            if others:
                said = why % {"others": joined(others, ", ")}
                plan.faults.append(self.remark(record, "source_id", record.source_id, said))

    def _accepted(
        self,
        records: Sequence[ScheduleRecord],
        known_people: Mapping[str, KnownPatient],
        faults: list[RowFault],
    ) -> list[tuple[ScheduleRecord, UnitPlace, Recognised]]:
        """Return the records that can be taken, with their places and whom they are about."""
        accepted: dict[str, tuple[ScheduleRecord, UnitPlace, Recognised]] = {}
        for record in records:
            place = self._places.find(record)
            if isinstance(place, NoPlace):
                faults.append(self._fault(record, place.column, place.value, place.why))
                continue
            earlier = self.coverage.lines.get(record.source_id)
            if record.source_id in accepted:
                earlier = accepted[record.source_id][0].where
            if earlier is not None:
                repeated = _(
                    "Ce numéro figure déjà à la ligne %(line)s : ne gardez qu'une des deux lignes."
                )
                said = self._digests.get(record.source_id) or digest_of(
                    accepted[record.source_id][0]
                )
                is_repeated = said == digest_of(record)
                twice = repeated % {"line": earlier}
                fault = self._fault(record, "source_id", record.source_id, twice)
                faults.append(replace(fault, is_repeated=is_repeated))
                continue
            found = self._people.recognise(record, known_people)
            if found.refused:
                fault = self._fault(record, "patient_id", record.patient_id, found.refused)
                faults.append(fault)
                continue
            for column, value, why in found.remarks:
                faults.append(self.remark(record, column, value, why))
            accepted[record.source_id] = (record, place, found)
        return list(accepted.values())

    def remark(self, record: ScheduleRecord, column: str, value: str, why: Stored) -> RowFault:
        """Return what is said of a row that was taken.

        Args:
            record: the row.
            column: key of the column, as in ``headings.COLUMNS``.
            value: what stands there.
            why: a sentence.
        """
        return replace(self._fault(record, column, value, why), landed=True, row=None)

    def _fault(self, record: ScheduleRecord, column: str, value: str, why: Stored) -> RowFault:
        return RowFault(
            record.line,
            self._headings.get(column, BY_KEY[column].title),
            value,
            why,
            source_id=record.source_id,
            sheet=record.sheet,
            row=_readable(record),
        )

    def _known(self, source_ids: list[str]) -> dict[str, Known]:
        if self._feed is None:
            return {}
        rows = Appointment.objects.filter(feed=self._feed, source_id__in=source_ids).values_list(
            "source_id", *Known.__slots__
        )
        return {source_id: Known(*values) for source_id, *values in rows}

    def _drop_refused_before(self, plan: ChunkPlan) -> None:
        """Count rows as unchanged that a person refused already, word for word."""
        if not plan.waiting:
            return
        refused = set(
            Conflict.objects.filter(
                appointment__in=[one.known.id for one in plan.waiting if one.known],
                state=ConflictState.REFUSED,
            ).values_list("appointment_id", "row_digest")
        )
        asked = [
            one for one in plan.waiting if one.known and (one.known.id, one.digest) not in refused
        ]
        plan.unchanged += len(plan.waiting) - len(asked)
        plan.waiting = asked

    def _drop_same(self, plan: ChunkPlan) -> None:
        """Count a row as unchanged if its text changed and it says nothing new.

        Such a row omits what is known of the patient, or writes it unreadably; what is known stays.
        """
        people = plan.patients or {}
        if not plan.updated:
            return
        named = {one.record.patient_id for one in plan.updated}
        prefetch_related_objects([people[n].patient for n in named if n in people], "phones")
        updated, plan.updated = plan.updated, []
        for one in updated:
            who = people.get(one.record.patient_id)
            if not (one.known and who and self._is_same(one, one.known, who)):
                plan.updated.append(one)
            elif one.known.missing_since is not None:
                plan.back.append(one)
            else:
                plan.unchanged += 1

    def _is_same(self, planned: Planned, known: Known, who: KnownPatient) -> bool:
        practitioner_id = self._practitioners.find(planned.record)
        is_unknown = practitioner_id is None and bool(
            planned.record.practitioner_code or planned.record.practitioner_name
        )
        said = planned.said(practitioner_id)
        return (
            not is_unknown
            and known.patient_id == who.patient.pk
            and all(getattr(known, name) == value for name, value in said.items())
            and says_nothing_new(planned.description(is_newest=True), who)
        )

    def _sort(self, planned: Planned, plan: ChunkPlan) -> None:
        known = planned.known
        if known is None:
            plan.created.append(planned)
        elif not self._is_age_known and planned.says_otherwise:
            plan.waiting.append(planned)
        elif planned.is_moved:
            plan.moved.append(planned)
        elif known.row_digest != planned.digest:
            plan.updated.append(planned)
        elif known.missing_since is not None:
            plan.back.append(planned)
        else:
            plan.unchanged += 1


def _readable(record: ScheduleRecord) -> Readable:
    return Readable(
        record_number=record.patient_id,
        name=f"{record.family_name.upper()} {record.given_name}".strip(),
        phones=", ".join(
            phones.display(text) if text.startswith("+") else text for text in record.phones
        ),
        day=clock.local_day(record.starts_at),
        moment=f"{record.starts_at.astimezone(clock.BRUSSELS):%d/%m/%Y %H:%M}",
        place=f"{record.unit} {record.site}".strip(),
    )


def digest_of(record: ScheduleRecord) -> str:
    """Return what tells two states of a record apart: 32 hex digits over all but its line."""
    content = [
        record.starts_at.astimezone(dt.UTC).isoformat(),
        sorted(record.protected_groups),
        *_content(record),
    ]
    return hashlib.blake2b(json.dumps(content, default=str).encode(), digest_size=16).hexdigest()


class PlaceIndex:
    """Sites and units by code and by name, read once per load (two queries)."""

    def __init__(self) -> None:
        self._sites: dict[str, int] = {}
        self._site_codes: list[str] = []
        self._unit_codes: dict[str, str] = {}
        self._by_code: dict[str, UnitPlace] = {}
        self._by_name: dict[str, list[UnitPlace]] = defaultdict(list)
        self._answers: dict[tuple[str, str, str], UnitPlace | NoPlace] = {}
        for site_id, code, name in Site.objects.values_list("id", "code", "name"):
            self._sites |= {fold(code): site_id, fold(name): site_id}
            self._site_codes.append(code)
        units = Unit.objects.values_list("id", "site_id", "code", "name")
        for unit_id, site_id, code, name in units:
            place = UnitPlace(unit_id, site_id)
            self._unit_codes[fold(code)] = code
            self._by_code[fold(code)] = place
            self._by_name[fold(name)].append(place)

    def find(self, record: ScheduleRecord) -> UnitPlace | NoPlace:
        """Return where a record takes place, or what is wrong with its site or unit."""
        asked = (record.site, record.unit, record.unit_name)
        if asked not in self._answers:  # a file names few places, thousands of times
            self._answers[asked] = self._find(*asked)
        return self._answers[asked]

    def _find(self, site: str, unit: str, unit_name: str) -> UnitPlace | NoPlace:
        site_id = self._sites.get(fold(site), _UNKNOWN) if site else None
        if site_id == _UNKNOWN:
            unknown = _("Site inconnu. Sites connus : %(sites)s.")
            return NoPlace("site", site, unknown % {"sites": ", ".join(sorted(self._site_codes))})
        known = self._known(unit, unit_name)
        here = [place for place in known if site_id in {None, place.site_id}]
        if len(here) == 1:
            return here[0]
        why: Stored
        if here:
            why = _(
                "Plusieurs sites ont une unité de ce nom : donnez le code de l'unité ou le site."
            )
        elif known:
            why = _("Cette unité existe, mais pas sur le site « %(site)s ».") % {"site": site}
        else:
            why = self._closest(unit)
        return NoPlace("unit", unit, why)

    def _known(self, unit: str, unit_name: str) -> list[UnitPlace]:
        if fold(unit) in self._by_code:
            return [self._by_code[fold(unit)]]
        return self._by_name.get(fold(unit)) or self._by_name.get(fold(unit_name)) or []

    def _closest(self, unit: str) -> Stored:
        why = _(
            "Unité inconnue : corrigez le code, ou créez l'unité dans les données de référence."
        )
        close = difflib.get_close_matches(fold(unit), self._unit_codes, n=1, cutoff=0.6)
        if not close:
            return why
        hint = _("La plus proche est « %(code)s ».") % {"code": self._unit_codes[close[0]]}
        return joined([why, hint])
