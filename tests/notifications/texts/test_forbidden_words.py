"""What no text may name, in four languages, however it is written; and what it must be able to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.texts.forbidden_words import (
    BEGINNINGS,
    EVERYDAY,
    INSIDE,
    PHRASES,
    WORDS,
    Names,
    medical_words_in,
)
from staff.models.place import UnitKind

LISTED = sorted({*WORDS, *BEGINNINGS, *INSIDE, *PHRASES})
ACCENTS = {"e": "é", "a": "ä", "o": "ö", "u": "ü", "i": "ï", "c": "ç"}
WRITTEN = st.sampled_from(
    [
        str,
        str.upper,
        str.title,
        lambda word: "".join(ACCENTS.get(c, c) for c in word),
        "\u00ad".join,
        lambda word: "".join(f"{c}\u0301" if c in "aeiou" else c for c in word),
    ]
)
AROUND = st.sampled_from(["", " ", "\n", "(", ")", ",", ".", "!", "'", "’", '"', "«", "»", ":"])


@given(st.sampled_from(LISTED), WRITTEN, AROUND, AROUND)
def test_each_listed_word_is_caught_in_any_writing_and_between_any_marks(
    word, write, before, after
) -> None:
    assert medical_words_in(f"Votre{before} {write(word)}{after} du lundi"), word


@pytest.mark.parametrize(
    "words",
    [
        # French
        "Cardiologie", "chez le cardiologue", "la GYNÉCOLOGIE", "l'ophtalmologue", "une I.R.M.",
        "l’échographie", "prise de sang", "le Dr. Lambert", "la Dre Lambert", "Docteur",
        "Pr Lambert", "votre médecin", "une coloscopie", "l'hôpital de jour", "aux urgences",
        "le kiné", "une proctologue", "vos soins intensifs", "le bloc", "opération", "être opéré",
        # Dutch
        "röntgenonderzoek", "uw huisarts", "hartoperatie", "de cardioloog", "bloedafname",
        "vrouwenarts", "darmonderzoek", "kinderchirurgie", "op spoed", "uw behandeling",
        "oogkliniek",
        # German
        "Magenspiegelung", "Roentgenaufnahme", "Röntgentermin", "Ihr Hausarzt", "die Ärztin",
        "Augenklinik", "Knieoperation", "Blutentnahme", "Ultraschall", "Kinderarzt", "Narkose",
        # English
        "X-ray", "your surgeon", "knee surgery", "blood test", "MRI scan", "the dermatologist",
        "physiotherapy", "in day surgery", "Doctor",
    ],
)  # fmt: skip
def test_specialties_acts_and_titles_are_caught(words) -> None:
    assert medical_words_in(f"Vivalia: {words}, Info")


@pytest.mark.parametrize(
    "sentence",
    [
        "Votre rendez-vous à l'hôpital du 16 mai est annulé, vous serez recontacté.",
        "En cas d'urgence, appelez le 112. Nos systèmes sont à nouveau opérationnels.",
        "Pour la prise d'un nouveau rendez-vous, merci de votre coopération et de votre patience.",
        "Présentez-vous à l'accueil, dans l'enceinte de l'hôpital, avec votre carte d'identité.",
        "Le personnel vous rappelle. Suivez la consigne, malgré la panne technologique.",
        "Uw afspraak in het ziekenhuis gaat door. Breng uw identiteitskaart mee, zonder onkosten.",
        "Onze excuses. Bel ons terug voor een nieuwe afspraak, het uur blijft gelijk.",
        "Ihr Termin im Krankenhaus findet statt. Danke für Ihre Kooperation und Kontaktaufnahme.",
        "Wir bitten um Geduld: Geburtsdatum und Ausweis mitbringen, Rückruf um 9 Uhr.",
        "Our apologies: your hospital appointment starts at 9. In an emergency, call 112.",
        "Please bring your identity card; we are operational again. Immediately call us back.",
    ],
)
def test_what_a_message_needs_to_say_passes(sentence) -> None:
    assert medical_words_in(sentence) == []


@pytest.mark.parametrize("kind", UnitKind)
def test_every_kind_of_unit_counts_as_medical(kind) -> None:
    assert medical_words_in(str(kind.label))


def test_the_hospitals_own_name_may_be_said_but_nothing_beside_it() -> None:
    text = "Clinique Saint-Luc : la clinique"
    assert medical_words_in(text, harmless=["Clinique Saint-Luc"]) == ["clinique"]


class TestNames:
    NAMES = Names(
        practitioners=frozenset({"Dupont", "Van Damme", "Éloy", "Petit", "Li", "Arlon", "Mars"}),
        units=frozenset({"Physique 2", "Accueil B", "Arlon 3"}),
        places=frozenset({"Vivalia", "Arlon"}),
        vocabulary=frozenset({"mars"}),
    )

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("chez Dupont", ["Dupont"]),
            ("CHEZ MME DUPONT.", ["Dupont"]),
            ("chez dupont", ["Dupont"]),
            ("bij Van  Damme", ["Van Damme"]),
            ("l'équipe d'Eloy", ["Éloy"]),
            ("chez Petit", ["Petit"]),
            ("chez Mme Li", ["Li"]),
            ("en physique 2", ["Physique 2"]),
        ],
    )
    def test_who_and_what_works_here_is_found(self, text, found) -> None:
        assert self.NAMES.in_text(text) == found

    @pytest.mark.parametrize(
        "text",
        [
            "les Dupontel", "un petit problème", "Petit retard. Petit rappel", "UN PETIT RETARD",
            "le 16 mars à Arlon", "Vivalia Arlon", "où li", "site Arlon 3", "van Dammes",
        ],
    )  # fmt: skip
    def test_everyday_words_places_and_parts_of_words_are_no_names(self, text) -> None:
        assert self.NAMES.in_text(text) == []

    def test_the_everyday_words_are_folded(self) -> None:
        assert all(word.isascii() and word.islower() for word in EVERYDAY)
