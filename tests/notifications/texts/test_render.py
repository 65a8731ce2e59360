"""The sentences patients get: clear, short, and nothing medical."""

import datetime as dt
import itertools

import pytest

from appointments.models import ProtectedGroup, Service
from notifications.models import MessageKind, MessageText
from notifications.rules import count
from notifications.texts import render as texts
from notifications.texts import wording
from notifications.texts.cost import reckon
from notifications.texts.forbidden_words import medical_words_in
from notifications.texts.preview import Draft
from patients.models import Language
from tests.builders import at

pytestmark = pytest.mark.django_db

LANGUAGES = Language.values
CALLBACK = "+3263231111"  # as long as a Belgian hospital's number gets
REFERENCE = "223K-7QF"
DAYS = [dt.date(2022, 5, 15) + dt.timedelta(days=n) for n in range(7)]
COME = {"fr": "Venez", "nl": "Kom wel", "de": "Bitte kommen", "en": "Come"}
DO_NOT_COME = {
    "fr": "Ne venez pas",
    "nl": "Kom niet",
    "de": "Bitte nicht kommen",
    "en": "Do not come",
}


def a_text(language: str, *words: str, day: dt.date = DAYS[1]) -> str:
    """Return the SMS about appointments at 9:10, 11:10, …"""
    lines = [
        texts.MessageItem(at(f"{day} {9 + 2 * place:02}:10"), word)
        for place, word in enumerate(words)
    ]
    return texts.body(
        language=language,
        day=day,
        lines=lines,
        callback_number=CALLBACK,
        reference=REFERENCE,
    )


SEPTETS_OF_THE_SHIPPED = {
    ("fr", "cancelled"): (137, 160),
    ("fr", "maintained"): (137, 160),
    ("fr", "mixed"): (125, 143),
    ("nl", "cancelled"): (131, 157),
    ("nl", "maintained"): (134, 158),
    ("nl", "mixed"): (126, 144),
    ("de", "cancelled"): (133, 160),
    ("de", "maintained"): (129, 155),
    ("de", "mixed"): (134, 154),
    ("en", "cancelled"): (132, 158),
    ("en", "maintained"): (130, 156),
    ("en", "mixed"): (128, 148),
}


class TestTheShippedTexts:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_one_and_two_appointments_fit_one_part_whatever_the_words_and_the_day(
        self, language
    ) -> None:
        words = ["cancelled", "maintained"]
        said = [(word,) for word in words] + list(itertools.product(words, repeat=2))
        for day, these in itertools.product(DAYS, said):
            text = a_text(language, *these, day=day)
            counted = count(text)
            assert (counted.encoding, counted.parts) == ("gsm7", 1), text

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", ["cancelled", "maintained", "mixed"])
    def test_four_appointments_at_the_longest_number_fit_one_part_too(self, language, kind) -> None:
        body = texts.shipped(language, kind)
        longest = Draft(language, kind, body).longest(day=DAYS[0], numbers=["+32", CALLBACK])
        reckoning = reckon(longest)
        assert len(reckoning.parts) == 1, f"{reckoning.units} septets: {longest}"
        assert reckoning.characters == (), "nothing in a shipped text costs or is replaced"

    def test_their_septets_are_these(self) -> None:
        """For one appointment (two for a mixed text), and for four: the room is 160."""
        said = {"cancelled": ["cancelled"], "maintained": ["maintained"]}
        said["mixed"] = [*said["cancelled"], *said["maintained"]]
        figures = {}
        for language, (kind, words) in itertools.product(LANGUAGES, said.items()):
            few = max(count(a_text(language, *words, day=day)).units for day in DAYS)
            draft = Draft(language, kind, texts.shipped(language, kind))
            most = draft.longest(day=DAYS[0], numbers=[CALLBACK])
            figures[language, kind] = (few, count(most).units)
        assert figures == SEPTETS_OF_THE_SHIPPED

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", MessageKind.values)
    def test_they_pass_the_rules_that_edited_texts_must_pass(self, language, kind) -> None:
        assert wording.faults(kind=kind, body=texts.shipped(language, kind)) == []

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_cancelled_says_do_not_come_and_maintained_says_come(self, language) -> None:
        assert DO_NOT_COME[language] in a_text(language, "cancelled")
        assert COME[language] in a_text(language, "maintained")
        assert DO_NOT_COME[language] not in a_text(language, "maintained")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_each_carries_hospital_number_and_reference(self, language) -> None:
        text = a_text(language, "cancelled", "maintained")
        assert text.startswith("Vivalia: ")
        assert "+32 63 23 11 11" in text
        assert text.endswith(REFERENCE)

    def test_maintained_overrules_an_earlier_message(self) -> None:
        assert "malgré tout avis d'annulation" in a_text("fr", "maintained")


