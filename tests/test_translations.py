"""French is the source; every other language is complete."""

import datetime as dt
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import ngettext

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


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr", "0 patient"), ("nl", "0 patiënten"), ("de", "0 Patienten"), ("en", "0 patients")],
)
def test_zero_takes_the_number_that_the_language_gives_it(language, said):
    with translation.override(language):
        text = ngettext(
            "%(counter)s patient",
            "%(counter)s patients",
            0,
        )
        assert said == text % {"counter": 0}


@pytest.mark.parametrize(
    ("language", "asked", "written"),
    [
        ("fr", "l j F Y", "lundi 16 mai 2022"),
        ("nl", "l j F Y", "maandag 16 mei 2022"),
        ("de", "l j F Y", "Montag, 16. Mai 2022"),
        ("de", "l j F H:i", "Montag, 16. Mai 00:00"),
        ("en", "l j F Y", "Monday 16 May 2022"),
        ("fr", "j F", "16 mai"),
        ("nl", "j F", "16 mei"),
        ("de", "j F", "16. Mai"),
        ("de", "D j/m H:i", "Mo 16.05. 00:00"),
        ("de", "d/m/Y", "16.05.2022"),
        ("nl", "d/m/Y", "16/05/2022"),
        ("fr", "D j b Y H:i:s", "lun 16 mai 2022 00:00:00"),
        ("de", "H:i", "00:00"),
    ],
)
def test_dates_are_written_as_the_language_writes_them(language, asked, written):
    day = dt.datetime(2022, 5, 16, tzinfo=ZoneInfo("Europe/Brussels"))
    with translation.override(language):
        assert date_format(day, asked).lower() == written.lower()
        shown = Template("{{ day|date:asked }}").render(Context({"day": day, "asked": asked}))
        assert shown.lower() == written.lower()


@pytest.mark.parametrize(
    ("language", "day", "asked", "written"),
    [
        ("fr", (2023, 1, 1), "l j F Y", "dimanche 1er janvier 2023"),
        ("fr", (2022, 2, 1), "j F", "1er février"),
        ("fr", (2022, 5, 31), "j F", "31 mai"),
        ("fr", (2022, 2, 1), "D j b Y H:i", "mar 1er fév 2022 00:00"),
        ("fr", (2022, 2, 1), "DATE_FORMAT", "1er février 2022"),
        ("fr", (2022, 2, 1), "j/m/Y", "1/02/2022"),
        ("nl", (2022, 2, 1), "j F", "1 februari"),
        ("de", (2022, 2, 1), "j F", "1. Februar"),
        ("en", (2022, 2, 1), "j F", "1 February"),
        ("en", (2022, 2, 1), "jS F", "1st February"),
    ],
)
def test_only_french_counts_the_first_of_a_month_apart(language, day, asked, written):
    moment = dt.datetime(*day, tzinfo=ZoneInfo("Europe/Brussels"))
    with translation.override(language):
        assert date_format(moment, asked).lower() == written.lower()


GLUED = re.compile(
    r"{% for [^%]*%}<(?:strong|b|em|span|a|small)\b[^>]*>[^\n]*</(?:strong|b|em|span|a|small)>"
    r"{% endfor %}"
)
# Runs of one text that the page itself joins on purpose.
JOINED = {"_preview.html": "the parts of one SMS"}


def test_no_loop_glues_the_words_it_shows_together():
    glued = {
        path.name: found[0]
        for path in Path("templates").rglob("*.html")
        if path.name not in JOINED and (found := GLUED.findall(path.read_text(encoding="utf-8")))
    }
    assert glued == {}


# What a translation of this house never says; the words it says stand in docs/french.md.
NOT_OURS = {
    "nl": r"[„‘’‚]|\bbevel|clausule|annulati|gedelegeerd|ontvangstbewijs|inlad|ingeladen|inlez"
    r"|ingelezen|\blading|afgegeven|geval per geval naar|\b(je|jij|jouw|jullie)\b",
    "de": r"Klausel|freiwillig|aufrechterh|Empfangsbestätigung|vermerk|\bTaste\b|Ladung"
    r"|Ladevorg|abgelehnte[rns]? Zeile|Mitteilungen eröffn|\b([Dd]u|[Dd]ein\w*|[Ii]hr seid)\b",
    "en": r"\bclauses?\b(?! tables)(?!.*\[\[)",
}
# A French word, and what its translation then holds, or does not.
SAID_ALIKE = (
    (
        "nl",
        r"\b[Mm]aint(?:en[ui]|ien)",
        r"(?i)handha|gaa[nt] door|laten doorgaan|mag komen",
        r"$^",
    ),
    (
        "de",
        r"\b[Mm]aint(?:en[ui]|ien)",
        r"(?i)beibeh|behalten Sie sie bei|behält.* bei|findet statt",
        r"$^",
    ),
    ("nl", r"\b[Aa]vis (?:ouverts?|retirés?|n°|%\()", r"(?i)kennisgeving", r"$^"),
    ("nl", r"à examiner\b", r"in beraad", r"geval per geval"),
    ("de", r"à examiner\b", r"(?i)in Prüfung", r"von Fall zu Fall"),
    ("en", r"à examiner\b", r"(?i)review", r"case by case"),
)
# Said of the catalogues' own matters: the models of the administration and the files of TOML.
TECHNICAL = {"clause", "clauses", "clause %(number)d", "de 1 à %(most)d tables [[clause]]"}


def pairs_of(language, found):
    """Yield each French form with its translation, as the placeholders leave them."""
    for message in merged(language, found):
        if not message.id or message.id in TECHNICAL:
            continue
        several = isinstance(message.id, tuple)
        yield from zip(
            message.id if several else (message.id,),
            message.string if several else (message.string,),
            strict=False,
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_word_stands_for_one_thing_in_each_language(found, language):
    bare = re.compile(r"%\(\w+\)\w")
    faults = [
        (french, said)
        for french, said in pairs_of(language, found)
        if re.search(NOT_OURS[language], bare.sub("", said))
        or any(
            re.search(word, french) and (not re.search(must, said) or re.search(never, said))
            for one, word, must, never in SAID_ALIKE
            if one == language
        )
    ]
    assert faults == []
