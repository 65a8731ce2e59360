"""French as the house writes it: see docs/french.md for the words, these are the signs."""

import re

import pytest

from scripts.messages import sentences

_FILLED_IN = re.compile(r"%\(\w+\)[\w.]+|%[sdg]|<[^>]+>|\{[^}]*\}")
RULES = {
    "a typographic apostrophe or a space that does not break": re.compile("[’\u00a0\u202f]"),
    "no space before : ; ? or !": re.compile(r"[^\s(«][:;?!](\s|$)"),
    "no space inside « »": re.compile(r"«\S|\S»"),
    "three dots, not …": re.compile(r"\.\.\."),
    "two spaces": re.compile("  "),
    "quotes that are not « »": re.compile('["“”]'),
    "an abbreviation that no patient says": re.compile(r"\b(RDV|rdv|pt|pts|svp|SVP)\b"),
    "somebody is called tu": re.compile(r"\b([Tt]u|[Tt]on|[Tt]es|[Tt]oi)\b"),
}


def faults_of(sentence: str) -> list[str]:
    """Return how a sentence differs from what the house writes."""
    bare = _FILLED_IN.sub("X", sentence)
    return [name for name, pattern in RULES.items() if pattern.search(bare)]


def test_every_sentence_is_written_alike() -> None:
    found = {
        text: faults
        for message in sentences()
        if message.id
        for text in ([message.id] if isinstance(message.id, str) else message.id)
        if (faults := faults_of(text))
    }
    assert found == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "L’appel est noté.",
        "Envoyer?",
        "Noté: %s.",
        "«Garder»",
        "Envoi...",
        "Votre RDV",
        "As-tu appelé ?",
        'Dites "oui".',
        "Deux  espaces",
    ],
)
def test_what_is_not_is_found(sentence: str) -> None:
    assert len(faults_of(sentence)) == 1


@pytest.mark.parametrize(
    "sentence",
    ["Noté : %s.", "L'heure (09:10) ; écrivez « +02:00 »", "Envoyer ?", "%(n)d h %(m)02d min"],
)
def test_what_is_is_not(sentence: str) -> None:
    assert faults_of(sentence) == []
