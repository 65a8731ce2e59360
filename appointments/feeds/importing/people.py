"""The patient and the practitioner that a row names.

A record number stands for one person; a row that names another under it is refused. A new number
may be of somebody who is known under another one.

A practitioner is found by code or by name, and created when unknown. A name without code is given
to one practitioner or to none: if several have it, a new one is created, and a remark names them.
An appointment on a wrong doctor's list is worse than one that waits for somebody to complete the
file.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from appointments.feeds.records import ScheduleRecord
from patients.identity import (
    Difference,
    Holder,
    HolderMatch,
    Holders,
    LinkCertainty,
    Person,
    Remark,
    compare,
    merged,
)
from patients.models import Likeness
from patients.names import fold
from patients.services.links import joinable
from patients.services.registration import KnownPatient, known_holders, known_patients
from staff import clock
from staff.models import Practitioner
from staff.sentences import Sentence, ShownDay, Stored
from staff.sentences import gettext_stored as _

_LONGEST_NAME = 40  # a reason has 300 characters, for two people
# A title is followed by a space or a point: M'Hamdi and Drouet begin with none.
_TITLE = re.compile(
    r"(dr|dra|docteur|doctor|prof|professeur|pr|mme|mevr|m|mr)(\.?)(?:(?<=\.)\s*|\s+|$)",
    re.IGNORECASE,
)
# INAMI/RIZIV number: six figures, two to check them, and three of the qualification that a
# doctor may change. https://www.riziv.fgov.be writes 1-02030-40-140.
_INAMI = re.compile(r"(\d)[-. /]?(\d{5})[-. /]?(\d{2})(?:[-. /]?\d{3})?", re.ASCII)
_TITLES = {"dr": "Dr", "dra": "Dr", "docteur": "Dr", "doctor": "Dr"} | dict.fromkeys(
    ("prof", "professeur", "pr"), "Pr"
)
_FROM_NAME = "nom:"  # how the code of somebody named without one begins
_MOST_NAMED = 3  # practitioners whom a new one may be
_LONGEST_CODE, _LONGEST_NAME_PART = 40, 80
_NOT_YET = -1  # the id of a practitioner whom a dry run would create
_DIGEST = 10  # hex digits that tell apart two names too long for a code


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """The person that this file names under a record number, its first line, and who else it is."""

    person: Person
    line: Stored
    same_as: int | str | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """``refused`` says why the row is of another person; else ``remarks`` are what changed.

    ``same_as`` and ``like`` are those of ``registration.Description``. ``joins``: who leaves and
    who stays of two patients who were known apart, and are one person.
    """

    refused: Stored = ""
    remarks: tuple[tuple[str, str, Stored], ...] = ()  # column, value, why
    same_as: int | str | None = None
    like: tuple[int | str, Likeness] | None = None
    joins: tuple[int, int] | None = None


class People:
    """The people of one load: those known before, and those the file has named so far."""

    def __init__(self, feed_name: str) -> None:
        """Start a load of a source; an empty name stands for a new source."""
        self._feed_name = feed_name
        self._seen: dict[str, NamedPerson] = {}
        self._new = Holders()  # people whom this load names first
        self._known = Holders()  # known people who may be the new ones of this chunk
        self._said = Holders()  # known people about whom this load says more
        self._found: dict[str, HolderMatch] = {}  # by record number: who else that is
        self._joins: Mapping[tuple[int, int], tuple[int, int]] = {}

    def known(self, records: Sequence[ScheduleRecord]) -> dict[str, KnownPatient]:
        """Return the patients known under the record numbers of a chunk; look up its new people.

        One query; one more for new people with enough data, and two more where two known patients
        are one person.
        """
        numbers = {record.patient_id for record in records}
        known = known_patients(system=self._feed_name, numbers=numbers) if self._feed_name else {}
        self._known = known_holders(self._unlooked(records, known))
        self._find_others(records, known)
        return known

    def _find_others(
        self, records: Sequence[ScheduleRecord], known: Mapping[str, KnownPatient]
    ) -> None:
        """Find the other records of people about whom a chunk says more than was known."""
        self._found = {}
        pairs = []
        for record in records:
            number, said = record.patient_id, _person(record)
            before = known.get(number)
            if before is None or number in self._seen or number in self._found:
                continue
            after = merged(before.person, said)
            if after == before.person or not compare(before.person, said).is_same:
                continue
            pk = before.patient.pk
            found = self._known.find(after, but=pk)
            if found is None or found.link is not LinkCertainty.SURE:
                in_file = self._said.find(after, but=pk)
                found = in_file if in_file and in_file.link is LinkCertainty.SURE else found
            where = _("ligne %(line)s") % {"line": record.where}
            self._said.add(Holder(pk, after, number, where))
            if found is None:
                continue
            self._found[number] = found
            is_own = before.identifier.linked_at is None
            if found.link is LinkCertainty.SURE and is_own and isinstance(found.holder.key, int):
                pairs.append((pk, found.holder.key))
        self._joins = joinable(pairs) if pairs else {}

    def _unlooked(
        self, records: Sequence[ScheduleRecord], known: Mapping[str, KnownPatient]
    ) -> Iterator[Person]:
        """Yield the people of a chunk who are new, or about whom it says more than was known."""
        for record in records:
            said, before = _person(record), known.get(record.patient_id)
            if record.patient_id in self._seen:
                continue
            after = merged(before.person, said) if before else said
            if before is None or after != before.person:
                yield after

    def recognise(self, record: ScheduleRecord, known: Mapping[str, KnownPatient]) -> Recognised:
        """Compare a record with the person known under its number; accept it if they are one.

        Args:
            record: a row whose other values are accepted.
            known: from ``known``, for this chunk.
        """
        said = _person(record)
        number = record.patient_id
        seen, before = self._seen.get(number), known.get(number)
        bearer = seen.person if seen else before.person if before else None
        if bearer is None:
            return self._meet(record, said)
        verdict = compare(bearer, said)
        if verdict.difference is not None:
            where = _where(seen, before)
            return Recognised(_refusal(verdict.difference, bearer, where, said, record.where))
        after = merged(bearer, said)
        same_as = seen.same_as if seen else None
        self._seen[number] = NamedPerson(after, seen.line if seen else record.where, same_as)
        remarks = tuple(_remark(one, bearer, said) for one in verdict.remarks)
        if before is None and after != bearer and same_as is None:
            self._new.add(Holder(number, after, number, _where(seen, before)))
        if before is None or after == bearer:
            return Recognised(remarks=remarks, same_as=same_as)
        found = self._found.get(number) if seen is None else None
        if found is None:
            return Recognised(remarks=remarks)
        other = found.holder.key
        joins = self._joins.get((before.patient.pk, other)) if isinstance(other, int) else None
        if found.link is LinkCertainty.SURE and joins:
            remarks += (("patient_id", number, _about(found)),)
            return Recognised(remarks=remarks, joins=joins)
        remarks += (("patient_id", number, _about(found, is_new=False)),)
        return Recognised(remarks=remarks, like=(found.holder.key, found.likeness))

    def _meet(self, record: ScheduleRecord, said: Person) -> Recognised:
        """Accept a person whom the source names for the first time."""
        number = record.patient_id
        found = self._new.find(said)
        if found is None or found.link is not LinkCertainty.SURE:
            known = self._known.find(said)
            found = known if known and (not found or known.link is LinkCertainty.SURE) else found
        same_as = found.holder.key if found and found.link is LinkCertainty.SURE else None
        self._seen[number] = NamedPerson(said, record.where, same_as)
        if same_as is None:
            where = _("ligne %(line)s") % {"line": record.where}
            self._new.add(Holder(number, said, number, where))
        if found is None:
            return Recognised()
        remark = ("patient_id", number, _about(found))
        if same_as is not None:
            return Recognised(remarks=(remark,), same_as=same_as)
        return Recognised(remarks=(remark,), like=(found.holder.key, found.likeness))


def _person(record: ScheduleRecord) -> Person:
    family_name = record.family_name if record.is_name_certain else ""
    return Person(family_name, record.given_name, record.birth_date, record.national_number)


def _about(found: HolderMatch, *, is_new: bool = True) -> Sentence:
    """Return the sentence about somebody who is, or may be, known under another number."""
    if found.link is LinkCertainty.SURE and not is_new:
        why = _(
            "Numéro national, nom, prénom et date de naissance égaux à ceux du dossier %(other)s, "
            "mais ce sont déjà deux patients avec plusieurs dossiers chacun, ou quelqu'un a dit "
            "que ce sont deux personnes : rien n'est relié, chacun est prévenu."
        )
    elif found.link is LinkCertainty.SURE:
        why = _(
            "Même personne que le dossier %(other)s : numéro national, nom, prénom et date de "
            "naissance égaux. Les deux dossiers sont reliés : un seul message. À défaire au "
            "besoin sous « Dossiers reliés »."
        )
    elif found.likeness is Likeness.NUMBER:
        why = _(
            "Même numéro national que le dossier %(other)s, mais autre nom, prénom ou date de "
            "naissance : rien n'est relié. Corrigez le numéro s'il a été recopié."
        )
    else:
        why = _(
            "Mêmes nom, prénom et date de naissance que le dossier %(other)s, sans le même "
            "numéro national : rien n'est relié, ce sont deux patients."
        )
    where = found.holder.where or _("déjà connu")
    record = _("%(record)s (%(person)s, %(where)s)") % {
        "record": found.holder.record[:40],
        "person": described(found.holder.person),
        "where": where,
    }
    return why % {"other": record}


def _where(seen: NamedPerson | None, before: KnownPatient | None) -> Sentence:
    if seen is not None:
        return _("ligne %(line)s") % {"line": seen.line}
    if before is not None and before.since is not None:
        return _("connu depuis le chargement du %(day)s") % {
            "day": ShownDay(clock.local_day(before.since))
        }
    return _("connu d'un chargement antérieur")


def _refusal(
    difference: Difference, bearer: Person, where: Sentence, said: Person, line: Stored
) -> Sentence:
    reasons = {
        Difference.NATIONAL_NUMBER: _("deux numéros nationaux valides différents"),
        Difference.GIVEN_NAME: _("prénoms différents sans le même numéro national"),
        Difference.BIRTH_DATE: _("dates de naissance sans rapport"),
        Difference.NAMES: _("nom et prénom différents"),
    }
    return _(
        "Ce dossier est celui de %(bearer)s (%(where)s) ; la ligne %(line)s nomme %(other)s : "
        "%(reason)s. Donnez à chaque personne son numéro de dossier."
    ) % {
        "bearer": described(bearer),
        "where": where,
        "line": line,
        "other": described(said),
        "reason": reasons[difference],
    }


def _remark(remark: Remark, bearer: Person, said: Person) -> tuple[str, str, Stored]:
    """Return column, value and reason of what changed about one person."""
    if remark is Remark.BIRTH_DATE and bearer.birth_date and said.birth_date:
        why = _("Autre date de naissance, proche du %(day)s connu : la nouvelle est gardée.")
        day = f"{bearer.birth_date:%d/%m/%Y}"
        return "birth_date", f"{said.birth_date:%d/%m/%Y}", why % {"day": day}
    if remark is Remark.GIVEN_NAME:
        why = _("Autre prénom que « %(name)s », même numéro national : le nouveau est gardé.")
        return "given_name", said.given_name, why % {"name": bearer.given_name}
    name = {"name": f"{bearer.family_name} {bearer.given_name}".strip()}
    if remark is Remark.SWAPPED_NAMES:
        why = _("Nom et prénom échangés avec « %(name)s » : les nouveaux sont gardés.")
        return "family_name", f"{said.family_name} {said.given_name}", why % name
    why = _("Ce dossier s'appelait « %(name)s » : le nouveau nom est gardé.")
    return "family_name", said.family_name, why % name


def described(person: Person) -> str:
    """Return a person's name and birth date, for a reader who must tell two people apart."""
    name = f"{person.family_name.upper()} {person.given_name}".strip()
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME].rstrip() + "…"
    if person.birth_date is None:
        return name
    return f"{name}, {person.birth_date:%d/%m/%Y}"


