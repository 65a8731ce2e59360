"""Does a file write the month before the day? One date rarely tells, all of them together do."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from appointments.feeds.files import moments
from appointments.feeds.files.headings import Headings
from staff.errors import Refusal
from staff.sentences import gettext_stored as _

_AGENDA, _BIRTH = "agenda", "birth"
_KINDS = {"starts_at": _AGENDA, "date": _AGENDA, "ends_at": _AGENDA, "birth_date": _BIRTH}
_ENOUGH = 3  # texts and dates of a spreadsheet, before their days are no accident
_MONTHS = 12


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

    05/13/2022 exists only month-first. In such a file 05/06/2022 would land in June instead of
    May, unseen: so the file is refused whole. A file that writes both orders has slips of the
    pen, and only those rows are refused.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._seen: dict[str, _Seen] = defaultdict(_Seen)

    def see(self, headings: Headings, line: int, cells: Sequence[Any]) -> None:
        """Take in the dates of one row."""
        for key, kind in _KINDS.items():
            for place in headings.places.get(key, ()):
                if place < len(cells):
                    self._see(self._seen[kind], cells[place], line, headings.titles[place])

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
