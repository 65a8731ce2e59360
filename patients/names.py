"""Names as a search needs them: folded, in other spellings, and as they sound. Pure: no database.

An agent writes a name as the caller says it: Dupond for Dupont, Lefèvre for Lefebvre, Meyer for
Maier. Spellings that sound alike have the same key. The keys are coarse on purpose and only widen a
search: the text is first searched as typed. They are made for the names of the region: French, with
the Flemish, German and Luxembourg ones that are pronounced the French way. (The usual keys, Soundex
and Metaphone, follow English.)
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import filterfalse

LONGEST = 170  # characters of the columns of ``Patient`` that are searched
MOST_WORDS = 5  # more words are not searched in other spellings
# Letters that Unicode does not decompose.
_SPECIAL = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
_PARTICLES = ("VAN DER", "VAN DEN", "VAN DE", "VAN", "VON", "DE LA", "DE", "DU", "LE", "LA")
_PARTICLE_WORDS = {word for particle in _PARTICLES for word in particle.split()} | {
    particle.replace(" ", "") for particle in _PARTICLES
}
_SHORTEST_REST = 3
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_NASAL_A, _NASAL_I, _NASAL_O = "1", "2", "3"
# How French is pronounced, from the first rule to the last.
_SOUND_RULES: tuple[tuple[str, str], ...] = (
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
_SOUNDS = tuple((re.compile(pattern), said) for pattern, said in _SOUND_RULES)


# A load folds the headings, the services, the units and the status of each row again.
@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return ``text`` without accents, apostrophes and hyphens, in capitals.

    >>> fold("D’Hôte-Noël")
    'D HOTE NOEL'
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    plain = "".join(filterfalse(unicodedata.combining, decomposed))
    return " ".join(_BETWEEN_WORDS.sub(" ", plain).upper().split())


def search_name(family_name: str, given_name: str) -> str:
    """Return the value of ``Patient.search_name``."""
    return f"{fold(family_name)} {fold(given_name)}".strip()[:LONGEST]


def search_given_name(family_name: str, given_name: str) -> str:
    """Return the value of ``Patient.search_given_name``: the same, given name first."""
    return f"{fold(given_name)} {fold(family_name)}".strip()[:LONGEST]


def search_sound(family_name: str, given_name: str) -> str:
    """Return the value of ``Patient.search_sound``: each word's key, with a space after each.

    Particles belong to the next word: ``Van den Berg`` sounds like ``Vandenberg``.
    """
    words = [*glued(fold(family_name).split()), *glued(fold(given_name).split())]
    return "".join(f"{key_of(word)} " for word in words)[:LONGEST]


def spellings(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the possible spellings of a name heard on the phone: together or apart.

    Args:
        words: folded, as typed; a result may hold several words in one string.

    >>> spellings(["DUPONT"])
    [('DUPONT',), ('DU PONT',)]
    >>> spellings(["VAN", "HOVE", "ANNE"])
    [('VAN', 'HOVE', 'ANNE'), ('VANHOVE', 'ANNE'), ('VAN HOVE', 'ANNE')]
    """
    typed = tuple(words)
    if len(typed) > MOST_WORDS:
        return [typed]
    together = glued(typed)
    found = [typed, together]
    for place, word in enumerate(together):
        found += [(*together[:place], apart, *together[place + 1 :]) for apart in _apart(word)]
    return list(dict.fromkeys(found))


def glued(words: Sequence[str]) -> tuple[str, ...]:
    """Write particles and the next word in one: ``VAN DEN BERG`` as ``VANDENBERG``."""
    together, open_particle = [], ""
    for word in words:
        if word in _PARTICLE_WORDS:
            open_particle += word
        else:
            together.append(open_particle + word)
            open_particle = ""
    return tuple([*together, open_particle] if open_particle else together)


def _apart(word: str) -> Iterator[str]:
    """Yield the ways to separate a name from its particle."""
    for particle in _PARTICLES:
        head = particle.replace(" ", "")
        rest = word.removeprefix(head)
        if rest != word and len(rest) >= _SHORTEST_REST:
            yield f"{particle} {rest}"
            if head != particle:
                yield f"{head} {rest}"


def key_of(word: str) -> str:
    """Return the sound of a word, as letters and digits; a word without letters stays as it is.

    >>> key_of("Dupond") == key_of("Dupont")
    True
    """
    folded = fold(word).replace(" ", "")
    key = folded
    for pattern, said in _SOUNDS:
        key = pattern.sub(said, key)
    return key or folded


def keys_of(words: Sequence[str]) -> list[str]:
    """Return the keys of the typed words, folded."""
    return [key_of(word) for word in glued(words)]
