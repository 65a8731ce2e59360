"""Names folded for search: ASCII capitals, single spaces."""

import unicodedata

# Letters that Unicode does not decompose.
_SPECIAL = str.maketrans(
    {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)


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
