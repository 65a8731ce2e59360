"""Words that no SMS may carry: they would tell anybody with the phone what the patient has.

DESIGN.md section 6, promise 6: no specialty, no doctor, no procedure. Pure: no Django.

**Medical words.** The lists hold the labels
of the services, unit kinds, protected groups and roles of this application in its four
languages, and the specialties and acts of a Belgian hospital's schedule; a test holds the lists
against the applications' own labels. They are wide on purpose: who writes a text can always say
it otherwise, and a text that says too much cannot be called back. What such a text needs passes:
"rendez-vous", "hôpital", "Krankenhaus", "en cas d'urgence", "de nouveau opérationnel". The
department ("les urgences", "spoed") does not.

Texts are compared folded: small letters without accents, soft hyphens and invisible characters
gone, ß as ss, "I.R.M." as "IRM". Dutch and German write compounds, so that most pieces are looked
for inside words; pieces that everyday words contain too only count where a word begins, or whole.

**Names** of the hospital's own practitioners and units. A family name counts as a whole word in
any case, with or without accents; so does the whole name of a unit. To avoid false alarms:

- what the shipped texts, the calendar or the names of hospital and sites say never counts (a
  Dr Mars, a Dr Info, a unit called "Arlon");
- a family name that is also an everyday word (Petit, Klein, Best), or of three letters or fewer,
  counts only where it is written as a name: a capital, not at the beginning of a sentence;
- first names do not count: most are family names' and saints' too, and go with a family name.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Wherever they stand in a word.
INSIDE = (
    # kinds of act
    "consult", "chirurg", "surger", "surgic", "surgeon", "radiol", "radiog", "radioth", "rontgen",
    "roentgen", "scintigr", "szintigr", "scanner", "mammogr", "echogr", "sonogr", "tomogr",
    "angiogr", "cardiogr", "kardiogr", "myogr", "encephalogr", "enzephalogr", "densitom",
    "spirometr", "audiometr", "scopi", "scopy", "skopie", "spiegelung", "ultraso", "ultraschall",
    "biops", "dialys", "dialyz", "nuclea", "nuklear", "prelevement", "bloed", "blutentn",
    "blutabn", "blutunt", "blutprob", "anesth", "anaesth", "anasth", "narkose", "narcose",
    "hospitalis", "vaccin", "vakzin", "imaging", "bildgeb", "beeldvorm", "onderzoek", "untersuch",
    "behandel", "behandl", "therap", "injecti", "injekti", "infusi", "perfusi", "ponction",
    "punctie", "punktion", "implant", "prothes", "transplant", "angioplast", "oplasti", "ectom",
    "ektomie", "radium", "operatiekw", "operatiezaal", "operationssaal", "eingriff", "ingreep",
    "mediciner", "mediziner", "laborator", "fysio", "physio", "kinesi", "revalid", "rehabilit",
    "reeducat", "palliat", "daghospitaal", "dagziekenhuis", "intensivst",
    # specialties; those on -ology come by _OLOGY
    "iatri", "iatre", "iater", "gynec", "gynaec", "gynak", "gynaek", "obstet", "dermat", "ophtalm",
    "ophthalm", "oftalm", "orthop", "orthodon", "gastro", "rheumat", "rhumat", "reumat",
    "endocrin", "endokrin", "stomat", "logoped", "logopad", "maternit", "verloskund", "geburtshil",
    "heelkund", "geneeskund", "dietet", "dieteti", "diatet", "dietist", "dieticien", "oogheel",
    "klinik", "kliniek", "clinic", "cliniqu",
    # what a patient is treated for
    "chimio", "chemoth", "kanker", "krebs", "tumeur", "tumor", "diabet", "grossesse", "zwanger",
    "schwanger", "pregnan", "platre", "gipsverb", "metasta",
    # who treats
    "medecin", "docteur", "doctor", "doktor", "dokter", "arzt", "aerzt", "geneesh", "geneesk",
    "infirmi", "verpleeg", "krankenpfl", "krankenschw", "nurse", "sagefemme", "vroedvrouw",
    "hebamme", "midwif", "midwiv", "tandarts", "huisarts", "oogarts", "kinderarts",
    "vrouwenarts", "artsen", "dentist", "praticien", "practitioner", "praktijkass", "specialist",
    "spezialist", "spezialart",
)  # fmt: skip
# Where a word begins.
BEGINNINGS = (
    "xray", "chemo", "cardio", "kardio", "neuro", "onkol", "oncol", "uro", "psych", "pneum",
    "nephr", "nefro", "hemat", "hamat", "haemat", "hemod", "hamod", "allerg", "cancer",
    "covid", "corona", "imager", "impf", "geimpft", "blood", "sanguin", "operatie", "medici",
    "mediz", "accouch", "bevalling", "entbindung", "kraama", "kraamk", "kraamz", "dental",
    "dentair", "geriat", "ergoth", "podol", "chiropra", "osteop",
)  # fmt: skip
_WHOLE = """
    dr dre drs docteure doctoresse prof profs professeur professeure professeurs professor
    professoren professorin pr arts huisarts generaliste specialiste specialistes specialist
    operation operations operationen opere operee operes operees operer opereren geopereerd
    operiert operieren operatoire operatoires
    intervention interventions interventie interventies interventionen procedure procedures
    irm mri mrt nmr rmn ct scan scans ct-scan petscan orl nko hno kno ent ekg ecg eeg emg rx tdm
    pcr ivg ivf fiv pma radio radios echo echos kine kines psy psys onco gyneco gyn ortho ophtalmo
    analyse analyses analysen analysis examen examens examination examinations
    traitement traitements treatment treatments injection injections infuus spritze prik perfusion
    sang blut labo labos labor lab labs reha diat gips plaster cast casts
    urgences spoed spoedgevallen spoeddienst spoedafdeling notaufnahme emergency
    bloc ward wards polikliniek ambulanz enceinte enceintes opname ziekenhuisopname
    vih hiv sida aids