class TestDatesAndTimes:
    def test_the_day_is_written_as_the_language_writes_it(self) -> None:
        day_of = {lang: a_text(lang, "cancelled").split("16")[0][-4:] for lang in LANGUAGES}
        assert day_of == {"fr": "un. ", "nl": " ma ", "de": "Mo. ", "en": "Mon "}

    def test_two_times_are_joined_and_the_plural_is_used(self) -> None:
        assert "vos rendez-vous du lun. 16/05 à 09:10 et 11:10 sont ANNULÉS" in a_text(
            "fr", "cancelled", "cancelled"
        )

    def test_times_are_those_of_brussels(self) -> None:
        line = texts.MessageItem(dt.datetime(2022, 5, 16, 7, 10, tzinfo=dt.UTC), "cancelled")
        facts = {"day": DAYS[1], "callback_number": CALLBACK, "reference": REFERENCE}
        assert "à 09:10 est" in texts.body(language="fr", lines=[line], **facts)

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_midnight_is_an_unknown_hour_and_is_not_told(self, language) -> None:
        text = texts.body(
            language=language,
            day=DAYS[1],
            lines=[texts.MessageItem(at(f"{DAYS[1]} 00:00"), "cancelled")],
            callback_number=CALLBACK,
            reference=REFERENCE,
        )
        assert "--:--" in text
        assert "00:00" not in text
        assert count(text).parts == 1

    def test_what_is_cancelled_and_what_is_maintained_are_told_apart(self) -> None:
        text = a_text("fr", "cancelled", "maintained", "cancelled")
        assert "ANNULÉ, ne venez pas: 09:10 et 13:10. MAINTENU, venez: 11:10." in text

    def test_a_language_that_nobody_wrote_is_answered_in_french(self) -> None:
        assert a_text("xx", "cancelled") == a_text("fr", "cancelled")


class TestEditedTexts:
    def test_an_edited_text_replaces_the_shipped_one(self) -> None:
        MessageText.objects.create(
            language="fr", kind="cancelled", body="{day} {times} annulé {number} {reference}"
        )
        texts.forget()
        assert a_text("fr", "cancelled").startswith("lun. 16/05 09:10 annulé")

    def test_the_texts_are_not_read_for_each_message(self, django_assert_num_queries) -> None:
        texts.forget()
        with django_assert_num_queries(1):
            for _ in range(100):
                a_text("fr", "cancelled")


class TestWhatATextMayNotSay:
    GOOD = "{hospital} {day} {times} {number} {reference}"

    @pytest.mark.parametrize(
        ("body", "complaint"),
        [
            ("{hospital} {day} {times} {number}", "Il manque {reference}"),
            ("{day} {times} {number} {reference}", "Il manque {hospital}"),
            ("{hospital} {day} {times} {reference}", "Il manque {number}"),
            (GOOD + " {doctor}", "Variable inconnue : doctor"),
            (GOOD + " {day", "accolade"),
            (GOOD + " chez le Dr Lambert", "retirez dr"),
            (GOOD + " {consultation|consultations}", "retirez consultation"),
            (GOOD + " en Cardiologie", "retirez cardiologie"),
            (GOOD + " Ihre Röntgenaufnahme", "retirez rontgenaufnahme"),
            (GOOD + " uw bloedafname", "retirez bloedafname"),
        ],
    )
    def test_it_is_refused_with_the_reason(self, body, complaint) -> None:
        (fault,) = wording.faults(kind="cancelled", body=body)
        assert complaint in fault

    def test_a_plain_text_is_fine(self) -> None:
        assert wording.faults(kind="cancelled", body=self.GOOD + " panne informatique") == []

    def test_a_mixed_text_needs_both_lists_of_times(self) -> None:
        (unknown, missing) = wording.faults(kind="mixed", body=self.GOOD)
        assert "times" in unknown
        assert "{cancelled_times}" in missing

    def test_every_service_and_protected_group_counts_as_medical(self) -> None:
        unsaid = [Service.OTHER]
        labels = [s.label for s in Service if s not in unsaid]
        labels += [group.label for group in ProtectedGroup]
        codes = [s.value.replace("_", " ") for s in Service if s not in unsaid]
        for words in [*map(str, labels), *codes]:
            assert medical_words_in(words), words
