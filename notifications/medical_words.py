"""Words that no SMS may carry: they would tell whoever holds the phone what the patient has.

DESIGN.md section 6, promise 6: no specialty, no doctor, no procedure. The lists hold the labels
of the services, unit kinds, protected groups and roles of this application in its four
languages, and the specialties and acts of a Belgian hospital's schedule. Words are compared
without accents and in lower case. A test holds the lists against the applications' own labels.
"""

import re
import unicodedata

BEGINNINGS = (
    # kinds of act and of unit
    "consult", "chirurg", "surg", "radiol", "radiog", "radioth", "rontgen", "x-ray",
    "scintigr", "scanner", "mammogr", "echograph", "echogr", "ultrasound", "ultraschall",
    "endoscop", "coloscop", "gastroscop", "biops", "dialys", "nuclea", "nuklear", "prelevement",
    "bloedafname", "blutentnahme", "blutabnahme", "anesth", "anasth", "hospitalis", "vaccin",
    "impf", "imager", "imaging", "bildgeb", "beeldvorm", "operatiekwartier", "operationssaal",
    # specialties
    "cardiol", "kardiol", "oncol", "onkol", "neurol", "urolog", "gynec", "gynaec", "gynak",
    "obstet", "dermat", "ophtalm", "ophthalm", "oftalm", "orthop", "pediatr", "padiatr",
    "psychi", "psychol", "pneumol", "gastro-enter", "gastroenter", "rheumat", "rhumat",
    "reumat", "endocrin", "endokrin", "nephrol", "nefrol", "hematol", "hamatol", "geriatr",
    "stomatol", "kinesither", "physiother", "logoped", "pathol", "materni",
    # what a patient is treated for
    "chimio", "chemo", "cancer", "kanker", "krebs", "tumo", "diabet", "grossesse", "enceinte",
    "zwanger", "schwanger", "pregnan", "covid", "corona", "platre",
    # who treats
    "medecin", "docteur", "doctor", "geneesh", "infirmi", "verpleeg", "krankenpfleg", "nurse",
)  # fmt: skip
_WORDS = """
    dr arts artsen arzt arzte arztin specialiste specialist facharzt
    operation operations operationen opere operee operatie operaties intervention interventions
    irm mri mrt ct scan scans pet orl ekg ecg eeg analyse analyses examen examens onderzoek
    untersuchung examination prise sang bloed blut blood urgence urgences spoed spoedgevallen
    notaufnahme emergency bloc cast gips plaster ward clinique polikliniek ambulanz clinic
"""
WORDS = frozenset(_WORDS.split())

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


def medical_words_in(text: str) -> list[str]:
    """Return the forbidden words of a text, in order, without accents and in lower case."""
    folded = unicodedata.normalize("NFKD", text.lower())
    folded = "".join(c for c in folded if not unicodedata.combining(c)).replace("œ", "oe")
    found = []
    for word in _WORD.findall(folded):
        pieces = [word, *word.split("-")]
        if any(piece in WORDS or piece.startswith(BEGINNINGS) for piece in pieces):
            found.append(word)
    return found
