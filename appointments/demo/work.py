"""What each speciality does, and when it works."""

from dataclasses import dataclass

_MORNING, _AFTERNOON = (8 * 60 + 30, 12 * 60), (13 * 60, 17 * 60)
_LONG_MORNING = (8 * 60, 12 * 60 + 30)


@dataclass(frozen=True)
class Plan:
    """How a doctor's days look.

    Attributes:
        presence: share of working days on which the doctor is in.
        filled: share of the places that are booked.
        sessions: the kinds of day, each a tuple of (first minute, last minute) of the day.
        quiet_presence: the same as ``presence`` for weekends and holidays.
    """

    presence: float
    filled: float
    sessions: tuple[tuple[tuple[int, int], ...], ...]
    quiet_presence: float = 0.0


@dataclass(frozen=True)
class Centre:
    """A centre where several people are served at once: places a working day, by site."""

    start: int
    end: int
    places: dict[str, int]


_HALF_DAYS = ((_MORNING,), (_AFTERNOON,))
_ANY_DAY = ((_MORNING,), (_AFTERNOON,), (_MORNING, _AFTERNOON))
CLINIC = Plan(presence=0.33, filled=0.92, sessions=_ANY_DAY)

# Of the specialities that do not work as ``CLINIC`` says.
PLANS = {
    "bloc": Plan(presence=0.5, filled=0.97, sessions=((_LONG_MORNING,), (_AFTERNOON,))),
    "radio": Plan(0.66, 0.9, _HALF_DAYS, quiet_presence=0.05),
    "nucleaire": Plan(0.8, 0.95, ((_MORNING,),)),
    "urgences": Plan(0.5, 0.6, ((_MORNING,),), quiet_presence=0.3),
    "hopital-jour": Plan(0.9, 0.85, ((_LONG_MORNING,),)),
    "dietetique": Plan(0.8, 0.9, _HALF_DAYS),
}

WALK_IN = {
    "prelevements": Centre(
        start=7 * 60,
        end=11 * 60,
        places={
            "arlon": 40,
            "bastogne": 20,
            "bertrix": 12,
            "libramont": 36,
            "marche": 30,
            "virton": 18,
        },
    ),
    "covid": Centre(
        start=8 * 60,
        end=16 * 60,
        places={"arlon": 18, "bastogne": 10, "libramont": 16, "marche": 14},
    ),
}
DIALYSIS_PATIENTS = {"arlon": 40, "libramont": 36, "marche": 24}

# speciality: acts, each with its minutes
_ACTS = {
    "cardio": "Consultation de suivi 20, Électrocardiogramme d'effort 30, Échographie cardiaque "
    "30, Contrôle de pacemaker 20",
    "gyneco": "Suivi de grossesse 20, Échographie du deuxième trimestre 30, Consultation annuelle "
    "20, Frottis et contrôle 20",
    "ortho": "Contrôle de plâtre 15, Consultation de suivi 15, Avis opératoire 20, Suivi de "
    "prothèse 20",
    "ophtalmo": "Contrôle de la vue 15, Fond d'œil 20, Suivi de glaucome 20",
    "pneumo": "Épreuve fonctionnelle 30, Consultation de suivi 20",
    "onco": "Consultation avant traitement 20, Consultation de suivi 20, Annonce de résultats 30",
    "gastro": "Consultation de suivi 20, Première consultation 30",
    "neuro": "Consultation de suivi 20, Électroencéphalogramme 30",
    "orl": "Audiométrie 20, Consultation de suivi 15",
    "diabeto": "Suivi du diabète 20, Contrôle de pompe à insuline 30",
    "pediatrie": "Consultation de suivi 20, Vaccination 15, Bilan de croissance 20",
    "dermato": "Contrôle de grains de beauté 15, Consultation de suivi 15",
    "psy": "Entretien de suivi 30, Premier entretien 45",
    "physique": "Consultation de suivi 20, Infiltration 20",
    "dietetique": "Bilan diététique 30, Suivi diététique 20",
    "bloc": "Prothèse de hanche 120, Prothèse de genou 120, Cholécystectomie 75, Cure de hernie "
    "inguinale 60, Cataracte 40, Arthroscopie 60, Amygdalectomie 45, Thyroïdectomie 120",
    "radio": "Radiographie du thorax 15, Scanner abdominal 20, IRM du genou 30, Mammographie 20, "
    "Échographie abdominale 20",
    "nucleaire": "Scintigraphie osseuse 30, Scintigraphie myocardique 45, Scintigraphie "
    "thyroïdienne 30",
    "prelevements": "Prise de sang 5, Prise de sang à jeun 5",
    "covid": "Test PCR 5, Vaccination Covid 10",
    "urgences": "Contrôle de plaie 15, Réévaluation après urgence 20",
    "hopital-jour": "Chimiothérapie 30, Perfusion de fer 30, Coloscopie 45, Transfusion 30",
}
ACTS = {
    speciality: tuple(
        (act, int(minutes)) for act, minutes in (one.rsplit(" ", 1) for one in acts.split(", "))
    )
    for speciality, acts in _ACTS.items()
}
