"""Which column of a file is which: French, Dutch and English headings, however written."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appointments.feeds.files.columns import BY_KEY, COLUMNS
from patients.names import fold
from staff.errors import Refusal
from staff.sentences import gettext_stored as _

_TELLING = ("source_id", "patient_id", "service")
_FEWEST = 4  # headings that a second line of headings has at least
_FIGURE = re.compile(r"[0-9]")
SEARCHED_LINES = 10  # exports often begin with a title and the date of printing


def _same(text: str) -> str:
    return fold(text).replace(" ", "")


_KEYS = {_same(heading): column.key for column in COLUMNS for heading in column.headings}
_TELEPHONE = {
    "TEL", "TELS", "TELEPHONE", "TELEPHONES", "TELEPHONIQUE", "TELEFOON", "TELEFOONNUMMER",
    "TELEFOONNR", "TELEFON", "TELNR", "GSM", "GSMNR", "GSMNUMMER", "MOBILE", "MOBIEL", "MOBIELE",
    "PORTABLE", "PHONE", "CELL", "CELLPHONE", "HANDY",
}  # fmt: skip
_CONTACT, _BESIDE_CONTACT = {"CONTACT", "CONTACTS", "CONTACTNUMMER"}, {
    "PATIENT", "DU", "DE", "N", "NO", "NR", "NUMERO", "NUMEROS", "NUMMER", "NUMBER",
}  # fmt: skip
_RELATIVES = {
    "FILLE": "fille", "FILS": "fils", "CONJOINT": "conjoint", "EPOUX": "époux",
    "EPOUSE": "épouse", "FAMILLE": "famille", "FAMILIE": "famille", "PARENT": "parent",
    "PARENTS": "parents", "OUDERS": "parents", "MERE": "mère", "MOEDER": "mère", "PERE": "père",
    "VADER": "père", "PARTNER": "conjoint", "TUTEUR": "tuteur", "VOISIN": "voisin",
    "PROCHE": "proche", "PERSONNE": "proche", "CONTACTPERSOON": "proche", "URGENCE": "proche",
    "NOODGEVAL": "proche", "EMERGENCY": "proche", "KIN": "proche", "RELATIVE": "proche",
}  # fmt: skip
# Whose telephone is not the patient's, and what is no telephone.
_NOT_THE_PATIENTS = {
    "MEDECIN", "DOCTEUR", "DR", "ARTS", "HUISARTS", "GENERALISTE", "TRAITANT", "PRATICIEN",
    "PRESTATAIRE", "DOCTOR", "PHYSICIAN", "PRACTITIONER", "SERVICE", "DIENST", "UNITE", "UNIT",
    "SITE", "HOPITAL", "ZIEKENHUIS", "HOSPITAL", "SECRETARIAT", "SECRETARIAAT", "MUTUELLE",
    "MUTUALITE", "PHARMACIE", "APOTHEEK", "EMPLOYEUR", "WERKGEVER", "FAX", "NOM", "NAAM", "NAME",
    "DATE", "DATUM", "HEURE", "TYPE", "MAIL", "EMAIL", "LIEN", "RELATION", "REMARQUE",
    "COMMENTAIRE",
}  # fmt: skip


def key_of(title: str) -> str | None:
    """Return the column that a heading names; None when it means nothing to us.

    Telephones are called in too many ways to be listed: any heading with a word for them is one,
    unless it says that they are somebody else's ("Tél. médecin traitant").
    """
    if key := _KEYS.get(_same(title)):
        return key
    words = set(re.sub(r"\d+", " ", fold(title)).split())
    if words & _CONTACT and words <= _CONTACT | _BESIDE_CONTACT:
        return "phones"
    return "phones" if words & _TELEPHONE and not words & _NOT_THE_PATIENTS else None


def relative_in(title: str) -> str:
    """Return whose telephones a column holds, when not the patient's own; else nothing."""
    return next((_RELATIVES[word] for word in fold(title).split() if word in _RELATIVES), "")


@dataclass(frozen=True)
class Headings:
    """The columns of one file.

    Attributes:
        line: where the headings stand.
        width: number of cells up to the last heading; a separator behind it adds none.
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

    def are_repeated(self, cells: Sequence[object]) -> bool:
        """Whether a row is a line of headings once more, in this order or another."""
        for key in _TELLING:
            place = self.places.get(key, (len(cells),))[0]
            cell = cells[place] if place < len(cells) else ""
            # No heading of these has a figure in it, and nearly every number has.
            if isinstance(cell, str) and not _FIGURE.search(cell) and key_of(cell):
                return known(cells) >= max(_FEWEST, sum(map(bool, cells)) // 2)
        return False


def known(cells: Iterable[object]) -> int:
    """Return how many different columns of ours a row names."""
    return len({key for cell in cells if (key := key_of(str(cell)))})


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
            % {"found": shortened(found)}
        )
    return read(*best)


def read(line: int, cells: Sequence[object]) -> Headings:
    """Return the headings that a row holds.

    Raises:
        Refusal: a required column is missing, or there twice.
    """
    headings = _read(line, [str(cell).strip() for cell in cells])
    _check(headings)
    return headings


def _read(line: int, titles: list[str]) -> Headings:
    places: dict[str, tuple[int, ...]] = {}
    unused = []
    for position, title in enumerate(titles):
        key = key_of(title)
        if key is not None:
            places[key] = (*places.get(key, ()), position)
        elif title:
            unused.append(title)
    if "weekday" in places and "date" not in places:
        places["date"] = places["weekday"]  # a column "Jour" may hold the date itself
    if "phones" in places:  # the patient's own numbers before those of relatives
        own_first = sorted(places["phones"], key=lambda at: bool(relative_in(titles[at])))
        places["phones"] = tuple(own_first)
    width = max((at + 1 for at, title in enumerate(titles) if title), default=0)
    return Headings(line, width, places, tuple(titles), tuple(unused))


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
                "found": shortened(", ".join(filter(None, headings.titles))),
            },
            field=missing[0],
        )


def shortened(text: str, longest: int = 160) -> str:
    """Return a text cut to what a sentence bears."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
