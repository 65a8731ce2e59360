"""Practitioners as schedules name them: found by code or by name, created when unknown."""

import re
from collections.abc import Iterable

from appointments.feeds.records import ScheduleRecord
from patients.names import fold
from staff.models import Practitioner

_TITLE = re.compile(r"(dr|dra|docteur|doctor|prof|professeur|pr|mme|mevr|m|mr)\b\.?\s*", re.I)
_LONGEST_CODE, _LONGEST_NAME = 40, 80


class Practitioners:
    """Every practitioner by code and by name, read once per load (one query)."""

    def __init__(self) -> None:
        self._by_code: dict[str, int] = {}
        self._by_name: dict[str, int] = {}
        known = Practitioner.objects.values_list("id", "code", "family_name", "given_name")
        for practitioner_id, code, family_name, given_name in known:
            self._by_code[code] = practitioner_id
            self._by_name[fold(f"{family_name} {given_name}")] = practitioner_id

    def find(self, record: ScheduleRecord) -> int | None:
        """Return the id of a record's practitioner; None when it names nobody."""
        if record.practitioner_code:
            return self._by_code.get(record.practitioner_code)
        if not record.practitioner_name:
            return None
        return self._by_name.get(_folded(record)) or self._by_code.get(_code(record))

    def create_unknown(self, records: Iterable[ScheduleRecord]) -> None:
        """Create whom the records name and nobody knows yet, in one statement."""
        new: dict[str, Practitioner] = {}
        for record in records:
            named = record.practitioner_code or record.practitioner_name
            if not named or self.find(record) is not None:
                continue
            code = _code(record)
            if code in new:
                continue
            prefix, family_name, given_name = parts_of(record.practitioner_name)
            new[code] = Practitioner(
                code=code,
                prefix=prefix,
                family_name=family_name[:_LONGEST_NAME] or code,
                given_name=given_name[:_LONGEST_NAME],
            )
        for practitioner in Practitioner.objects.bulk_create(new.values()):
            self._by_code[practitioner.code] = practitioner.pk


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


def _folded(record: ScheduleRecord) -> str:
    _prefix, family_name, given_name = parts_of(record.practitioner_name)
    return fold(f"{family_name} {given_name}")


def _code(record: ScheduleRecord) -> str:
    """Return the code; for somebody named without one, a code made from the name."""
    return record.practitioner_code or f"nom:{_folded(record)}"[:_LONGEST_CODE]