"""
WORDS = frozenset(_WHOLE.split())
# Several words, folded, hyphens and apostrophes as spaces.
PHRASES = (
    "hopital de jour", "day hospital", "day surgery", "soins intensifs", "intensive care",
    "intensieve zorg", "intensieve zorgen", "service d urgence", "soins d urgence",
    "operating theatre", "operating theater", "operating room", "neus keel oor",
    "hals nasen ohren", "sage femme", "sages femmes",
)  # fmt: skip
# What a text may well say although a piece of it stands above.
HARMLESS_PHRASES = (
    "en cas d urgence", "in an emergency", "in case of emergency", "in case of an emergency",
    "l enceinte", "cette enceinte",
)  # fmt: skip
_HARMLESS_WORDS = re.compile(
    r"(?:technolog|chronolog|apolog|homolog|meteorolog|ecolog|okolog|geolog|prolog|ideolog)\w*"
    r"|\w*[ck]oo?peration\w*|operationn?el\w*|operationn?ell\w*|operational\w*|operatione?el\w*"
    r"|klinikum"
)
# Names of specialties and specialists: cardiologie, Urologe, proctoloog, dermatologist.
_OLOGY = re.compile(r"olog(?:i|y|u|e|i[sn])|oloog|ologen")
# Operations in compounds (hartoperatie, Augenoperation, Operationstermin).
_OPERATION = re.compile(r"operaties?$|operation(?:en|s\w*)?$")
_ABBREVIATION = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?")
_BETWEEN = r"[\s'-]+"
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_SPECIAL = str.maketrans({"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "’": "'"})


def fold(text: str) -> str:
    """Return a text in small letters, without accents and without what no eye sees."""
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_SPECIAL))
    return "".join(c for c in decomposed if unicodedata.category(c) not in {"Mn", "Cf"})


def words_of(text: str) -> str:
    """Return a folded text as its words with one space around each, to find phrases in it."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', fold(text)))} "


