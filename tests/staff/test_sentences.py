"""A sentence that is stored is translated when it is shown, and comes back as it was stored."""

import datetime as dt
import json

import pytest
from django.utils import translation

from staff.sentences import (
    Sentence,
    SentenceDecoder,
    SentenceEncoder,
    SentenceField,
    ShownDay,
    joined,
)

TOO_LONG = Sentence("Trop long : %(longest)s caractères au plus.") % {"longest": 80}
NO_SITE = Sentence("Site inconnu. Sites connus : %(sites)s.") % {"sites": "arlon"}
# What only these tests say has no translation, and is its own.
NESTED = Sentence("%(column)s : %(why)s") % {"column": "Nom", "why": TOO_LONG}
ON_A_DAY = Sentence("%(day)s %(short)s") % {
    "day": ShownDay(dt.date(2022, 5, 16), "l j F Y"),
    "short": ShownDay(dt.date(2022, 5, 16)),
}
ROWS = [Sentence("%(n)s ligne", "%(n)s lignes", n) % {"n": n} for n in (0, 1, 2)]
ALL = [TOO_LONG, NESTED, ON_A_DAY, *ROWS, Sentence("Patients")]


@pytest.mark.parametrize(
    ("language", "read"),
    [
        ("fr", "Nom : Trop long : 80 caractères au plus."),
        ("nl", "Nom: Te lang: hoogstens 80 tekens."),
        ("de", "Nom: Zu lang: höchstens 80 Zeichen."),
        ("en", "Nom: Too long: 80 characters at most."),
    ],
)
def test_it_is_read_in_the_language_of_the_reader_with_what_it_holds(language, read):
    with translation.override(language):
        assert str(NESTED) == read


@pytest.mark.parametrize(
    ("language", "read"),
    [
        ("fr", "lundi 16 mai 2022 16/05/2022"),
        ("nl", "maandag 16 mei 2022 16/05/2022"),
        ("de", "Montag, 16. Mai 2022 16.05.2022"),
        ("en", "Monday 16 May 2022 16/05/2022"),
    ],
)
def test_a_day_in_it_is_written_as_the_language_writes_it(language, read):
    with translation.override(language):
        assert str(ON_A_DAY).lower() == read.lower()


@pytest.mark.parametrize(
    ("language", "read"),
    [
        ("fr", ["0 ligne", "1 ligne", "2 lignes"]),
        ("nl", ["0 rijen", "1 rij", "2 rijen"]),
        ("de", ["0 Zeilen", "1 Zeile", "2 Zeilen"]),
        ("en", ["0 rows", "1 row", "2 rows"]),
    ],
)
def test_what_it_counts_is_singular_where_the_language_says_so(language, read):
    with translation.override(language):
        assert [str(one) for one in ROWS] == read


@pytest.mark.parametrize("sentence", ALL, ids=str)
def test_it_comes_back_from_a_column_and_from_json_as_it_was(sentence):
    field = SentenceField()
    assert field.from_db_value(field.get_prep_value(sentence)) == sentence
    held = {"sheets": [{"left_out": sentence}]}
    assert json.loads(json.dumps(held, cls=SentenceEncoder), cls=SentenceDecoder) == held


@pytest.mark.parametrize(
    "text",
    ["", "Faux.", '{"said": "non"}', '{"said": ', '{"said": "%(x)s", "with": [1]}', "100 % faux"],
)
def test_plain_text_stays_as_it_is_even_where_it_looks_like_a_sentence(text):
    field = SentenceField()
    assert str(field.from_db_value(field.get_prep_value(text))) == text
    with translation.override("nl"):
        assert str(field.from_db_value(field.get_prep_value(text))) == text


def test_several_become_one_and_none_become_nothing():
    assert joined([]) == joined(["", ""]) == ""
    assert joined([TOO_LONG]) == TOO_LONG
    said = joined([TOO_LONG, "", "Pour 100 %."])
    with translation.override("nl"):
        assert str(said) == "Te lang: hoogstens 80 tekens. Pour 100 %."


def test_a_sentence_without_values_may_hold_a_sign_of_percent():
    assert str(Sentence("100 % des lignes")) == "100 % des lignes"


def test_two_that_say_the_same_are_one():
    again = Sentence("Trop long : %(longest)s caractères au plus.") % {"longest": 80}
    assert list(dict.fromkeys([TOO_LONG, again, NO_SITE])) == [TOO_LONG, NO_SITE]
