"""Whether a row's record number is still the person known under it, and who else a new one is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from appointments.feeds.records import ScheduleRecord
from patients.identity import Difference, LinkCertainty, Person, Remark, compare, merged
from patients.models import Likeness
from patients.services.likeness import Holder, HolderMatch, Holders, joinable, known_holders
from patients.services.registering import KnownPatient, known_patients
from staff import clock
from staff.sentences import Sentence, ShownDay, Stored
from staff.sentences import gettext_stored as _

_LONGEST_NAME = 40  # a reason has 300 characters, for two people


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """Whom this file names under a record number, on which line first, and who else they are."""

    person: Person
    line: Stored
    same_as: int | str | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """``refused`` says why the row is of another person; else ``remarks`` are what changed.

    ``same_as`` and ``like`` are those of ``registering.Description``. ``joins``: who leaves and
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
        """Start a load of a source; an empty name is a source nobody heard of."""
        self._feed_name = feed_name
        self._seen: dict[str, NamedPerson] = {}
        self._new = Holders()  # whom this load names first
        self._known = Holders()  # whom the new ones of this chunk may be
        self._said = Holders()  # known ones of whom this load says more
        self._found: dict[str, HolderMatch] = {}  # who else the known ones of this chunk are
        self._joins: Mapping[tuple[int, int], tuple[int, int]] = {}

    def known(self, records: Sequence[ScheduleRecord]) -> dict[str, KnownPatient]:
        """Return who is known under the record numbers of a chunk, and look for its new people.

        One query, one more where there are new people of whom enough is said, and two where
        people who were known apart are one.
        """
        numbers = {record.patient_id for record in records}
        known = known_patients(system=self._feed_name, numbers=numbers) if self._feed_name else {}
        self._known = known_holders(self._unlooked(records, known))
        self._find_others(records, known)
        return known

    def _find_others(
        self, records: Sequence[ScheduleRecord], known: Mapping[str, KnownPatient]
    ) -> None:
        """Find who else those are of whom a chunk says more than was known."""
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
        self._joins = joinable(pairs)

    def _unlooked(
        self, records: Sequence[ScheduleRecord], known: Mapping[str, KnownPatient]
    ) -> Iterator[Person]:
        """Yield those of a chunk who are new, or of whom more is said than was known."""
        for record in records:
            said, before = _person(record), known.get(record.patient_id)
            if record.patient_id in self._seen:
                continue
            after = merged(before.person, said) if before else said
            if before is None or after != before.person:
                yield after

    def recognise(self, record: ScheduleRecord, known: Mapping[str, KnownPatient]) -> Recognised:
        """Compare a record with who bears its number; take it in when that is one person.

        Args:
            record: of which everything else may be taken.
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
        """Take in somebody whom the source names for the first time."""
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
    """Return a person as they are named to whoever must tell two apart."""
    name = f"{person.family_name.upper()} {person.given_name}".strip()
    if len(name) > _LONGEST_NAME:
        name = name[:_LONGEST_NAME].rstrip() + "…"
    if person.birth_date is None:
        return name
    return f"{name}, {person.birth_date:%d/%m/%Y}"