def medical_words_in(text: str, *, harmless: Iterable[str] = ()) -> list[str]:
    """Return the forbidden words of a text, in order, without accents and in lower case.

    Args:
        text: what a patient reads or hears.
        harmless: names that may be said whatever they contain ("Clinique Saint-Luc").
    """
    folded = fold(text)
    for name in filter(None, map(fold, harmless)):
        folded = re.sub(rf"(?<![a-z]){re.escape(name)}(?![a-z])", " ", folded)
    folded = _ABBREVIATION.sub(lambda match: match[0].replace(".", "") + " ", folded)
    for phrase in HARMLESS_PHRASES:
        folded = re.sub(rf"\b{_BETWEEN.join(phrase.split())}\b", " ", folded)
    found = [word for word in _WORD.findall(folded) if any(map(_says_much, _pieces_of(word)))]
    in_words = words_of(folded)
    return found + [phrase for phrase in PHRASES if f" {phrase} " in in_words]


def _pieces_of(word: str) -> set[str]:
    return {word, word.replace("-", ""), *word.split("-")}


def _says_much(piece: str) -> bool:
    if piece in WORDS:
        return True
    if _HARMLESS_WORDS.fullmatch(piece):
        return False
    return (
        piece.startswith(BEGINNINGS)
        or any(part in piece for part in INSIDE)
        or bool(_OLOGY.search(piece) or _OPERATION.search(piece))
    )


# --- names ----------------------------------------------------------------------------------

_EVERYDAY = """
    petit petite grand grande legrand gros bon bonne beau belle blanc blanche noir brun roux vert
    rouge jeune vieux neuf nouveau premier second dernier seul long court haut bas droit simple
    libre juste vrai clair gentil sage fort prudent present voisin ami copine maitre roi prince
    page porte place pont rue marche fontaine maison jardin moulin puits bois champ dame paquet
    sorti parti pierre louis jour midi matin soir hiver automne printemps toujours
    klein kleine groot groote grote lang lange kort jong oud nieuw goed beste wit zwart rood bruin
    sterk vrij zeker recht bos berg dijk huis dag nacht zomer winter meer minder snel
    gross grosse kurz jung alt neu gut weiss schwarz rot braun stark frei sicher hoch ernst ende
    stein wald haus tag nacht sommer herbst morgen abend zeit weit fest
    little small big great good best better young old new white black brown green grey strong free
    short high sharp sweet love day night may will price page street house hill wood field stone
    summer spring
"""
EVERYDAY = frozenset(_EVERYDAY.split())
_SHORT = 3
_ENDS_A_SENTENCE = ".!?:\n"


@dataclass(frozen=True)
class Names:
    """The names of people and places here.

    Attributes:
        practitioners: family names.
        units: names of units.
        places: names of the hospital and its sites, which may be said.
        vocabulary: folded words that name nobody.
    """

    practitioners: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    vocabulary: frozenset[str] = frozenset()

    def in_text(self, text: str) -> list[str]:
        """Return the names that a text carries, as the reference data writes them."""
        words = words_of(text)
        for place in filter(None, map(_key, self.places)):
            words = words.replace(f" {place} ", "  ")
        found = [name for name in self.practitioners if self._names_a_person(name, words, text)]
        found += [name for name in self.units if f" {_key(name)} " in words and self._counts(name)]
        return sorted(set(found))

    def _names_a_person(self, name: str, words: str, text: str) -> bool:
        key = _key(name)
        if not key or f" {key} " not in words or not self._counts(name):
            return False
        return not (key in EVERYDAY or len(key) <= _SHORT) or _is_written_as_a_name(key, text)

    def _counts(self, name: str) -> bool:
        said = self.vocabulary.union(*(_key(place).split() for place in self.places))
        return not said >= {word for word in _key(name).split() if not word.isdigit()}


def _key(name: str) -> str:
    return words_of(name).strip()


def _is_written_as_a_name(key: str, text: str) -> bool:
    for match in re.finditer(r"[^\W\d_]+", text):
        before = text[: match.start()].rstrip(" \t\"'«»()")
        begins = not before or before[-1] in _ENDS_A_SENTENCE
        is_a_name = match[0][0].isupper() and not match[0].isupper()
        if fold(match[0]) == key and is_a_name and not begins:
            return True
    return False
