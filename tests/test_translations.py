"""French is the source; every other language is complete."""

import pytest

from scripts.messages import LANGUAGES, merged, sentences, untranslated


@pytest.fixture(scope="module")
def found():
    """Read every sentence of code and templates."""
    return sentences()


def test_sentences_are_found_in_code_templates_and_rules(found):
    messages = {message.id for message in found}
    assert "Se déconnecter" in messages  # a template
    assert "Consultation" in messages  # a model
    assert "Le bulletin maintient ce rendez-vous." in messages  # the rules


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(found, language):
    assert untranslated(merged(language, found)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_their_placeholders(found, language):
    faults = [
        (message.id, str(error))
        for message, errors in merged(language, found).check()
        for error in errors
    ]
    assert faults == []
