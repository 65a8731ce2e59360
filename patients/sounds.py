"""The sound of a name: spellings that sound alike in French have the same key.

An agent writes a name as the caller says it: Dupond for Dupont, Lefèvre for Lefebvre, Meyer for
Maier. The keys are coarse on purpose and only widen a search: the text is first searched as
typed. Made for the names of the region: French, with the Flemish, German and Luxembourg ones that
are pronounced the French way. (The usual keys, Soundex and Metaphone,
follow English.) Pure: no database.
"""

import re
from collections.abc import Sequence

from patients.names import fold, glued

LONGEST = 170
_NASAL_A, _NASAL_I, _NASAL_O = "1", "2", "3"
_RULES: tuple[tuple[str, str], ...] = (
    (r"(E?AU|O)L?[DTSX]+$", "O"),  # Renault, Renaud, Dechaux, Jacquot
    (r"E?AU", "O"),
    (r"O[UE]", "U"),  # Flemish oe is pronounced ou
    (r"A[EA]", "A"),  # Claes, Klaas
    (r"(AI|EI|AY|EY|OEI)N(?![AEIOUY])", _NASAL_I),
    (r"AYE|[AE][IY]E?(?=[RNSLMT]|$)|[AE][IY]", "E"),  # Meyer, Maier, Delhaye
    (r"PH", "F"),
    (r"CHR", "KR"),
    (r"T?SCH|CH", "S"),
    (r"CQU|CQ|CK|CC|QU|Q", "K"),
    (r"UE(?=[LR])", "U"),  # Mueller
    (r"C(?=[EIY])", "S"),
    (r"C", "K"),
    (r"GU(?=[EIY])", "G"),
    (r"G(?=[EIY])", "J"),
    (r"GN", "N"),
    (r"BV", "V"),  # Lefebvre
    (r"W", "V"),
    (r"IJ|Y", "I"),
    (r"ILL", "I"),
    (r"H", ""),
    (r"Z", "S"),
    (r"X(?=.)", "KS"),
    (r"(.)\1+", r"\1"),
    (r"(?<=.)[DTSXPE]+$", ""),  # silent at the end: Dupont, Dumons, Schmitz, Peeters
    (r"IEN(?![AEIOU])", f"I{_NASAL_I}"),
    (r"[AE][NM](?![AEIOUNM])", _NASAL_A),
    (r"[IU][NM](?![AEIOUNM])", _NASAL_I),
    (r"O[NM](?![AEIOUNM])", _NASAL_O),
    (r"(.)\1+", r"\1"),
)
_COMPILED = tuple((re.compile(pattern), said) for pattern, said in _RULES)


def key_of(word: str) -> str:
    """Return the sound of a word, as letters and digits; a word without letters stays as it is.

    >>> key_of("Dupond") == key_of("Dupont")
    True
    """
    folded = fold(word).replace(" ", "")
    key = folded
    for pattern, said in _COMPILED:
        key = pattern.sub(said, key)
    return key or folded


def search_sound(family_name: str, given_name: str) -> str:
    """Return the value of ``Patient.search_sound``: each word's key, with a space after each.

    Particles belong to the next word: ``Van den Berg`` sounds like ``Vandenberg``.
    """
    words = [*glued(fold(family_name).split()), *glued(fold(given_name).split())]
    return "".join(f"{key_of(word)} " for word in words)[:LONGEST]


def keys_of(words: Sequence[str]) -> list[str]:
    """Return the keys of the typed words, folded."""
    return [key_of(word) for word in glued(words)]
