"""The words of the sources, in French, Dutch, English and German, and what they mean to us."""

import difflib
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from appointments.vocabulary import ProtectedGroup, Service
from patients.names import fold


class BadValue(ValueError):
    """What stands in a cell cannot be used; the message says why and what to do."""


def _meanings(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {fold(word): str(meaning) for meaning, group in words.items() for word in group}


SERVICES = _meanings(
    {
        Service.CONSULTATION: (
            "consultation", "consult", "consultations", "cs", "raadpleging", "consultatie",
            "outpatient", "visite", "sprechstunde",
        ),
        Service.SURGERY: (
            "surgery", "opération", "chirurgie", "intervention", "intervention chirurgicale",
            "bloc opératoire", "bloc", "operatie", "ingreep", "heelkunde", "operation", "ok",
            "operatiekwartier",
        ),
        Service.RADIOLOGY: (
            "radiology", "radiologie", "imagerie", "imagerie médicale", "rx",
            "medische beeldvorming", "beeldvorming", "imaging", "röntgen",
        ),
        Service.NUCLEAR_MEDICINE: (
            "nuclear_medicine", "nuclear medicine", "médecine nucléaire", "scintigraphie",
            "nucleaire geneeskunde", "scintigrafie", "scintigraphy", "nuklearmedizin",
        ),
        Service.BLOOD_SAMPLING: (
            "blood_sampling", "blood sampling", "prise de sang", "prises de sang", "prélèvement",
            "prélèvements", "centre de prélèvements", "bloedafname", "bloedname", "bloedprik",
            "afname", "blood test", "blutentnahme",
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
        ),
        Service.DIALYSIS: (
            "dialysis", "dialyse", "hémodialyse", "hemodialyse", "nierdialyse", "haemodialysis",
        ),
        Service.OTHER: ("other", "autre", "autres", "divers", "andere", "overige", "sonstige"),
    }
)  # fmt: skip

STATUSES = _meanings(
    {
        "booked": (
            "booked", "prévu", "planifié", "programmé", "confirmé", "réservé", "fixé", "gepland",
            "bevestigd", "geboekt", "scheduled", "confirmed", "planned", "pending", "proposed",
            "waitlist",
        ),
        "arrived": (
            "arrived", "arrivé", "présent", "en salle d'attente", "aangekomen", "aanwezig",
            "checked-in", "checked in",
        ),
        "fulfilled": (
            "fulfilled", "vu", "terminé", "réalisé", "effectué", "clôturé", "uitgevoerd",
            "afgelopen", "voltooid", "completed", "complete", "done", "finished",
        ),
        "cancelled": (
            "cancelled", "canceled", "annulé", "supprimé", "geannuleerd", "geschrapt", "afgezegd",
        ),
        "noshow": (
            "noshow", "no-show", "no show", "absent", "non venu", "pas venu", "non présenté",
            "niet gekomen", "afwezig", "niet verschenen",
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
    if folded in words:
        return words[folded]
    close = difflib.get_close_matches(folded, words, n=1, cutoff=0.8)
    hint = _("Vouliez-vous dire « %(word)s » ?") % {"word": close[0].lower()} if close else ""
    known = _("Mot inconnu. Mots connus : %(words)s.") % {"words": _SHOWN[id(words)]}
    raise BadValue(f"{known} {hint}".strip())
