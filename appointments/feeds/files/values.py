"""What stands in a cell, made the value that a record needs; else ``BadValue`` says why."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from appointments.feeds.files import words
from appointments.feeds.files.words import BadValue
from patients import phones
from patients.names import fold
from staff.sentences import gettext_stored as _

UNREADABLE = "\ufffd"  # what the decoder leaves where the bytes are no text
# Characters without a shape that copying and exporting leave in cells: zero-width spaces, byte
# order marks, joiners, marks of direction, soft hyphens, fillers. Two numbers that look alike
# must be alike.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# What a spreadsheet writes instead of a result, in French, Dutch, English and German.
_SHEET_ERROR = re.compile(
    r"#(?:N/[AVB]|N/DISP|NV|REF!|VERW!|BEZUG!|DIV/0!|DEEL/0!|VALUE!|VALEUR!|WAARDE!|WERT!|NAME\?|"
    r"NOM\?|NAAM\?|NUM!|NOMBRE!|GETAL!|ZAHL!|NULL?!|NUL!|LEEG!|SPILL!|CALC!|GETTING_DATA|#+)",
    re.IGNORECASE,
)
# UTF-8 that somebody read as Windows-1252 and wrote again: Ã or Â and a character that no text has
# behind them (LefÃ¨vre), or three for quotes and dashes (â€™).
_TWICE_ENCODED = re.compile(
    "[\u00c2\u00c3\u00c5]["
    "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e"
    "\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]|\u00e2\u20ac|\u00ef\u00bf\u00bd"
)
# Other wrong alphabets (DOS, Macintosh): frames inside words, quotes or capitals between letters.
_WRONG_ALPHABET = re.compile(
    r"[\u2500-\u259f]|[^\W\d_][\u201a\u201e\u2020\u2021\u02c6\u2030][^\W\d_]"
    r"|[^\W\d_][\u0160\u017d\u00da\u00db\u00d9\u00d3][a-z]|[a-z\u00df-\u00ff]\u00c3"
)
_LOST_LETTER = re.compile(r"[^\W\d_]\?|\?[^\W\d_]")
_KEPT_AS_TEXT = re.compile(r'="([^"]*)"')  # how a CSV keeps leading zeros from a spreadsheet
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+", re.ASCII)
_MOST_DIGITS_KEPT = 1e15  # a spreadsheet rounds longer numbers
_BETWEEN_GROUPS = re.compile(r"[,;|/+\n]")
_NO_GROUP = {"", "NON", "NEE", "NO", "AUCUN", "GEEN", "NONE", "0"}
_LONGEST_MINUTES = 24 * 60


def text(cell: object) -> str:
    """Return a cell as one line of text, composed, without control or invisible characters.

    Raises:
        BadValue: bytes that are no text in the file's encoding, or a formula without result.
    """
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _MOST_DIGITS_KEPT:
        return str(int(cell))
    if isinstance(cell, dt.datetime | dt.date | dt.time):
        return cell.isoformat()
    if isinstance(cell, Uncomputed):
        raise _uncomputed()
    line = str(cell)
    if not line.isascii():
        line = unicodedata.normalize("NFC", INVISIBLE.sub("", line))
    if not line.isprintable():
        line = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in line)
    line = " ".join(line.split())
    if not line.isascii():
        _check_letters(line)
    if line.startswith("#") and _SHEET_ERROR.fullmatch(line):
        raise _uncomputed()
    if line.startswith("=") and (kept := _KEPT_AS_TEXT.fullmatch(line)):
        return kept[1].strip()
    return line


def _check_letters(line: str) -> None:
    if UNREADABLE in line:
        raise BadValue(
            _("Caractère illisible : exportez le fichier en UTF-8, ou corrigez cette cellule.")
        )
    if _WRONG_ALPHABET.search(line) or _TWICE_ENCODED.search(line):
        raise BadValue(_("Accents perdus (mauvais encodage) : exportez le fichier en UTF-8."))


def decoded_again(cell: str) -> str:
    """Return a text with UTF-8 that was read as Windows-1252 made whole: ``LefÃ¨vre``.

    What cannot be made whole stays as it is, and ``text`` refuses it.
    """
    if cell.isascii() or not _TWICE_ENCODED.search(cell):
        return cell
    for _round in range(2):  # some exports do it twice
        try:
            again = b"".join(map(_byte, cell)).decode()
        except UnicodeError:
            break
        cell = again
        if not _TWICE_ENCODED.search(cell):
            break
    return cell


def _byte(character: str) -> bytes:
    """Return the byte that was read as a character; Windows-1252 leaves five undefined."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


