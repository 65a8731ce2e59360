"""Four weeks of a hospital's agenda: patients, places, hours, doctors and acts."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from appointments.demo.people import TODAY, DemoPatient, DemoPractitioner, DemoUnit
from appointments.vocabulary import ProtectedGroup, Service
from staff.clock import BRUSSELS

_MORNING, _AFTERNOON = (8 * 60 + 30, 12 * 60), (13 * 60, 17 * 60)
_LONG_MORNING = (8 * 60, 12 * 60 + 30)
_HALF_DAYS = ((_MORNING,), (_AFTERNOON,))
_ANY_DAY = ((_MORNING,), (_AFTERNOON,), (_MORNING, _AFTERNOON))
DIALYSIS_PATIENTS = {"arlon": 40, "libramont": 36, "marche": 24}
# speciality: acts, each with its minutes
_ACTS = {
    "cardio": "Consultation de suivi 20, Électrocardiogramme d'effort 30, Échographie cardiaque "
    "30, Contrôle de pacemaker 20",
    "gyneco": "Suivi de grossesse 20, Échographie du deuxième trimestre 30, Consultation annuelle "
    "20, Frottis et contrôle 20",
    "ortho": "Contrôle de plâtre 15, Consultation de suivi 15, Avis opératoire 20, Suivi de "
    "prothèse 20",
    "ophtalmo": "Contrôle de la vue 15, Fond d'œil 20, Suivi de glaucome 20",
    "pneumo": "Épreuve fonctionnelle 30, Consultation de suivi 20",
    "onco": "Consultation avant traitement 20, Consultation de suivi 20, Annonce de résultats 30",
    "gastro": "Consultation de suivi 20, Première consultation 30",
    "neuro": "Consultation de suivi 20, Électroencéphalogramme 30",
    "orl": "Audiométrie 20, Consultation de suivi 15",
    "diabeto": "Suivi du diabète 20, Contrôle de pompe à insuline 30",
    "pediatrie": "Consultation de suivi 20, Vaccination 15, Bilan de croissance 20",
    "dermato": "Contrôle de grains de beauté 15, Consultation de suivi 15",
    "psy": "Entretien de suivi 30, Premier entretien 45",
    "physique": "Consultation de suivi 20, Infiltration 20",
    "dietetique": "Bilan diététique 30, Suivi diététique 20",
    "bloc": "Prothèse de hanche 120, Prothèse de genou 120, Cholécystectomie 75, Cure de hernie "
    "inguinale 60, Cataracte 40, Arthroscopie 60, Amygdalectomie 45, Thyroïdectomie 120",
    "radio": "Radiographie du thorax 15, Scanner abdominal 20, IRM du genou 30, Mammographie 20, "
    "Échographie abdominale 20",
    "nucleaire": "Scintigraphie osseuse 30, Scintigraphie myocardique 45, Scintigraphie "
    "thyroïdienne 30",
    "prelevements": "Prise de sang 5, Prise de sang à jeun 5",
    "covid": "Test PCR 5, Vaccination Covid 10",
    "urgences": "Contrôle de plaie 15, Réévaluation après urgence 20",
    "hopital-jour": "Chimiothérapie 30, Perfusion de fer 30, Coloscopie 45, Transfusion 30",
}
ACTS = {
    speciality: tuple(
        (act, int(minutes)) for act, minutes in (one.rsplit(" ", 1) for one in acts.split(", "))
    )
    for speciality, acts in _ACTS.items()
}
FIRST_DAY, LAST_DAY = dt.date(2022, 5, 2), dt.date(2022, 5, 29)
HOLIDAYS = frozenset({dt.date(2022, 5, 26)})  # Ascension Day
SUNDAY, SATURDAY = 6, 5
AWAY_FROM_HOME = 0.15  # share of patients who go to another site
SECOND_ON_THE_DAY = 0.22  # share of images and samples taken around another appointment
TRIES, TRIES_FOR_A_NEW_ONE = 50, 12  # nearly everybody comes at least once,
LAST_WEEK = dt.date(2022, 5, 23)  # and whoever has not by then comes for a sample
GAP = dt.timedelta(minutes=20)


@dataclass(frozen=True)
class Plan:
    """The pattern of a doctor's days.

    Attributes:
        presence: share of working days on which the doctor is in.
        filled: share of the places that are booked.
        sessions: the kinds of day, each a tuple of (first minute, last minute) of the day.
        quiet_presence: the same as ``presence`` for weekends and holidays.
    """

    presence: float
    filled: float
    sessions: tuple[tuple[tuple[int, int], ...], ...]
    quiet_presence: float = 0.0


@dataclass(frozen=True)
class Centre:
    """A centre that serves several people at once: places per working day, by site."""

    start: int
    end: int
    places: dict[str, int]


CLINIC = Plan(presence=0.33, filled=0.92, sessions=_ANY_DAY)

# Of the specialities that do not work as ``CLINIC`` says.
PLANS = {
    "bloc": Plan(presence=0.5, filled=0.97, sessions=((_LONG_MORNING,), (_AFTERNOON,))),
    "radio": Plan(0.66, 0.9, _HALF_DAYS, quiet_presence=0.05),
    "nucleaire": Plan(0.8, 0.95, ((_MORNING,),)),
    "urgences": Plan(0.5, 0.6, ((_MORNING,),), quiet_presence=0.3),
    "hopital-jour": Plan(0.9, 0.85, ((_LONG_MORNING,),)),
    "dietetique": Plan(0.8, 0.9, _HALF_DAYS),
}

WALK_IN = {
    "prelevements": Centre(
        start=7 * 60,
        end=11 * 60,
        places={
            "arlon": 40,
            "bastogne": 20,
            "bertrix": 12,
            "libramont": 36,
            "marche": 30,
            "virton": 18,
        },
    ),
    "covid": Centre(
        start=8 * 60,
        end=16 * 60,
        places={"arlon": 18, "bastogne": 10, "libramont": 16, "marche": 14},
    ),
}


@dataclass(frozen=True, slots=True)
class DemoAppointment:
    """One planned act, before it becomes a record of a feed."""

    starts_at: dt.datetime
    minutes: int
    unit: DemoUnit
    practitioner: DemoPractitioner | None
    patient: DemoPatient
    act: str
    status: str
    priority: str
    groups: frozenset[ProtectedGroup]


@dataclass
class _Day:
    """The patients of one day, and the busy times of each."""

    date: dt.date
    is_quiet: bool
    busy: dict[str, list[tuple[dt.datetime, dt.datetime]]] = field(default_factory=dict)
    at_site: dict[str, list[DemoPatient]] = field(default_factory=dict)

    def moment(self, minutes: int) -> dt.datetime:
        """Return the moment ``minutes`` after midnight, local time."""
        hour, minute = divmod(minutes, 60)
        return dt.datetime.combine(self.date, dt.time(hour, minute), tzinfo=BRUSSELS)

    def is_free(self, patient: DemoPatient, start: dt.datetime, end: dt.datetime) -> bool:
        """Whether the patient is free, with time to walk over."""
        taken = self.busy.get(patient.number, [])
        return all(end + GAP <= begins or start >= ends + GAP for begins, ends in taken)

    def take(self, patient: DemoPatient, site: str, start: dt.datetime, end: dt.datetime) -> None:
        """Record that the patient is at a site from start to end."""
        self.busy.setdefault(patient.number, []).append((start, end))
        self.at_site.setdefault(site, []).append(patient)


class Agenda:
    """Fills the days; the same random source and people give the same agenda."""

    def __init__(
        self,
        units: tuple[DemoUnit, ...],
        practitioners: tuple[DemoPractitioner, ...],
        patients: list[DemoPatient],
        rng: Random,
    ) -> None:
        self._rng = rng
        self._units = units
        self._patients = patients
        self._staff: dict[str, list[DemoPractitioner]] = {}
        for practitioner in practitioners:
            self._staff.setdefault(practitioner.unit, []).append(practitioner)
        self._seen: set[str] = set()
        self._pools: dict[tuple[str, str], list[DemoPatient]] = {}
        self._dialysed = {
            unit.code: rng.sample(self._pool("dialyse", unit.site), DIALYSIS_PATIENTS[unit.site])
            for unit in units
            if unit.service == Service.DIALYSIS
        }

    def fill(self) -> Iterator[DemoAppointment]:
        """Yield the appointments, day by day."""
        date = FIRST_DAY
        while date <= LAST_DAY:
            day = _Day(date, is_quiet=date.weekday() >= SATURDAY or date in HOLIDAYS)
            for unit in self._units:
                if unit.service == Service.DIALYSIS:
                    yield from self._dialysis(day, unit)
            for unit in self._units:
                if unit.service != Service.DIALYSIS:
                    yield from self._unit(day, unit)
            date += dt.timedelta(days=1)

    def _unit(self, day: _Day, unit: DemoUnit) -> Iterator[DemoAppointment]:
        if unit.speciality in WALK_IN:
            yield from self._walk_in(day, unit)
            return
        plan = PLANS.get(unit.speciality, CLINIC)
        presence = plan.quiet_presence if day.is_quiet else plan.presence
        staff = self._staff[unit.code]
        present = int(len(staff) * presence + self._rng.random())
        for practitioner in self._rng.sample(staff, present):
            yield from self._session(day, unit, practitioner, plan)

    def _session(
        self, day: _Day, unit: DemoUnit, practitioner: DemoPractitioner, plan: Plan
    ) -> Iterator[DemoAppointment]:
        """Yield one doctor's half or whole day, one act after the other."""
        for start, end in self._rng.choice(plan.sessions):
            minute = start
            while minute < end:
                act, length = self._rng.choice(ACTS[unit.speciality])
                if self._rng.random() < plan.filled:
                    yield from self._book(day, unit, practitioner, minute, act, length)
                minute += length

    def _walk_in(self, day: _Day, unit: DemoUnit) -> Iterator[DemoAppointment]:
        """Yield the acts of a centre that serves several people at once."""
        centre = WALK_IN[unit.speciality]
        places = centre.places[unit.site]
        if day.is_quiet:
            places = places // 4 if day.date.weekday() == SATURDAY else 0
        span = centre.end - centre.start
        for place in range(places):
            minute = centre.start + (span * place // places) // 5 * 5
            act, length = self._rng.choice(ACTS[unit.speciality])
            yield from self._book(day, unit, None, minute, act, length)

    def _dialysis(self, day: _Day, unit: DemoUnit) -> Iterator[DemoAppointment]:
        """Yield the regular acts: half on Monday, Wednesday, Friday, half on the days between."""
        if day.date.weekday() == SUNDAY:
            return
        odd = day.date.weekday() % 2
        for place, patient in enumerate(self._dialysed[unit.code]):
            if place % 2 == odd:
                minute = 7 * 60 if place % 4 < 2 else 12 * 60 + 30
                yield from self._book(day, unit, None, minute, "Séance d'hémodialyse", 240, patient)

    def _book(
        self,
        day: _Day,
        unit: DemoUnit,
        practitioner: DemoPractitioner | None,
        minute: int,
        act: str,
        length: int,
        patient: DemoPatient | None = None,
    ) -> Iterator[DemoAppointment]:
        """Yield one act for the given patient, or for a free one; nothing if there is none."""
        start = day.moment(minute)
        end = start + dt.timedelta(minutes=length)
        patient = patient or self._someone(day, unit, act, start, end)
        if patient is None:
            return
        self._seen.add(patient.number)
        day.take(patient, unit.site, start, end)
        yield DemoAppointment(
            starts_at=start,
            minutes=length,
            unit=unit,
            practitioner=practitioner,
            patient=patient,
            act=act,
            status=self._status(day.date),
            priority=self._priority(unit),
            groups=patient.groups,
        )

    def _someone(
        self, day: _Day, unit: DemoUnit, act: str, start: dt.datetime, end: dt.datetime
    ) -> DemoPatient | None:
        """Return a suitable free patient; None if a few tries found none."""
        rng = self._rng
        already_here = day.at_site.get(unit.site)
        goes_on_to = unit.speciality in {"radio", "prelevements"}
        if already_here and goes_on_to and rng.random() < SECOND_ON_THE_DAY:
            patient = rng.choice(already_here)
            if day.is_free(patient, start, end):
                return patient
        if unit.speciality == "prelevements" and day.date >= LAST_WEEK:
            for patient in self._pool("anyone", unit.site):
                if patient.number not in self._seen:
                    return patient
        group = _group_for(unit.speciality, act, rng)
        for attempt in range(TRIES):
            site = "" if rng.random() < AWAY_FROM_HOME else unit.site
            patient = rng.choice(self._pool(group, site) or self._pool(group, ""))
            is_new = patient.number not in self._seen
            if patient.number not in day.busy and (is_new or attempt >= TRIES_FOR_A_NEW_ONE):
                return patient
        return None

    def _pool(self, group: str, site: str) -> list[DemoPatient]:
        if (group, site) not in self._pools:
            fits = _FITS[group]
            self._pools[group, site] = [
                patient
                for patient in self._patients
                if (not site or patient.site == site) and fits(patient)
            ]
        return self._pools[group, site]

    def _status(self, date: dt.date) -> str:
        """Return the source's status: past acts took place or were missed, some are cancelled."""
        chance = self._rng.random()
        if chance < 0.02:
            return "cancelled"
        if chance < 0.022:
            return "entered-in-error"
        if date >= TODAY:
            return "booked"
        return "noshow" if chance < 0.06 else "fulfilled"

    def _priority(self, unit: DemoUnit) -> str:
        urgent = {"bloc": 0.2, "onco": 0.3, "hopital-jour": 0.3, "urgences": 0.5}
        chance = self._rng.random() / urgent.get(unit.speciality, 0.04)
        if chance < 0.2:
            return "asap"
        return "urgent" if chance < 1 else "routine"


def _group_for(speciality: str, act: str, rng: Random) -> str:
    """Return the group of patients for an act, of those below."""
    if speciality == "gyneco":
        return "pregnant" if "grossesse" in act or "Échographie" in act else "gyneco"
    if speciality == "ortho" and "plâtre" in act:
        return "cast"
    if speciality == "hopital-jour":
        return "chemotherapy" if "Chimiothérapie" in act else "adult"
    return speciality if speciality in _FITS else "adult"


def _in(group: ProtectedGroup) -> Callable[[DemoPatient], bool]:
    return lambda patient: group in patient.groups


_FITS: dict[str, Callable[[DemoPatient], bool]] = {
    "pediatrie": lambda patient: patient.age < 16,
    "gyneco": lambda patient: patient.is_female and patient.age >= 15,
    "pregnant": _in(ProtectedGroup.PREGNANCY),
    "cast": _in(ProtectedGroup.CAST),
    "onco": _in(ProtectedGroup.ONCOLOGY),
    "chemotherapy": _in(ProtectedGroup.CHEMOTHERAPY),
    "diabeto": _in(ProtectedGroup.DIABETES),
    "dialyse": lambda patient: patient.age >= 55,
    "radio": lambda patient: patient.age >= 5,
    "covid": lambda patient: patient.age >= 5,
    "ortho": lambda patient: patient.age >= 5,
    "urgences": lambda patient: True,
    "anyone": lambda patient: True,
    "adult": lambda patient: patient.age >= 16,
}
