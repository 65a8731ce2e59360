"""Passwords that somebody who knows the hospital would try. Pure except Django's validator.

Django's own list holds the common passwords of the English-speaking world, written as they are
typed there. These are the words of French- and Dutch-speaking Belgium. They are also found with
digits and signs around them, and with letters written as digits.
"""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FEWEST_DIFFERENT = 6
MOST_COMMON_WORDS = 2  # at most so many common words are no password; a sentence of them may be one
_SHORTEST_NAME = 3
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_LOOKS_LIKE = str.maketrans("013457@$€!", "oieastasei")
# Our own choice: first guesses in Belgian hospitals, in French, Dutch and German.
_WRITTEN = """
    motdepasse passe password secret azerty azertyuiop qwerty qwertz qsdfghjklm wxcvbn abcdef
    bonjour bonsoir salut merci soleil amour jetaime doudou loulou chouchou coucou princesse
    chocolat vacances voiture maison famille printemps ete automne hiver noel vive changezmoi
    changermoi provisoire temporaire nouveau ouvretoi sesame welcome
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    lundi mardi mercredi jeudi vendredi samedi dimanche
    belgique belgie belgium bruxelles brussel wallonie vlaanderen ardenne ardennes luxembourg
    liege namur arlon bastogne bertrix libramont marche virton anderlecht standard diablesrouges
    hopital hopitaux clinique vivalia continuite continuity medecin docteur infirmier infirmiere
    infirmieres secretariat secretaire urgence urgences patient patients sante cellule crise
    chirurgie cardiologie radiologie consultation admin administrateur utilisateur
    wachtwoord welkom hallo zomer winter lente herfst ziekenhuis dokter verpleegkundige liefde
    januari februari maart mei juni juli augustus oktober december maandag dinsdag woensdag
    passwort willkommen krankenhaus sommer
"""
COMMON_WORDS = frozenset(_WRITTEN.split())


class GuessableValidator:
    """Refuses repeated characters, common Belgian words and the person's own name."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that can be guessed.

        Args:
            password: as typed.
            user: the owner; their names count as common words.

        Raises:
            ValidationError: says what is wrong with it.
        """
        fault = why_guessable(password, names=_names(user))
        if fault:
            raise ValidationError(fault, code="password_guessable")

    def get_help_text(self) -> str:
        """Return the rules for a password."""
        return _(
            "Ni votre nom, ni un mot courant avec des chiffres, ni les mêmes signes répétés : "
            "quelques mots sans lien entre eux conviennent."
        )


def why_guessable(password: str, *, names: frozenset[str] = frozenset()) -> str:
    """Return why a password would be guessed; empty when it would not.

    Args:
        password: as typed.
        names: names of the person, folded to lower-case letters.
    """
    if len(set(password)) < FEWEST_DIFFERENT or _is_repeated(password):
        return _("Ce mot de passe répète les mêmes signes. Prenez quelques mots sans lien.")
    if _is_row(password):
        return _("Ce mot de passe suit l'ordre des chiffres ou des lettres. Prenez autre chose.")
    # Digits before and behind a word are digits; within it they may stand for letters.
    word = _AROUND.sub("", password)
    spoken = {fold(one) for one in (password, word.translate(_LOOKS_LIKE))}
    if any(_is_made_of(letters, COMMON_WORDS | names) for letters in spoken):
        return _(
            "Ce mot de passe n'est qu'un mot courant, ou votre nom, avec des chiffres. Prenez "
            "quelques mots sans lien."
        )
    return ""


def fold(text: str) -> str:
    """Return the letters of a text, lower case, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z]", "", plain)


def _names(user: Any) -> frozenset[str]:
    written = [getattr(user, name, "") for name in ("username", "first_name", "last_name")]
    parts = [fold(part) for one in written for part in (one, *re.split(r"[\s.\-_']+", one))]
    return frozenset(part for part in parts if len(part) >= _SHORTEST_NAME)


def _is_repeated(password: str) -> bool:
    """Whether a password repeats one piece."""
    return (password + password).find(password, 1) < len(password)


def _is_row(password: str) -> bool:
    """Whether nearly all its characters follow the one before: 123456789012, abcdefghijkl."""
    steps = [
        ord(after) - ord(before) for before, after in zip(password, password[1:], strict=False)
    ]
    in_row = sum(step in (1, -1) for step in steps)
    return bool(steps) and in_row >= 0.7 * len(steps)


def _is_made_of(letters: str, words: frozenset[str]) -> bool:
    """Whether a text is at most two of the words, one after the other, and nothing else."""
    if not letters:
        return True  # digits and signs alone
    reach = {0}
    for _word in range(MOST_COMMON_WORDS):
        reach = {
            start + len(word)
            for start in reach
            for word in words
            if letters.startswith(word, start)
        }
        if len(letters) in reach:
            return True
    return False