def name(cell: object, longest: int) -> str:
    """Return a name as the source gives it, cut to what the database holds.

    Raises:
        BadValue: letters were lost on the way (``Lef?vre``), or it is no name at all.
    """
    written = text(cell)
    if _LOST_LETTER.search(written):
        raise BadValue(_("Lettre perdue (mauvais encodage) : exportez le fichier en UTF-8."))
    return written[:longest].rstrip()


def only_lost_letters(cell: object) -> str:
    """Return a name that lost letters with ``?`` in their place; empty when it is none."""
    if not isinstance(cell, str):
        return ""
    try:
        return text(cell.replace(UNREADABLE, "?")).strip(" ?")
    except BadValue:
        return ""


@dataclass(frozen=True, slots=True)
class Uncomputed:
    """A cell whose formula has no result: what the spreadsheet shows, or the formula's sign."""

    shown: str

    def __str__(self) -> str:
        return self.shown


def _uncomputed() -> BadValue:
    return BadValue(
        _("Le tableur n'a pas calculé cette cellule : remplacez la formule par sa valeur.")
    )


def identifier(cell: object, longest: int) -> str:
    """Return a number or code exactly as the source gives it.

    Raises:
        BadValue: empty, too long, or rounded by a spreadsheet: then several patients might
            share it.
    """
    if isinstance(cell, float | int) and abs(cell) >= _MOST_DIGITS_KEPT:
        raise _rounded()
    code = text(cell)
    if not code:
        raise BadValue(_("Cellule vide : cette valeur est obligatoire."))
    if _ROUNDED.fullmatch(code):
        raise _rounded()
    if len(code) > longest:
        raise BadValue(_("Trop long : %(longest)s caractères au plus.") % {"longest": longest})
    return code


def _rounded() -> BadValue:
    return BadValue(
        _("Le tableur a arrondi ce numéro : mettez la colonne au format texte et réexportez.")
    )


def phone_numbers(cell: object) -> phones.PhoneCell:
    """Return the telephone numbers of a cell, and what in it cannot be dialled.

    Raises:
        BadValue: rounded by a spreadsheet.
    """
    written = cell if isinstance(cell, str) else text(cell)  # a line break separates two numbers
    if _ROUNDED.fullmatch(written.strip()):
        raise _rounded()
    return phones.read_cell(written)


def national_number(cell: object) -> str:
    """Return a national number, its lost leading zeros put back; it may be wrong."""
    if isinstance(cell, float) and cell.is_integer() and cell > 0:
        return str(int(cell)).zfill(11)
    return text(cell)


def minutes(cell: object) -> int | None:
    """Return a length in minutes: ``20``, ``20 min``, ``0:20``, or a spreadsheet's time.

    Raises:
        BadValue: no length, or not between 1 minute and a day.
    """
    if isinstance(cell, dt.timedelta):
        return _length(cell // dt.timedelta(minutes=1))
    if isinstance(cell, dt.time):
        return _length(cell.hour * 60 + cell.minute)
    written = text(cell).casefold()
    if not written:
        return None
    whole = re.fullmatch(r"(\d{1,4})(?:[.,]0+)?\s*(?:m|mn|min|minutes?|minuten)?\.?", written, re.A)
    if whole:
        return _length(int(whole[1]))
    clock = re.fullmatch(r"(\d{1,2})\s*[:hu]\s*(\d{2})?(?::00)?", written, re.A)
    if clock:
        return _length(int(clock[1]) * 60 + int(clock[2] or 0))
    raise BadValue(_("Durée illisible : écrivez un nombre de minutes."))


def _length(count: int) -> int:
    if not 0 < count <= _LONGEST_MINUTES:
        raise BadValue(_("Durée peu plausible : de 1 à 1440 minutes."))
    return count


def groups(cell: object) -> frozenset[str]:
    """Return the protected groups named in a cell, separated by ``+``, a comma or a slash.

    Raises:
        BadValue: a group that is not known: the patient might be cancelled by mistake.
    """
    named = [part.strip() for part in _BETWEEN_GROUPS.split(text(cell))]
    return frozenset(
        words.meaning(part, words.PROTECTED_GROUPS) for part in named if fold(part) not in _NO_GROUP
    )


def language(cell: object) -> str:
    """Return the language code of a word or a locale such as ``fr-BE``; empty for none.

    Raises:
        BadValue: none of ours.
    """
    written = text(cell)
    if not written:
        return ""
    return words.meaning(re.split(r"[-_]", written)[0], words.LANGUAGES)
