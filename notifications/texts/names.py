"""Names that no SMS may carry: those of the hospital's own practitioners and units.

A family name counts as a whole word in any case, with or without accents; so does the whole
name of a unit. To keep false alarms away, three kinds of names count less:

- what the shipped texts, the calendar or the names of hospital and sites say never counts (a
  Dr Mars, a Dr Info, a unit called "Arlon");
- a family name that is also an everyday word (Petit, Klein, Best), or of three letters or fewer,
  counts only where it is written as a name: a capital, not at the beginning of a sentence;
- first names do not count: most are family names' and saints' too, and go with a family name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.texts.medical_words import fold, words_of

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
    """Who and what works here.

    Attributes:
        practitioners: family names.
        units: names of units.
        places: names of the hospital and its sites, which may be said.
        vocabulary: folded words that say nothing of anybody.
    """

    practitioners: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    vocabulary: frozenset[str] = frozenset()

    def in_text(self, text: str) -> list[str]:
        """Return the names that a text carries, as the reference data writes them."""
        words = _without(words_of(text), self.places)
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


def _without(words: str, places: Iterable[str]) -> str:
    for key in filter(None, map(_key, places)):
        words = words.replace(f" {key} ", "  ")
    return words


def _is_written_as_a_name(key: str, text: str) -> bool:
    for match in re.finditer(r"[^\W\d_]+", text):
        before = text[: match.start()].rstrip(" \t\"'«»()")
        begins = not before or before[-1] in _ENDS_A_SENTENCE
        is_a_name = match[0][0].isupper() and not match[0].isupper()
        if fold(match[0]) == key and is_a_name and not begins:
            return True
    return False
