"""Read a cell as the value that a record needs; ``BadValue`` says why it cannot be used.

Sources write French, Dutch, English and German.
"""

import datetime as dt
import difflib
import os.path
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appointments.vocabulary import ProtectedGroup, Service
from patients import phones
from patients.names import fold
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _

_UNCOMPUTED = _("Le tableur n'a pas calculé cette cellule : remplacez la formule par sa valeur.")
_WAS_ROUNDED = _(
    "Le tableur a arrondi ce numéro : mettez la colonne au format texte et réexportez."
)
# How words for the medical specialities begin, in French, Dutch, German and English, shortened
# ("cardio") or not. Surgery, radiology and nuclear medicine are activities of ours, so not here.
_SPECIALITIES = (
    "ALGOLO", "ALLERGO", "ANAESTHES", "ANASTHES", "ANESTHES", "ANGIOLO", "AUDIOLO", "AUGENHEIL",
    "CARDIO", "DENTA", "DENTIST", "DERMATO", "DIABETO", "ENDOCRINO", "ENDOKRINO", "FRAUENHEIL",
    "GASTRO ENTERO", "GASTROENTERO", "GERIATR", "GERONTO", "GYNAECO", "GYNAKO", "GYNECO",
    "HAEMATO", "HAMATO", "HARTZIEKTE", "HEMATO", "HEPATO", "HNO ", "HUIDZIEKTE", "IMMUNOLO",
    "INFECTIO", "INFEKTIO", "INNERE MEDIZIN", "INTERNAL MEDICINE", "INWENDIGE", "KARDIO",
    "KINDERGENEESKUNDE", "KINDERHEIL", "KNO ", "LONGZIEKTE", "MAAG DARM", "MEDECINE INTERNE",
    "MEDECINE PHYSIQUE", "NEFRO", "NEONATO", "NEPHRO", "NEURO", "NKO ", "OBSTETRI", "OFTALMO",
    "ONCO", "ONKO", "OOGHEELKUNDE", "OOGZIEKTE", "OPHTALMO", "OPHTHALMO", "ORL ", "ORTHOPED",
    "ORTHOPAD", "ORTHOPAED", "OTORHINO", "PADIATR", "PAEDIATR", "PEDIATR", "PNEUMO", "PSYCHIATR",
    "PSYCHOLO", "REUMATO", "RHEUMATO", "RHUMATO", "SENOLO", "STOMATO", "TABACO", "TRAUMATO",
    "UROLO", "VERLOSKUNDE",
)  # fmt: skip
_BY_WHOM = frozenset({"PAR", "DOOR", "BY", "VON", "DURCH", "POUR", "LE", "SUITE", "WEGENS", "OP"})
_SHORTEST_WORD = 4
_SHORT_WORDS = frozenset({"CS", "RX", "CT", "IRM", "RMN", "MRI"})
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


