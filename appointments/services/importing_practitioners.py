"""Practitioners as schedules name them: found by code or by name, created when unknown."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable

from appointments.feeds.records import ScheduleRecord
from patients.names import fold
from staff.models import Practitioner

# A title is followed by a space or a point: M'Hamdi and Drouet begin with none.
_TITLE = re.compile(
    r"(dr|dra|docteur|doctor|prof|professeur|pr|mme|mevr|m|mr)(?:\.\s*|\s+|$)", re.IGNORECASE
)
# INAMI/RIZIV number: six figures, two to check them, and three of the qualification that a
# doctor may change. https://www.riziv.fgov.be writes 1-02030-40-140.
_INAMI = re.compile(r"(\d)[-. /]?(\d{5})[-. /]?(\d{2})(?:[-. /]?\d{3})?", re.ASCII)
_LONGEST_CODE, _LONGEST_NAME = 40, 80
_NOT_YET = -1  # id of whom a dry run would create
_DIGEST = 10  # hex digits that tell apart two names too long for a code


class Practitioners:
    """Every practitioner by code and by name, read once per load (one query)."""

    def __init__(self) -> None:
        self._by_code: dict[str, int] = {}
        self._by_inami: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        # The words of a name in any order: only where they name one practitioner.
        self._by_words: dict[tuple[str, ...], set[int]] = defaultdict(set)
        self.made = 0
        known = Practitioner.objects.values_list("id", "code", "family_name", "given_name")
        for practitioner_id, code, family_name, given_name in known:
            name = f"{family_name} {given_name}"
            self._add(practitioner_id, code, name)
            self._by_words[_words(name)].add(practitioner_id)

    def _add(self, practitioner_id: int, code: str, name: str) -> None:
        self._by_code[code] = practitioner_id
        self._by_inami.setdefault(inami_of(code), practitioner_id)
        # One made by this load, under a code of its own, takes nobody's name away.
        self._by_name.setdefault(fold(name), practitioner_id)
        if not self._by_words[_words(name)]:
            self._by_words[_words(name)].add(practitioner_id)

    def find(self, record: ScheduleRecord) -> int | None:
        """Return the id of a record's practitioner; None when it names nobody known."""
        if record.practitioner_code:
            code = record.practitioner_code
            return self._by_code.get(code) or self._by_inami.get(inami_of(code) or code)
        folded = _folded(record)
        if not folded:
            return None
        found = self._by_name.get(folded) or self._by_code.get(_code(record))
        if found is None:
            named_so = self._by_words.get(_words(folded), set())
            found = next(iter(named_so)) if len(named_so) == 1 else None
        return found

    def create_unknown(self, records: Iterable[ScheduleRecord]) -> None:
        """Create whom the records name and nobody knows yet, in one statement."""
        new = self._unknown(records)
        self.made += len(new)
        for practitioner in Practitioner.objects.bulk_create(new.values()):
            self._add(
                practitioner.pk,
                practitioner.code,
                f"{practitioner.family_name} {practitioner.given_name}",
            )

    def note_unknown(self, records: Iterable[ScheduleRecord]) -> None:
        """Count whom the records name and nobody knows yet, and create nobody (a dry run)."""
        new = self._unknown(records)
        self.made += len(new)
        for code, one in new.items():
            self._add(_NOT_YET, code, f"{one.family_name} {one.given_name}")

    def _unknown(self, records: Iterable[ScheduleRecord]) -> dict[str, Practitioner]:
        """Return whom the records name and nobody knows yet, by code."""
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
            new[code] = Practitioner(
                code=code,
                prefix=prefix,
                family_name=family_name[:_LONGEST_NAME] or code,
                given_name=given_name[:_LONGEST_NAME],
            )
        return new


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
    whole name is kept as the family name.
    """
    title = _TITLE.match(name)
    rest = name[title.end() :] if title else name
    prefix = "Pr" if title and title[1].casefold().startswith("p") else "Dr"
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
    code = f"nom:{folded}" if folded else ""
    if len(code) <= _LONGEST_CODE:
        return code
    digest = hashlib.blake2b(folded.encode(), digest_size=_DIGEST // 2).hexdigest()
    return f"{code[: _LONGEST_CODE - _DIGEST - 1]} {digest}"
