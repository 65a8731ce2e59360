"""What is ordered reads as sentences that a nurse could check."""

import datetime as dt
from pathlib import Path

import pytest

from appointments.bulletins import playbooks
from appointments.bulletins.sentences import (
    PlaceNames,
    clause_in_words,
    duration_in_words,
    order_sentences,
)
from appointments.rules import ClauseTerms
from tests.builders import MONDAY, at

NAMES = PlaceNames(
    sites={"arlon": "Arlon", "virton": "Virton", "bertrix": "Bertrix"},
    units={"arlon-cardio": "Cardiologie (Arlon)"},
)


def test_the_bulletin_of_the_day_reads_as_five_sentences() -> None:
    file = Path(__file__).parents[3] / "docs/playbooks/2022-05-16.toml"
    playbook = playbooks.read(file.read_text(encoding="utf-8"))

    assert order_sentences(playbook.clauses, NAMES, [MONDAY]) == [
        (
            "Consultations, tous les sites : annulées ; prévenir les annulés par SMS ; "
            "le médecin concerné peut garder jusqu'au dimanche 15/05 à 18:00"
        ),
        (
            "Opérations, tous les sites : au cas par cas ; prévenir chaque patient par téléphone ; "
            "le Directeur médical tranche"
        ),
        (
            "Radiologie, médecine nucléaire et centres Covid, tous les sites : annulés ; "
            "prévenir les annulés par SMS"
        ),
        "Prises de sang, tous les sites : maintenues ; ne prévenir personne",
    ]


@pytest.mark.parametrize(
    ("selected", "beginning"),
    [
        ({}, "Toutes les activités, tous les sites : maintenues"),
        ({"services": ("radiology",)}, "Radiologie, tous les sites : maintenue"),
        ({"services": ("day_hospital",)}, "Hôpital de jour, tous les sites : maintenu"),
        (
            {"services": ("consultation", "day_hospital", "dialysis")},
            "Consultations, hôpital de jour et dialyses, tous les sites : maintenus",
        ),
        (
            {"sites": ("arlon", "bertrix", "virton")},
            "Toutes les activités, Arlon, Bertrix et Virton : maintenues",
        ),
        (
            {"services": ("consultation",), "units": ("arlon-cardio", "inconnue")},
            "Consultations, Cardiologie (Arlon) et inconnue : maintenues",
        ),
        (
            {"days": (MONDAY, MONDAY + dt.timedelta(days=1)), "sites": ("arlon",)},
            "Toutes les activités, Arlon, le lundi 16/05 et mardi 17/05 : maintenues",
        ),
        (
            {"groups": ("pregnancy", "chemotherapy", "cast")},
            (
                "Toutes les activités, tous les sites, "
                "patients avec grossesse, chimiothérapie ou plâtre : maintenues"
            ),
        ),
    ],
)
def test_whom_a_clause_means_is_said_first(selected: dict, beginning: str) -> None:
    clause = ClauseTerms("maintain", "both", channel="phone", **selected)

    assert clause_in_words(clause, NAMES) == beginning


def test_the_deadline_is_said_in_the_time_of_brussels() -> None:
    until = at("2022-05-15 18:00").astimezone(dt.UTC)
    clause = ClauseTerms("cancel", "nobody", kept_by="medical_director", keep_until=until)

    (sentence,) = order_sentences([clause], NAMES, [MONDAY])
    assert sentence.endswith("le Directeur médical tranche jusqu'au dimanche 15/05 à 18:00")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (44.2, "45 s"),
        (60, "1 min"),
        (61, "2 min"),
        (3599, "1 h 00"),
        (7500, "2 h 05"),
    ],
)
def test_a_duration_is_as_exact_as_an_estimate_deserves(seconds: float, words: str) -> None:
    assert duration_in_words(seconds) == words