class Practitioners:
    """Every practitioner by code and by name, read once per load (one query).

    Attributes:
        made: how many were unknown and are made.
        alike: records that name a new practitioner who looks like others, and their names.
    """

    def __init__(self) -> None:
        self._by_code: dict[str, int] = {}
        self._by_inami: dict[str, int] = {}
        # Names, and their words in any order: used only if one practitioner has them.
        self._by_name: dict[str, set[int]] = defaultdict(set)
        self._by_words: dict[tuple[str, ...], set[int]] = defaultdict(set)
        # Each word of a name → the practitioners with it, to find those whom a new one looks like.
        self._bearers: dict[str, list[_Bearer]] = defaultdict(list)
        self.made = 0
        self.alike: list[tuple[ScheduleRecord, str]] = []
        known = list(Practitioner.objects.order_by("id"))
        for one in known:
            if not _is_made_from_name(one):
                self._by_name[_name(one)].add(one.pk)
                self._by_words[_words(_name(one))].add(one.pk)
        for one in known:
            self._add(one.pk, one)

    def _add(self, practitioner_id: int, one: Practitioner) -> None:
        self._by_code[one.code] = practitioner_id
        self._by_inami.setdefault(inami_of(one.code), practitioner_id)
        # One made by this load, or from a name alone, does not replace another of that name.
        for found in (self._by_name[_name(one)], self._by_words[_words(_name(one))]):
            if not found:
                found.add(practitioner_id)
        self._note_bearer(one)

    def _note_bearer(self, one: Practitioner) -> None:
        shown = str(one) if _is_made_from_name(one) else f"{one} ({one.code})"
        bearer = _Bearer(one.code, shown, _words(_name(one)))
        for word in set(bearer.words):
            self._bearers[word].append(bearer)

    def _looks_like(self, one: Practitioner) -> list[str]:
        """Return the known practitioners whom a new one may be: one name within the other."""
        words = _words(_name(one))
        near = (bearer for word in words for bearer in self._bearers.get(word, ()))
        found = {b.code: b.shown for b in near if _may_be_one(b.words, words)}
        found.pop(one.code, None)
        return list(found.values())

    def find(self, record: ScheduleRecord) -> int | None:
        """Return the id of a record's practitioner; None when it names nobody known."""
        if record.practitioner_code:
            code = record.practitioner_code
            return self._by_code.get(code) or self._by_inami.get(inami_of(code) or code)
        folded = _folded(record)
        if not folded:
            return None
        return (
            _only(self._by_name.get(folded))
            or self._by_code.get(_code(record))
            or _only(self._by_words.get(_words(folded)))
        )

    def create_unknown(self, records: Iterable[ScheduleRecord]) -> None:
        """Create the unknown practitioners that the records name, in one statement."""
        new = self._unknown(records)
        self.made += len(new)
        for practitioner in Practitioner.objects.bulk_create(new.values()):
            self._add(practitioner.pk, practitioner)

    def note_unknown(self, records: Iterable[ScheduleRecord]) -> None:
        """Count the unknown practitioners that the records name, and create none (a dry run)."""
        new = self._unknown(records)
        self.made += len(new)
        for one in new.values():
            self._add(_NOT_YET, one)

    def _unknown(self, records: Iterable[ScheduleRecord]) -> dict[str, Practitioner]:
        """Return the unknown practitioners that the records name, by code."""
        new: dict[str, Practitioner] = {}
        words: set[tuple[str, ...]] = set()
        for record in records:
            code = _code(record)
            if not code or code in new or inami_of(code) in new or self.find(record) is not None:
                continue
            prefix, family_name, given_name = parts_of(record.practitioner_name)
            if not record.practitioner_code:
                named = _words(f"{family_name} {given_name}")
                if named in words:
                    continue  # "Martin Claire" after "Martin, Claire" of the same few hundred
                words.add(named)
            new[code] = one = Practitioner(
                code=code,
                prefix=prefix,
                family_name=family_name[:_LONGEST_NAME_PART] or code,
                given_name=given_name[:_LONGEST_NAME_PART],
            )
            others = self._looks_like(one)
            if others:
                self.alike.append((record, ", ".join(others[:_MOST_NAMED])))
            self._note_bearer(one)
        return new


