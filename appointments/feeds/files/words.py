"""The words of the sources, in French, Dutch, English and German, and what they mean to us."""

import difflib
import os.path
from collections.abc import Iterable, Mapping

from appointments.vocabulary import ProtectedGroup, Service
from patients.names import fold
from staff.sentences import Stored, joined
from staff.sentences import gettext_stored as _


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

# What people are shown when a word is not known: the French ones, first of each list or so.
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

    Who follows the advice changes what happens to the patient. It is given only for one slip of
    the pen, and only where all the known words that are close mean the same.
    """
    close = difflib.get_close_matches(folded, words, n=3, cutoff=0.8)
    if len({words[one] for one in close}) != 1:
        return ""
    return next((one for one in close if _is_one_slip(folded, one)), "")


def _is_one_slip(written: str, meant: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two neighbours are swapped."""
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
