"""Names folded for search: ASCII capitals, single spaces."""

import unicodedata
from collections.abc import Iterator, Sequence

# Letters that Unicode does not decompose.
_SPECIAL = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
_PARTICLES = ("VAN DER", "VAN DEN", "VAN DE", "VAN", "VON", "DE LA", "DE", "DU", "LE", "LA")
_PARTICLE_WORDS = {word for particle in _PARTICLES for word in particle.split()} | {
    particle.replace(" ", "") for particle in _PARTICLES
}
_SHORTEST_REST = 3
MOST_WORDS = 5  # more words are not searched in other spellings


def fold(text: str) -> str:
    """Return ``text`` without accents, apostrophes and hyphens, in capitals.

    >>> fold("D’Hôte-Noël")
    'D HOTE NOEL'
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPECIAL))
    kept = (c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(kept).upper().split())


def search_name(family_name: str, given_name: str) -> str:
    """Return the value of ``Patient.search_name``."""
    return f"{fold(family_name)} {fold(given_name)}".strip()[:170]


def search_given_name(family_name: str, given_name: str) -> str:
    """Return the value of ``Patient.search_given_name``: the same, given name first."""
    return f"{fold(given_name)} {fold(family_name)}".strip()[:170]


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
