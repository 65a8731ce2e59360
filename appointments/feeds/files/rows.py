"""The rows of a schedule file: each becomes a record, or faults with their columns and remedies.

``DateOrder`` looks at all rows: one alone often does not show whether day or month comes first.
"""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from appointments.feeds.files import headings, moments, values
from appointments.feeds.files.headings import BY_KEY, Headings
from appointments.feeds.files.moments import Slot
from appointments.feeds.files.values import BadValue
from appointments.feeds.records import Readable, RowFault, ScheduleRecord
from patients import national_number
from staff import clock
from staff.errors import Refusal
from staff.sentences import Stored
from staff.sentences import gettext_stored as _

T = TypeVar("T")
_NO_GROUPS: frozenset[str] = frozenset()
SHOWN = 200  # characters of a faulty value that are kept
_AGENDA, _BIRTH = "agenda", "birth"
_KINDS = {"starts_at": _AGENDA, "date": _AGENDA, "ends_at": _AGENDA, "birth_date": _BIRTH}
_ENOUGH = 3  # so many texts and dates of a spreadsheet show that it swapped day and month
_MONTHS = 12


@dataclass
class RowReader:
    """Reads the cells of one row; the faults found stay in ``faults``."""

    headings: Headings
    line: int
    cells: Sequence[Any]
    faults: list[RowFault] = field(default_factory=list)
    _decoded: dict[int, str] = field(default_factory=dict, repr=False)

    def record(self, *, width: int | None = None) -> ScheduleRecord | None:
        """Return the record of this row, or None when something it cannot do without is wrong.

        Args:
            width: most cells of a row where nothing slipped; None where nothing can.

        What only describes the patient or the act (birth date, phone, language, length) may be
        wrong: the row lands without it and the fault says so. Losing the row would lose the
        patient.
        """
        source_id = self._must("source_id", _identifier("source_id"), "")
        if width is not None and self._has_slipped(width):
            return None
        slot: Slot | None = None
        family_name, is_name_certain = self._family_name()
        essential: dict[str, Any] = {
            "patient_id": self._must("patient_id", _identifier("patient_id"), ""),
            "family_name": family_name,
            "unit": self._must("unit", _identifier("unit"), ""),
            "site": self._must("site", values.text, ""),
            "service": self._must("service", _service, ""),
            "starts_at": (slot := self._slot()) and slot.starts_at,
            "protected_groups": self._must("protected_groups", values.groups, _NO_GROUPS),
        }
        is_refused = any(not fault.landed for fault in self.faults)
        description = self._description(slot)  # its faults too are reported at the first reading
        if is_refused:
            written = "" if source_id else "\t".join(map(shown, self.cells))[:2000]
            self.faults = [
                replace(f, landed=False, source_id=source_id, written=written) for f in self.faults
            ]
            return None
        if not is_name_certain and family_name == description["given_name"]:
            description["given_name"] = ""
        return ScheduleRecord(
            line=self.line,
            source_id=source_id,
            is_name_certain=is_name_certain,
            **essential,
            **description,
        )

    def readable(self) -> Readable:
        """Return what a person can still use of a refused row."""
        written = {key: shown(self._cell(key)) for key in BY_KEY if key in self.headings.places}
        moment = " ".join(filter(None, (written.get(k, "") for k in ("starts_at", "date", "time"))))
        names = (written.get("family_name", "").upper(), written.get("given_name", ""))
        phones = (shown(self._at(place)) for place in self.headings.places.get("phones", ()))
        return Readable(
            record_number=written.get("patient_id", ""),
            name=" ".join(filter(None, names)),
            phones=", ".join(filter(None, phones)),
            day=self._day(),
            moment=moment,
            place=" ".join(filter(None, (written.get("unit", ""), written.get("site", "")))),
        )

    def _day(self) -> dt.date | None:
        """Return the day of the appointment, even if its hour cannot be read."""
        for key in ("starts_at", "date"):
            cell = self._cell(key)
            parts = [cell, *re.split(r"[ T]", shown(cell))[:1]] if shown(cell) else []
            for part in parts:
                try:
                    return moments.read_date(part)
                except BadValue:
                    continue
        return None

    def _description(self, slot: Slot | None) -> dict[str, Any]:
        return {
            "given_name": self._may("given_name", _given_name, ""),
            "birth_date": self._may("birth_date", moments.read_date, None),
            "language": self._may("language", values.language, ""),
            "national_number": self._national_number(),
            "phones": self._phones(),
            "unit_name": self._may("unit_name", _short("unit_name"), ""),
            "practitioner_code": self._may(
                "practitioner_code", _identifier("practitioner_code"), ""
            ),
            "practitioner_name": self._may("practitioner_name", _short("practitioner_name"), ""),
            "minutes": self._minutes(slot),
            "act": self._may("act", _short("act"), ""),
            "status": self._status(),
            "priority": self._may("priority", _word(values.PRIORITIES), "routine") or "routine",
            "changed_at": self._changed_at(),
        }

    def _family_name(self) -> tuple[str, bool]:
        """Return the family name, and whether it is as the source holds it.

        A newborn may have a given name only, and an export may have lost letters: such a patient
        must come in all the same, but may not rename somebody who is known.
        """
        cell = self._cell("family_name")
        longest = BY_KEY["family_name"].longest
        try:
            name = values.name(cell, longest or SHOWN)
        except BadValue as error:
            readable = shown(values.only_lost_letters(cell))
            if not readable:
                self._fault("family_name", cell, error.sentence, landed=False)
                return "", False
            why = _("%(why)s Un nom déjà connu n'est pas remplacé.") % {"why": error.sentence}
            self._fault("family_name", cell, why, landed=True)
            return readable[:longest].rstrip(), False
        if name:
            if len(values.text(cell)) > len(name):
                why = _("Trop long : seuls les %(longest)s premiers caractères sont repris.")
                self._fault("family_name", cell, why % {"longest": longest}, landed=True)
            return name, True
        given = self._may("given_name", _given_name, "")
        if given:
            why = _("Pas de nom de famille : le prénom en tient lieu. Un nom connu reste.")
            self._fault("family_name", given, why, landed=True)
        else:
            why = _("Cellule vide : cette valeur est obligatoire.")
            self._fault("family_name", "", why, landed=False)
        return given, False

    def _status(self) -> str:
        """Return the status; a word that is not known counts as planned: the patient is told."""
        cell = self._cell("status")
        try:
            return _word(values.STATUSES)(cell) or "booked"
        except BadValue as error:
            why = _("%(why)s En attendant, le rendez-vous compte comme prévu.") % {
                "why": error.sentence
            }
            self._fault("status", cell, why, landed=True)
            return "booked"

    def _changed_at(self) -> Any:
        """Return when the source changed the row; what cannot be read is no fault of the row."""
        try:
            return moments.read_moment(self._cell("changed_at"))
        except BadValue:
            return None

    def _cell(self, key: str) -> object:
        places = self.headings.places.get(key)
        return self._at(places[0]) if places else ""

    def _at(self, position: int) -> object:
        if position >= len(self.cells):
            return ""
        cell = self.cells[position]
        if not isinstance(cell, str) or cell.isascii():
            return cell
        if position not in self._decoded:
            self._decoded[position] = again = values.decoded_again(cell)
            if again != cell:
                why = _("Mal décodé, lu « %(text)s » : exportez le fichier en UTF-8.")
                title = self.headings.titles[position]
                fault = RowFault(self.line, title, shown(cell), why % {"text": shown(again)}, True)
                self.faults.append(fault)
        return self._decoded[position]

    def _must(self, key: str, read: Callable[[object], T], otherwise: T) -> T:
        """Read what the row cannot do without; a column that the file lacks is empty."""
        if key not in self.headings.places:
            return otherwise
        try:
            return read(self._cell(key))
        except BadValue as error:
            self._fault(key, self._cell(key), error.sentence, landed=False)
            return otherwise

    def _may(self, key: str, read: Callable[[object], T], otherwise: T) -> T:
        """Read what the row can do without."""
        cell = self._cell(key)
        if cell == "" or (isinstance(cell, str) and not cell.strip()):
            return otherwise
        try:
            return read(cell)
        except BadValue as error:
            self._fault(key, cell, error.sentence, landed=True)
            return otherwise

    def _fault(self, key: str, cell: object, why: Stored, *, landed: bool) -> None:
        column = self.headings.title_of(key)
        self.faults.append(RowFault(self.line, column, shown(cell), why, landed=landed))

    def _slot(self) -> Slot | None:
        """Return when the act begins, from one cell or two; the columns may be named anyhow.

        ``Début`` may hold the whole moment or, beside ``Date``, only the hour.
        """
        keys = [key for key in ("starts_at", "date", "time") if key in self.headings.places]
        try:
            dated = [key for key in keys if moments.has_date(self._cell(key))]
            day = next((k for k in dated if moments.has_hour(self._cell(k))), [*dated, *keys][0])
            hours = [k for k in keys if k not in {*dated, "date"} and shown(self._cell(k))]
            if day in dated and hours and not moments.has_hour(self._cell(day)):
                slot = moments.read_slot_in_two(self._cell(day), self._cell(hours[-1]))
            else:
                slot = moments.read_slot(self._cell(day))
        except BadValue as error:
            given = [key for key in keys if shown(self._cell(key))] or keys
            titles = ", ".join(self.headings.titles[self.headings.places[key][0]] for key in given)
            written = " ".join(shown(self._cell(key)) for key in given)
            self.faults.append(RowFault(self.line, titles, written[:SHOWN], error.sentence))
            return None
        doubt = slot.doubt or moments.weekday_doubt(slot.starts_at, self._cell("weekday"))
        if doubt:
            written = " ".join(shown(self._cell(key)) for key in dict.fromkeys([day, *hours[-1:]]))
            self._fault(day, written, doubt, landed=True)
        if clock.is_midnight(slot.starts_at):
            why = _(
                "Minuit : heure inconnue ? Le patient est prévenu sans heure, et seulement "
                "avant ce jour. Corrigez l'heure."
            )
            written = " ".join(shown(self._cell(key)) for key in dict.fromkeys([day, *hours[-1:]]))
            self._fault(hours[-1] if hours else day, written, why, landed=True)
        return slot

    def _minutes(self, slot: Slot | None) -> int | None:
        """Return the length: of the range, else until the end, else as the source counts it."""
        counted = self._may("minutes", values.minutes, None)
        if slot is None:
            return counted
        ends = [self._at(place) for place in self.headings.places.get("ends_at", ())]
        until = None
        for end in sorted(filter(shown, ends), key=moments.has_date):
            try:
                until = moments.minutes_until(slot.starts_at, end)
            except BadValue as error:
                self._fault("ends_at", end, error.sentence, landed=True)
        return slot.minutes or until or counted

    def _phones(self) -> tuple[str, ...]:
        """Return the patient's own numbers, then their relatives'.

        A number that cannot be dialled becomes a remark and does not affect the others.
        """
        found: list[str] = []
        for position in self.headings.places.get("phones", ()):
            column, cell = self.headings.titles[position], self._at(position)
            try:
                read = values.phone_numbers(cell)
            except BadValue as error:
                self._remark(column, shown(cell), error.sentence)
                continue
            relative = headings.relative_in(column)
            found += [
                f"{number} ({relative})" if relative and "(" not in number else number
                for number in read.written
            ]
            for doubtful in read.doubtful:
                why = _(
                    "Numéro qu'on ne peut composer : vérifiez les chiffres, ou ajoutez "
                    "l'indicatif. Les autres numéros du patient sont gardés."
                )
                self._remark(column, shown(doubtful), why)
        return tuple(found)

    def _remark(self, column: str, value: str, why: Stored) -> None:
        self.faults.append(RowFault(self.line, column, value, why, landed=True))

    def _national_number(self) -> str:
        number = self._may("national_number", _national_number, "")
        if number and not national_number.is_valid(number):
            why = _("Numéro national faux : il est gardé tel quel et marqué comme tel.")
            self._fault("national_number", number, why, landed=True)
        return number

    def _has_slipped(self, width: int) -> bool:
        """Whether there are more cells than titles: then any other may have slipped too."""
        surplus = next(filter(shown, self.cells[self.headings.width :]), "")
        if not surplus and len(self.cells) <= width:
            return False
        self.refuse(
            _(
                "Plus de cellules que de titres : un séparateur se trouve dans un texte sans "
                "guillemets. Corrigez la ligne."
            ),
            shown(surplus or self.cells[-1]),
        )
        return True

    def refuse(self, why: Stored, value: str = "") -> None:
        """Refuse the row as a whole; the number of the appointment is kept when it is there."""
        try:
            source_id = _identifier("source_id")(self._cell("source_id"))
        except BadValue:
            source_id = ""
        written = value or " ".join(filter(None, map(shown, self.cells)))
        self.faults = [RowFault(self.line, "", written[:80], why, source_id=source_id)]