@dataclass(frozen=True, slots=True)
class _Bearer:
    """A known practitioner: code, the name as shown, and the words of the name."""

    code: str
    shown: str
    words: tuple[str, ...]


def _may_be_one(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two names may be of one person: ``MARTIN C`` and ``CLAIRE MARTIN``, ``DUBOIS``.

    Every word of the shorter is one of the longer, or its initial; a whole word is shared.
    """
    shorter, longer = sorted((one, other), key=len)
    left = list(longer)
    shared = 0
    for word in sorted(shorter, key=len, reverse=True):
        found = next((w for w in left if w == word), None) or next(
            (w for w in left if 1 in {len(w), len(word)} and w[0] == word[0]), None
        )
        if found is None:
            return False
        shared += found == word and len(word) > 1
        left.remove(found)
    return shared > 0


def _only(found: set[int] | None) -> int | None:
    return next(iter(found)) if found and len(found) == 1 else None


def _name(one: Practitioner) -> str:
    return fold(f"{one.family_name} {one.given_name}")


def _is_made_from_name(one: Practitioner) -> bool:
    """Whether a file named them without code: no proof that two people bear the name."""
    return one.code.startswith(_FROM_NAME)


def inami_of(code: str) -> str:
    """Return the eight figures of an INAMI number that name the doctor; empty for another code.

    >>> inami_of("1-02030-40-140")
    '10203040'
    """
    found = _INAMI.fullmatch(code.strip())
    return "".join(found.groups()) if found else ""


def parts_of(name: str) -> tuple[str, str, str]:
    """Return title, family name and given name of a name as schedules write it.

    ``Dr Martin, Claire`` and ``MARTIN Claire`` tell them apart; otherwise nothing does, and the
    whole name is kept as the family name. The title is the one written, or none: a name alone
    makes nobody a doctor.

    >>> parts_of("Mme Dubois")
    ('Mme', 'Dubois', '')
    """
    title = _TITLE.match(name)
    rest = name[title.end() :] if title else name
    prefix = _TITLES.get(title[1].casefold(), title[1] + title[2]) if title else ""
    if "," in rest:
        family_name, _, given_name = rest.partition(",")
        return prefix, family_name.strip(), given_name.strip()
    words = rest.split()
    capitals = [word for word in words if word.isupper() and len(word.rstrip(".")) > 1]
    others = [word for word in words if word not in capitals]
    if capitals and others:
        return prefix, " ".join(capitals), " ".join(others)
    return prefix, " ".join(words), ""


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(fold(name).split()))


def _folded(record: ScheduleRecord) -> str:
    _prefix, family_name, given_name = parts_of(record.practitioner_name)
    return fold(f"{family_name} {given_name}")


def _code(record: ScheduleRecord) -> str:
    """Return the code; for somebody named without one, a code made from the name; else nothing."""
    if record.practitioner_code:
        is_written_out = not record.practitioner_code.isdigit()
        return (is_written_out and inami_of(record.practitioner_code)) or record.practitioner_code
    folded = _folded(record)
    code = f"{_FROM_NAME}{folded}" if folded else ""
    if len(code) <= _LONGEST_CODE:
        return code
    digest = hashlib.blake2b(folded.encode(), digest_size=_DIGEST // 2).hexdigest()
    return f"{code[: _LONGEST_CODE - _DIGEST - 1]} {digest}"
