"""Which column of a file is which: French, Dutch and English headings, however written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from appointments.feeds.columns import BY_KEY, COLUMNS
from patients.names import fold
from staff.errors import Refusal

SEARCHED_LINES = 10  # exports often begin with a title and the date of printing


def _same(text: str) -> str:
    return fold(text).replace(" ", "")


_KEYS = {_same(heading): column.key for column in COLUMNS for heading in column.headings}


@dataclass(frozen=True)
class Headings:
    """The columns of one file.

    Attributes:
        line: where the headings stand.
        width: number of cells that the headings span.
        places: for each key of a column, the positions that carry it, in the file's order.
        titles: for each position, the heading as the file writes it.
        unused: headings that mean nothing to us, as the file writes them.
    """

    line: int
    width: int
    places: dict[str, tuple[int, ...]]
    titles: tuple[str, ...]
    unused: tuple[str, ...]

    def title_of(self, key: str) -> str:
        """Return the file's heading for a key, or ours when the file has none."""
        for alternative in (key, *(("date", "time") if key == "starts_at" else ())):
            if alternative in self.places:
                return self.titles[self.places[alternative][0]]
        return BY_KEY[key].title


def known(cells: Iterable[object]) -> int:
    """Return how many different columns of ours a row names."""
    return len({_KEYS[_same(str(cell))] for cell in cells if _same(str(cell)) in _KEYS})


def find(rows: Sequence[tuple[int, Sequence[object]]]) -> Headings:
    """Return the headings among the first rows of a file.

    Args:
        rows: line number and cells of the first rows.

    Raises:
        Refusal: no headings, a required column missing, or a column there twice.
    """
    candidates = rows[:SEARCHED_LINES]
    best = max(candidates, key=lambda row: known(row[1]), default=None)
    if best is None or known(best[1]) == 0:
        found = (
            ", ".join(str(cell) for cell in candidates[0][1] if cell != "") if candidates else ""
        )
        raise Refusal(
            _(
                "Aucun titre de colonne connu dans les premières lignes (trouvé : %(found)s). "
                "Mettez les titres du modèle sur la première ligne."
            )
            % {"found": _shortened(found)}
        )
    line, cells = best
    headings = _read(line, [str(cell).strip() for cell in cells])
    _check(headings)
    return headings


def _read(line: int, titles: list[str]) -> Headings:
    places: dict[str, tuple[int, ...]] = {}
    unused = []
    for position, title in enumerate(titles):
        key = _KEYS.get(_same(title))
        if key is not None:
            places[key] = (*places.get(key, ()), position)
        elif title:
            unused.append(title)
    if "weekday" in places and "date" not in places:
        places["date"] = places["weekday"]  # a column "Jour" may hold the date itself
    return Headings(line, len(titles), places, tuple(titles), tuple(unused))


def _check(headings: Headings) -> None:
    for key, positions in headings.places.items():
        if len(positions) > 1 and not BY_KEY[key].repeats:
            raise Refusal(
                _("Les colonnes %(titles)s disent la même chose : n'en gardez qu'une.")
                % {"titles": " et ".join(f"« {headings.titles[at]} »" for at in positions)}
            )
    missing = [c.title for c in COLUMNS if c.required and c.key not in headings.places]
    if not {"starts_at", "date"} & headings.places.keys():
        missing.append(BY_KEY["starts_at"].title)
    if missing:
        raise Refusal(
            _(
                "Colonne obligatoire absente : %(missing)s. Titres trouvés à la ligne %(line)s : "
                "%(found)s."
            )
            % {
                "missing": ", ".join(missing),
                "line": headings.line,
                "found": _shortened(", ".join(filter(None, headings.titles))),
            },
            field=missing[0],
        )


def _shortened(text: str, longest: int = 160) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