def shown(cell: object) -> str:
    """Return a cell as it is shown to the person who must correct it."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).replace("\x00", " ").split())[:SHOWN]


def _given_name(cell: object) -> str:
    return values.name(cell, BY_KEY["given_name"].longest or SHOWN)


def _identifier(key: str) -> Callable[[object], str]:
    longest = BY_KEY[key].longest or SHOWN
    return lambda cell: values.identifier(cell, longest)


def _national_number(cell: object) -> str:
    return values.national_number(cell)[: BY_KEY["national_number"].longest]


def _short(key: str) -> Callable[[object], str]:
    """Return a reader that cuts a text to the length of its column."""
    longest = BY_KEY[key].longest
    return lambda cell: values.text(cell)[:longest].rstrip()


def _word(table: dict[str, str]) -> Callable[[object], str]:
    def read(cell: object) -> str:
        written = values.text(cell)
        return values.meaning(written, table) if written else ""

    return read


def _service(cell: object) -> str:
    written = values.text(cell)
    if not written:
        raise BadValue(_("Cellule vide : cette valeur est obligatoire."))
    return values.meaning(written, values.SERVICES)


@dataclass
class _Seen:
    """What the dates of one kind have shown.

    Attributes:
        ours, other: how many exist only with the day, or only with the month, before the other.
        ambiguous: how many could be either.
        half_days: how many write AM or PM beside an ambiguous date.
        late, early: dates kept by a spreadsheet, after the 12th of a month or not.
        example: line, heading and text of the first that proves another order, or may be.
    """

    ours: int = 0
    other: int = 0
    ambiguous: int = 0
    half_days: int = 0
    late: int = 0
    early: int = 0
    example: tuple[int, str, str] = (0, "", "")


class DateOrder:
    """Watches the dates of a file and refuses the whole of it when it is month-first.

    05/13/2022 exists only month-first. In such a file 05/06/2022 would be read as June instead of
    May: so the whole file is refused. A file that writes both orders has typing errors, and only
    those rows are refused.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: dict[str, _Seen] = defaultdict(_Seen)

    def see(self, found: Headings, line: int, cells: Sequence[Any]) -> None:
        """Take in the dates of one row."""
        for key, kind in _KINDS.items():
            for place in found.places.get(key, ()):
                if place < len(cells):
                    self._see(self._seen[kind], cells[place], line, found.titles[place])

    @staticmethod
    def _see(seen: _Seen, cell: object, line: int, title: str) -> None:
        if isinstance(cell, dt.date):
            seen.late += cell.day > _MONTHS
            seen.early += cell.day <= _MONTHS
            return
        order = moments.order_shown(cell)
        is_ambiguous = not order and moments.is_ambiguous(cell)
        seen.ours += order > 0
        seen.other += order < 0
        seen.ambiguous += is_ambiguous
        has_half_day = is_ambiguous and moments.has_half_day(cell)
        seen.half_days += has_half_day
        is_first_proof = order < 0 and seen.other == 1
        if is_first_proof or (has_half_day and seen.half_days == 1) or not seen.example[0]:
            seen.example = (line, title, str(cell).strip()[:40])

    def refuse_another(self) -> None:
        """Refuse a file whose dates are in another order than ours.

        Raises:
            Refusal: it proves another order, and nothing in it proves ours.
        """
        agenda, birth = self._seen[_AGENDA], self._seen[_BIRTH]
        if agenda.other and not agenda.ours and not agenda.late:
            raise _month_first(agenda)
        # One birth date that exists only month-first is a slip where the agenda is day-first.
        is_slip = birth.other == 1 and agenda.ours
        if birth.other and not birth.ours and not birth.late and not is_slip:
            raise _month_first(birth)
        if agenda.half_days and not agenda.ours and not agenda.late:
            raise Refusal(
                _(
                    "Avec AM ou PM, %(value)s (ligne %(line)s, %(column)s) peut être écrit "
                    "mois/jour ou jour/mois. Rien n'est lu : exportez les dates en "
                    "jour/mois/année et les heures de 0 à 24."
                )
                % _named(agenda)
            )
        for seen in (agenda, birth):
            # Excel in another language keeps 16/05 as text and turns 05/06 into the 6th of May.
            if min(seen.ours, seen.early) >= _ENOUGH and not (seen.late or seen.ambiguous):
                raise Refusal(
                    _(
                        "Excel a sans doute inversé jour et mois : les dates après le 12 (comme "
                        "%(value)s, ligne %(line)s, %(column)s) sont du texte, les autres ne le "
                        "sont pas. Rien n'est lu : refaites l'export, sans l'ouvrir dans Excel."
                    )
                    % _named(seen)
                )


def _named(seen: _Seen) -> dict[str, object]:
    line, column, value = seen.example
    return {"line": line, "column": column, "value": value}


def _month_first(seen: _Seen) -> Refusal:
    return Refusal(
        _(
            "Ce fichier écrit le mois avant le jour : %(value)s (ligne %(line)s, %(column)s) "
            "n'existe pas autrement. Rien n'est lu, car d'autres dates changeraient de mois : "
            "exportez les dates en jour/mois/année ou année-mois-jour."
        )
        % _named(seen)
    )
