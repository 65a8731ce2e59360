"""The house's own language: what is written down once is read by all, whoever wrote it."""

from django.conf import settings
from django.utils import translation

# In the session of whoever is not signed in yet: the language that they chose. Not the cookie,
# which outlives the person at a shared computer.
CHOSEN_LANGUAGE = "chosen_language"


def in_house(sentence: str) -> str:
    """Return a sentence (marked with ``gettext_noop``) in the house's language, to be stored."""
    with translation.override(settings.LANGUAGE_CODE):
        return translation.gettext(sentence)