class BadValue(ValueError):
    """What stands in a cell cannot be used; the sentence says why and what to do."""

    def __init__(self, sentence: Stored) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _meanings(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {fold(word): str(meaning) for meaning, group in words.items() for word in group}


SERVICES = _meanings(
    {
        Service.CONSULTATION: (
            "consultation", "consult", "consultations", "cs", "raadpleging", "consultatie",
            "outpatient", "visite", "sprechstunde", "téléconsultation", "vidéo",
            "vidéoconsultation", "teleconsultatie", "videoconsultatie",
            "rendez-vous de suivi", "controleraadpleging",
        ),
        Service.SURGERY: (
            "surgery", "opération", "chirurgie", "intervention", "intervention chirurgicale",
            "bloc opératoire", "bloc", "operatie", "ingreep", "heelkunde", "operation", "ok",
            "operatiekwartier", "chirurgie ambulatoire", "opération chirurgicale",
            "quartier opératoire",
        ),
        Service.RADIOLOGY: (
            "radiology", "radiologie", "imagerie", "imagerie médicale", "rx",
            "medische beeldvorming", "beeldvorming", "imaging", "röntgen", "radio", "radiographie",
            "scanner", "ct", "ct scan", "irm", "rmn", "mri", "échographie", "écho", "echografie",
            "mammographie", "mammografie", "tomodensitométrie", "ostéodensitométrie",
        ),
        Service.NUCLEAR_MEDICINE: (
            "nuclear_medicine", "nuclear medicine", "médecine nucléaire", "scintigraphie",
            "nucleaire geneeskunde", "scintigrafie", "scintigraphy", "nuklearmedizin",
        ),
        Service.BLOOD_SAMPLING: (
            "blood_sampling", "blood sampling", "prise de sang", "prises de sang", "prélèvement",
            "prélèvements", "centre de prélèvements", "bloedafname", "bloedname", "bloedprik",
            "afname", "blood test", "blutentnahme", "labo", "laboratoire", "laboratorium",
            "prélèvement sanguin", "analyse de sang",
        ),
        Service.COVID_CENTRE: (
            "covid_centre", "covid centre", "centre covid", "covid", "test covid",
            "vaccination covid", "covidcentrum", "covid centrum", "covid center", "covid test",
        ),
        Service.EMERGENCY: (
            "emergency", "urgences", "urgence", "spoed", "spoedgevallen", "spoedeisende hulp",
            "accident and emergency", "er", "notaufnahme",
        ),
        Service.DAY_HOSPITAL: (
            "day_hospital", "day hospital", "hôpital de jour", "hospitalisation de jour", "hdj",
            "dagziekenhuis", "daghospitaal", "dagkliniek", "day clinic", "day care", "tagesklinik",
            "one day", "oneday", "hôpital de jour oncologique", "chimio", "chimiothérapie",
            "chemo", "chemotherapie",
        ),
        Service.DIALYSIS: (
            "dialysis", "dialyse", "hémodialyse", "hemodialyse", "nierdialyse", "haemodialysis",
        ),
        Service.OTHER: (
            "other", "autre", "autres", "divers", "andere", "overige", "sonstige", "kiné",
            "kinésithérapie", "kinesitherapie", "revalidation", "revalidatie", "endoscopie",
            "gastroscopie", "coloscopie", "vaccination", "vaccinatie", "ergothérapie", "logopédie",
            "diététique", "diëtiek",
        ),
    }
)  # fmt: skip

STATUSES = _meanings(
    {
        "booked": (
            "booked", "prévu", "planifié", "programmé", "confirmé", "réservé", "fixé", "gepland",
            "bevestigd", "geboekt", "scheduled", "confirmed", "planned", "pending", "proposed",
            "waitlist", "accepted", "accepté", "en attente", "à venir", "in afwachting", "actif",
            "active", "actief", "maintenu",
        ),
        "arrived": (
            "arrived", "arrivé", "présent", "en salle d'attente", "aangekomen", "aanwezig",
            "checked-in", "checked in", "checkedin", "aangemeld", "en cours", "in progress",
            "bezig", "enregistré",
        ),
        "fulfilled": (
            "fulfilled", "vu", "terminé", "réalisé", "effectué", "clôturé", "uitgevoerd",
            "afgelopen", "voltooid", "completed", "complete", "done", "finished", "honoré",
            "closed", "fini", "venu",
        ),
        "cancelled": (
            "cancelled", "canceled", "annulé", "supprimé", "geannuleerd", "geschrapt", "afgezegd",
            "décommandé", "excusé", "rejected", "rejeté", "refusé", "abgesagt", "deleted",
        ),
        "noshow": (
            "noshow", "no-show", "no show", "absent", "non venu", "pas venu", "non présenté",
            "niet gekomen", "afwezig", "niet verschenen", "non honoré", "missed", "manqué",
            "non excusé", "niet opgedaagd",
        ),
        "entered-in-error": (
            "entered-in-error", "erreur", "encodé par erreur", "erreur d'encodage",
            "foutief ingevoerd", "fout", "error",
        ),
    }
)  # fmt: skip

PRIORITIES = _meanings(
    {
        "routine": ("routine", "normale", "normal", "non urgent", "standard", "normaal", "non"),
        "urgent": ("urgent", "urgente", "dringend", "oui"),
        "asap": ("asap", "dès que possible", "très urgent", "zo snel mogelijk", "zeer dringend"),
        "stat": ("stat", "immédiate", "immédiat", "vitale", "onmiddellijk", "immediate"),
    }
)

PROTECTED_GROUPS = _meanings(
    {
        ProtectedGroup.PREGNANCY: (
            "pregnancy", "grossesse", "enceinte", "femme enceinte", "zwangerschap", "zwanger",
            "pregnant", "schwangerschaft",
        ),
        ProtectedGroup.CHEMOTHERAPY: (
            "chemotherapy", "chimiothérapie", "chimio", "chemotherapie", "chemo",
        ),
        ProtectedGroup.ONCOLOGY: (
            "oncology", "oncologie", "cancer", "onco", "kanker", "onkologie",
        ),
        ProtectedGroup.DIABETES: (
            "diabetes", "diabète", "diabétique", "diabetespatiënt", "diabetic",
        ),
        ProtectedGroup.CAST: ("cast", "plâtre", "plâtré", "gips", "gipsverband", "plaster"),
    }
)  # fmt: skip

LANGUAGES = _meanings(
    {
        "fr": ("fr", "f", "fra", "fre", "français", "frans", "french", "französisch"),
        "nl": ("nl", "n", "nld", "dut", "néerlandais", "nederlands", "dutch", "niederländisch"),
        "de": ("de", "d", "deu", "ger", "allemand", "duits", "german", "deutsch"),
        "en": ("en", "e", "eng", "anglais", "engels", "english", "englisch"),
    }
)

# The known French words, shown to people when a word is not known.
_SHOWN = {
    id(SERVICES): "consultation, opération, radiologie, médecine nucléaire, prise de sang, "
    "centre Covid, urgences, hôpital de jour, dialyse, autre",
    id(STATUSES): "prévu, arrivé, vu, annulé, absent, erreur",
    id(PRIORITIES): "normale, urgente, dès que possible, immédiate",
    id(PROTECTED_GROUPS): "grossesse, chimiothérapie, oncologie, diabète, plâtre",
    id(LANGUAGES): "fr, nl, de, en",
}


def meaning(text: str, words: dict[str, str]) -> str:
    """Return what a word of a source means.

    Args:
        text: the word, in any case, with or without accents.
        words: one of the tables above.

    Raises:
        BadValue: the word is not known; the message names those that are.
    """
    folded = fold(text)
    for written in _forms(folded):
        if written in words:
            return words[written]
    # "Consultation de suivi", "Annulé par le patient": what stands first says what it is.
    first = _first_words(folded, words)
    if first:
        return first
    if id(words) == id(SERVICES) and _names_a_speciality(folded):
        speciality = _(
            "Une spécialité n'est pas une activité : écrivez l'activité prévue. "
            "Mots connus : %(words)s."
        )
        raise BadValue(speciality % {"words": _SHOWN[id(words)]})
    known = _("Mot inconnu. Mots connus : %(words)s.") % {"words": _SHOWN[id(words)]}
    meant = _misspelt(folded, words)
    hint = _("Vouliez-vous dire « %(word)s » ?") % {"word": meant.lower()} if meant else ""
    raise BadValue(joined([known, hint]))


def _names_a_speciality(folded: str) -> bool:
    """Whether a word of the text begins like a medical speciality."""
    padded = f" {folded} "
    return any(f" {beginning}" in padded for beginning in _SPECIALITIES)


def _misspelt(folded: str, words: dict[str, str]) -> str:
    """Return the known word that a word misspells; empty when it may be another word.

    Following the advice changes what happens to the patient. It is given only for one typing
    error, and only if all known words that are close mean the same.
    """
    close = difflib.get_close_matches(folded, words, n=3, cutoff=0.8)
    if len({words[one] for one in close}) != 1:
        return ""
    return next((one for one in close if _is_one_slip(folded, one)), "")


def _is_one_slip(written: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or added, or two neighbours are swapped."""
    start = len(os.path.commonprefix([written, meant]))
    one, other = written[start:], meant[start:]
    if one[:2] == other[1::-1] and one[2:] == other[2:]:
        return True
    return one[1:] == other[1:] or one[1:] == other or one == other[1:]


def _forms(folded: str) -> Iterable[str]:
    """Yield a word, then what it is without the endings of the feminine and the plural."""
    yield folded
    for ending in ("S", "E", "ES"):
        if folded.endswith(ending):
            yield folded.removesuffix(ending)


def _first_words(folded: str, words: dict[str, str]) -> str:
    """Return what the longest known beginning of several words means; empty when none does.

    Never an emergency, which no bulletin can cancel, nor "other"; and of a status only what is
    followed by who or why ("annulée par le service"), since another word may turn its meaning.
    """
    parts = folded.split()
    for count in range(len(parts) - 1, 0, -1):
        if id(words) == id(STATUSES) and parts[count] not in _BY_WHOM:
            continue
        beginning = " ".join(parts[:count])
        if len(beginning) < _SHORTEST_WORD and beginning not in _SHORT_WORDS:
            continue
        for written in _forms(beginning):
            found = words.get(written, "")
            if found and _may_be_followed(found, words):
                return found
    return ""


def _may_be_followed(meaning: str, words: dict[str, str]) -> bool:
    """Whether a meaning holds when more words follow it."""
    if id(words) == id(SERVICES):
        return meaning not in {Service.EMERGENCY, Service.OTHER}
    return id(words) == id(STATUSES)


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
        raise BadValue(_UNCOMPUTED)
    line = str(cell)
    if not line.isascii():
        line = unicodedata.normalize("NFC", INVISIBLE.sub("", line))
    if not line.isprintable():
        line = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in line)
    line = " ".join(line.split())
    if not line.isascii():
        _check_letters(line)
    if line.startswith("#") and _SHEET_ERROR.fullmatch(line):
        raise BadValue(_UNCOMPUTED)
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


def identifier(cell: object, longest: int) -> str:
    """Return a number or code exactly as the source gives it.

    Raises:
        BadValue: empty, too long, or rounded by a spreadsheet: then several patients might
            share it.
    """
    if isinstance(cell, float | int) and abs(cell) >= _MOST_DIGITS_KEPT:
        raise BadValue(_WAS_ROUNDED)
    code = text(cell)
    if not code:
        raise BadValue(_("Cellule vide : cette valeur est obligatoire."))
    if _ROUNDED.fullmatch(code):
        raise BadValue(_WAS_ROUNDED)
    if len(code) > longest:
        raise BadValue(_("Trop long : %(longest)s caractères au plus.") % {"longest": longest})
    return code


def phone_numbers(cell: object) -> phones.PhoneCell:
    """Return the telephone numbers of a cell, and what in it cannot be dialled.

    Raises:
        BadValue: rounded by a spreadsheet.
    """
    written = cell if isinstance(cell, str) else text(cell)  # a line break separates two numbers
    if _ROUNDED.fullmatch(written.strip()):
        raise BadValue(_WAS_ROUNDED)
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
        meaning(part, PROTECTED_GROUPS) for part in named if fold(part) not in _NO_GROUP
    )


def language(cell: object) -> str:
    """Return the language code of a word or a locale such as ``fr-BE``; empty for none.

    Raises:
        BadValue: none of ours.
    """
    written = text(cell)
    if not written:
        return ""
    return meaning(re.split(r"[-_]", written)[0], LANGUAGES)
