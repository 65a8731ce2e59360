"""Compare people with a new record number with all known patients."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from patients.identity import LinkCertainty, Person, link, names_and_birth, valid_number
from patients.models import Likeness, LinkProposal, Patient, PatientIdentifier
from patients.names import search_name
from staff.sentences import Stored

MOST_HOLDERS = 2_000  # that a few hundred people resemble; a copied number has many
_MOST_COMPARED = 20  # of the people with the same number or the same name and birth date

Names = tuple[str, str, dt.date]


@dataclass(frozen=True, slots=True)
class Holder:
    """A known person: a patient's id, or a record number that is new in this load.

    ``where`` tells the readers of a remark where the person is found.
    """

    key: int | str
    person: Person
    record: str
    where: Stored = ""


@dataclass(frozen=True, slots=True)
class HolderMatch:
    """A known person who is, or may be, the same."""

    holder: Holder
    link: LinkCertainty
    likeness: Likeness


@dataclass
class Holders:
    """People by the values that are equal for one person: all of them, a number, a name."""

    _sure: dict[tuple[str, Names], Holder] = field(default_factory=dict)
    _by_number: dict[str, list[Holder]] = field(default_factory=lambda: defaultdict(list))
    _by_names: dict[Names, list[Holder]] = field(default_factory=lambda: defaultdict(list))

    def add(self, holder: Holder) -> None:
        """Add a person."""
        number, names = valid_number(holder.person.national_number), names_and_birth(holder.person)
        if number and names:
            self._sure.setdefault((number, names), holder)
        if number and len(self._by_number[number]) < _MOST_COMPARED:
            self._by_number[number].append(holder)
        if names and len(self._by_names[names]) < _MOST_COMPARED:
            self._by_names[names].append(holder)

    def find(self, person: Person, *, but: int | None = None) -> HolderMatch | None:
        """Return the certain match of a person, else a possible one, else None.

        Args:
            person: the person.
            but: the patient to leave out: the person's own.
        """
        number, names = valid_number(person.national_number), names_and_birth(person)
        same = self._sure.get((number, names)) if names else None
        if same and same.key != but:
            return HolderMatch(same, LinkCertainty.SURE, Likeness.ALL)
        close = [(one, Likeness.NUMBER) for one in self._by_number.get(number, ())]
        if names:
            close += [(one, Likeness.NAMES) for one in self._by_names.get(names, ())]
        for holder, likeness in close:
            how_sure = LinkCertainty.NO if holder.key == but else link(holder.person, person)
            if how_sure is LinkCertainty.SURE:
                return HolderMatch(holder, how_sure, Likeness.ALL)
            if how_sure is LinkCertainty.PROPOSED:
                return HolderMatch(holder, how_sure, likeness)
        return None


def known_holders(people: Iterable[Person]) -> Holders:
    """Return the patients who share a valid national number, or names and birth date (one query).

    Args:
        people: a few hundred; those with too few values are skipped.
    """
    holders = Holders()
    meant = _meant(list(people))
    if not meant:
        return holders
    rows = Patient.objects.filter(meant, left_records=None).order_by("id", "identifiers__id")
    seen = set()
    for pk, record, family_name, given_name, birth_date, number in rows.values_list(
        "id",
        "identifiers__value",
        "family_name",
        "given_name",
        "birth_date",
        "national_number",
    )[:MOST_HOLDERS]:
        if pk not in seen:
            seen.add(pk)
            person = Person(family_name, given_name, birth_date, number)
            holders.add(Holder(pk, person, record or ""))
    return holders


def joinable(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the pairs of separate patients that can be joined, and separated again exactly.

    One of them has a single record number, which joins the other. Patients whom a person declared
    two people stay two (two queries; none without pairs).

    Args:
        pairs: (patient id, patient id), of people who are certainly one.

    Returns:
        pair → the patient who leaves, the one who stays.
    """
    if not pairs:
        return {}
    everybody = {patient_id for pair in pairs for patient_id in pair}
    records: dict[int, list[bool]] = defaultdict(list)
    rows = PatientIdentifier.objects.filter(patient__in=everybody)
    for patient_id, linked_at in rows.values_list("patient_id", "linked_at"):
        records[patient_id].append(linked_at is not None)
    apart = LinkProposal.objects.filter(
        record__patient__in=everybody, other__in=everybody, dismissed_at__isnull=False
    )
    two = {frozenset(pair) for pair in apart.values_list("record__patient", "other")}
    found = {}
    for one, other in pairs:
        leaving = next((pk for pk in (one, other) if records[pk] == [False]), None)
        if leaving is not None and frozenset((one, other)) not in two:
            found[one, other] = (leaving, other if leaving == one else one)
    return found


def _meant(people: Sequence[Person]) -> Q:
    numbers, names, births = set(), set(), set()
    for person in people:
        if digits := valid_number(person.national_number):
            numbers |= {person.national_number, digits, _dotted(digits)}
        if names_and_birth(person):
            names.add(search_name(person.family_name, person.given_name))
            births.add(person.birth_date)
    meant = Q()
    if numbers:
        meant |= Q(national_number__in=numbers)
    if names:
        meant |= Q(search_name__in=names, birth_date__in=births)
    return meant


def _dotted(n: str) -> str:
    """The number as the identity card prints it."""
    return f"{n[:2]}.{n[2:4]}.{n[4:6]}-{n[6:9]}.{n[9:]}"
