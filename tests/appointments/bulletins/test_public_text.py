"""What the public reads of a bulletin: golden texts, and what people make of them."""

import datetime as dt
import html

import pytest
from django.urls import reverse

from appointments.bulletins import public_text as public_texts
from appointments.bulletins import services as bulletins
from appointments.bulletins.public_text import (
    LANGUAGES,
    after_its_end,
    digest,
    made_after_its_end,
    made_from_orders,
    orders_of,
    text_that_holds,
)
from appointments.bulletins.sentences import PlaceNames
from appointments.models import Bulletin
from appointments.operations import services as operations
from appointments.rules import ClauseTerms
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import RELEASE, THE_DAY, a_draft, in_force, withdrawn
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell as somebody
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_user, an_appointment, at
from tests.pages import fields_of

NAMES = PlaceNames({"arlon": "Arlon", "bertrix": "Bertrix", "virton": "Virton"}, {})
DAYS = tuple(MONDAY + dt.timedelta(days=number) for number in range(3))
CASTS = ClauseTerms("maintain", "nobody", sites=("arlon",), days=(MONDAY,), groups=("cast",))
BERTRIX_WORKS = ClauseTerms("maintain", "nobody", sites=("bertrix",))
NOT_TOLD = ClauseTerms("cancel", "nobody", services=("dialysis",))

FRENCH = """Information aux patients

Le lundi 16 mai 2022 :
- Consultations, radiologie, médecine nucléaire et centres Covid, tous les sites : annulés
- Opérations, tous les sites : au cas par cas
- Prises de sang, tous les sites : maintenues

Ce qui n'est pas cité a lieu comme prévu, sauf ce qu'un médecin a annulé ou reporté. \
Les urgences restent ouvertes.
Si votre rendez-vous est annulé, nous vous prévenons par SMS ou par téléphone.
« Au cas par cas » : un médecin décide pour chaque patient, et nous vous prévenons de sa \
décision."""

DUTCH = """Informatie voor patiënten

Van maandag 16 mei 2022 tot en met woensdag 18 mei 2022:
- Consultaties, radiologie, nucleaire geneeskunde en covidcentra, alle sites behalve Bertrix: \
geannuleerd
- Alle activiteiten, Bertrix: gehandhaafd
- Operaties, alle sites behalve Bertrix: geval per geval
- Bloedafnames, alle sites: gehandhaafd

Wat hier niet staat, gaat door zoals gepland, behalve wat een arts heeft geannuleerd of \
uitgesteld. \
De spoedgevallendienst blijft open.
Is uw afspraak geannuleerd, dan verwittigen wij u per sms of telefoon.
"Geval per geval": een arts beslist voor elke patiënt, en wij brengen u op de hoogte van die \
beslissing."""

GERMAN = """Information für Patientinnen und Patienten

Von Montag, 16. Mai 2022 bis Dienstag, 17. Mai 2022:
- Alle Bereiche, Arlon, am Montag 16.05., Patienten mit Gips: beibehalten

Was hier nicht genannt ist, findet wie geplant statt, außer was ein Arzt abgesagt oder \
verschoben hat. \
Die Notaufnahme bleibt geöffnet."""

ENGLISH = """Information for patients

On Monday 16 May 2022, on Wednesday 18 May 2022:
- All services except dialysis, Arlon, on Monday 16/05, patients with plaster cast: maintained
- Dialysis, Arlon, on Monday 16/05: cancelled (except patients with plaster cast: maintained)
- Dialysis, all sites, on Wednesday 18/05: cancelled
- Dialysis, all sites except Arlon: cancelled

Anything that is not mentioned here goes ahead as planned, except what a doctor cancelled or \
postponed. \
The emergency departments stay open."""


@pytest.mark.parametrize(
    ("language", "clauses", "days", "golden"),
    [
        ("fr", THE_DAY, DAYS[:1], FRENCH),
        ("nl", (*THE_DAY, BERTRIX_WORKS), DAYS, DUTCH),
        ("de", (CASTS,), DAYS[:2], GERMAN),
        ("en", (CASTS, NOT_TOLD), (DAYS[0], DAYS[2]), ENGLISH),
    ],
)
def test_the_orders_give_the_text_of_each_language(
    language: str, clauses: tuple[ClauseTerms, ...], days: tuple[dt.date, ...], golden: str
) -> None:
    assert made_from_orders(language, orders_of(clauses, NAMES, days)) == golden


def test_nothing_is_said_of_who_may_keep_or_is_told() -> None:
    for language in LANGUAGES:
        text = made_from_orders(language, orders_of(THE_DAY, NAMES, DAYS[:1]))
        for word in ("garder", "tranche", "behouden door", "Medi", "18:00"):
            assert word not in text


def test_what_somebody_wrote_holds_and_is_stale_once_the_clauses_change() -> None:
    stored = {"fr": {"text": "Venez.", "made_from": digest("un")}}
    fresh, stale = (text_that_holds(stored, "fr", generated) for generated in ("un", "deux"))
    assert (fresh.text, fresh.is_edited, fresh.is_stale) == ("Venez.", True, False)
    assert (stale.text, stale.generated, stale.is_stale) == ("Venez.", "deux", True)
    other = text_that_holds(stored, "nl", "een")
    assert (other.text, other.is_edited, other.is_stale) == ("een", False, False)


LIFTED = {
    "fr": "Le lundi 16 mai 2022 : l'avis est levé, tous les rendez-vous ont lieu comme prévu.",
    "nl": "Op maandag 16 mei 2022: het bericht is ingetrokken, alle afspraken gaan door zoals "
    "gepland.",
    "de": "Am Montag, 16. Mai 2022: Die Mitteilung ist aufgehoben, alle Termine finden wie "
    "geplant statt.",
    "en": "On Monday 16 May 2022: the notice is lifted, all appointments go ahead as planned.",
}
PARTLY_RULED = """Information aux patients

Le lundi 16 mai 2022, le mercredi 18 mai 2022 : l'avis est levé, tous les rendez-vous ont lieu \
comme prévu, sauf ceux qu'un médecin a annulés ou reportés.

Le mardi 17 mai 2022 (avis en vigueur) :
- Dialyses, tous les sites : annulées

Ce qui n'est pas cité a lieu comme prévu, sauf ce qu'un médecin a annulé ou reporté. \
Les urgences restent ouvertes."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_lifted_is_said_to_take_place_in_each_language(language: str) -> None:
    text = made_after_its_end(language, [], DAYS[:1], has_exceptions=False)
    assert text.split("\n\n")[1] == LIFTED[language]
    excepted = made_after_its_end(language, [], DAYS[:1], has_exceptions=True)
    assert excepted.split("\n\n")[1].startswith(LIFTED[language].removesuffix(".") + ", ")


def test_days_that_another_bulletin_rules_now_are_told_apart() -> None:
    ruling = [orders_of((NOT_TOLD,), NAMES, DAYS[1:2])]
    text = made_after_its_end("fr", ruling, [DAYS[0], DAYS[2]], has_exceptions=True)
    assert text == PARTLY_RULED


@pytest.mark.django_db
@pytest.mark.usefixtures("saturday_noon")
class TestAfterItsEnd:
    def shown(self, bulletin: Bulletin) -> tuple[str, str]:
        """Return what the page says of now, and of then."""
        text = html.unescape(text_of(page(crisis(), "bulletin", bulletin.pk)))
        now, mark, then = text.partition("Ancien texte public")
        assert mark
        return now, then

    def test_a_withdrawn_bulletin_says_that_everything_takes_place(self) -> None:
        now, then = self.shown(withdrawn(in_force().pk))
        for sentence in LIFTED.values():
            assert sentence in now
        assert "sauf ceux" not in now
        assert "Ce qu'il ordonnait" in now
        assert "Ce texte n'est plus vrai" in then
        assert "médecine nucléaire et centres Covid, tous les sites : annulés" in then
        assert "Écrire ce texte autrement" not in now + then

    def test_what_a_person_cancelled_is_named_as_the_exception(self) -> None:
        operation = an_appointment(service="surgery")
        bulletin = in_force()
        director = a_user("director", "medical_director")
        operations.rule(
            appointment_id=operation.pk, outcome="cancelled", reason="Trop risqué", by=director
        )
        now, _then = self.shown(withdrawn(bulletin.pk))
        assert "comme prévu, sauf ceux qu'un médecin a annulés ou reportés." in now

    def test_a_superseded_bulletin_gives_the_orders_that_hold_now(self) -> None:
        old = in_force()
        new = in_force(CASTS_EVERYWHERE)
        old.refresh_from_db()
        now, _then = self.shown(old)
        assert "Le lundi 16 mai 2022 (avis en vigueur) :" in now
        assert "- Toutes les activités, tous les sites, patients avec plâtre : maintenues" in now
        assert reverse("bulletin", args=[new.pk]) in now
        assert "l'avis est levé" not in now

    def test_a_bulletin_in_force_says_nothing_of_the_kind(self) -> None:
        shown = html.unescape(text_of(page(crisis(), "bulletin", in_force().pk)))
        assert "Ancien texte public" not in shown
        assert "Ce qu'il ordonne" in shown

    def test_once_its_days_are_past_there_is_nothing_to_announce(self, saturday_noon) -> None:
        bulletin = withdrawn(in_force().pk)
        saturday_noon.move_to(at("2022-05-17 08:00"))
        now, _then = self.shown(bulletin)
        assert "il n'y a plus rien à annoncer" in now
        assert "l'avis est levé" not in now

    def test_its_text_is_not_written_any_more(self) -> None:
        bulletin = withdrawn(in_force().pk)
        answer = page(crisis(), "bulletin_text", bulletin.pk, "fr")
        assert answer.url == reverse("bulletin", args=[bulletin.pk])
        with pytest.raises(Refusal, match="ne vaut plus"):
            public_texts.edit_public_text(
                bulletin_id=bulletin.pk, language="fr", text="x", by=somebody("crise2"), seen="x"
            )

    def test_the_number_of_queries_does_not_grow(self, django_assert_num_queries) -> None:
        bulletin = withdrawn(in_force(last_day=DAYS[2]).pk)
        with django_assert_num_queries(2):  # nothing rules
            after_its_end(bulletin, NAMES)
        for day in DAYS[:2]:
            in_force(first_day=day, last_day=day)
        with django_assert_num_queries(3):
            after_its_end(bulletin, NAMES)


@pytest.mark.django_db
@pytest.mark.usefixtures("saturday_noon")
class TestWriting:
    def open(self, bulletin: Bulletin, language: str = "fr") -> dict[str, list[str]]:
        """Return the fields of the form as it was shown."""
        return fields_of(
            text_of(page(crisis(), "bulletin_text", bulletin.pk, language)), having="text"
        )

    def save(self, bulletin: Bulletin, fields: dict, language: str = "fr"):
        return crisis().post(reverse("bulletin_text", args=[bulletin.pk, language]), fields)

    def stored(self, bulletin: Bulletin) -> dict:
        return Bulletin.objects.get(pk=bulletin.pk).public_texts

    def test_the_page_of_a_bulletin_shows_all_four(self) -> None:
        shown = text_of(page(crisis(), "bulletin", in_force().pk))
        for words in (
            "Information aux patients",
            "Informatie voor",
            "Information für",
            "Information for",
        ):
            assert words in shown

    @pytest.mark.parametrize("make", [a_draft, in_force])
    def test_somebody_writes_it_otherwise_and_the_trail_knows(self, make) -> None:
        bulletin = make()
        response = self.save(bulletin, self.open(bulletin) | {"text": " Venez.  \r\n\r\nMerci. "})
        assert response.url == reverse("bulletin", args=[bulletin.pk])
        assert self.stored(bulletin)["fr"]["text"] == "Venez.\n\nMerci."
        event = AuditEvent.objects.latest("sequence")
        assert (event.action, event.detail) == (
            "bulletin.text_edited",
            {"language": "fr", "by_hand": True},
        )
        shown = text_of(page(crisis(), "bulletin", bulletin.pk))
        assert "<p>Venez.</p>" in shown
        assert "Texte public (fr) écrit par crise2" in shown
        assert "écrit à la main" in shown

    def test_what_the_clauses_say_anyway_stays_theirs(self) -> None:
        draft = a_draft()
        self.save(draft, self.open(draft))
        assert self.stored(draft) == {}

    @pytest.mark.parametrize("back", [{"text": ""}, {"reset": "1"}])
    def test_it_can_be_left_to_the_clauses_again(self, back: dict[str, str]) -> None:
        draft = a_draft()
        self.save(draft, self.open(draft) | {"text": "Venez."})
        self.save(draft, self.open(draft) | back)
        assert self.stored(draft) == {}
        assert "rendu d'office par crise2" in text_of(page(crisis(), "bulletin", draft.pk))

    def test_two_who_write_at_once_do_not_overwrite_each_other(self) -> None:
        draft = a_draft()
        first, second = self.open(draft), self.open(draft)
        self.save(draft, first | {"text": "Du premier."})
        crossed = self.save(draft, second | {"text": "Du second."})
        assert crossed.status_code == 409
        for words in ("Ce texte a changé entre-temps", "<p>Du premier.</p>", "Du second."):
            assert words in text_of(crossed)
        assert self.stored(draft)["fr"]["text"] == "Du premier."
        self.save(draft, fields_of(text_of(crossed), having="text"))
        assert self.stored(draft)["fr"]["text"] == "Du second."

    def test_other_languages_are_left_alone(self) -> None:
        draft = a_draft()
        opened = self.open(draft, "nl")
        self.save(draft, self.open(draft) | {"text": "Venez."})
        self.save(draft, opened | {"text": "Kom."}, "nl")
        assert {code: one["text"] for code, one in self.stored(draft).items()} == {
            "fr": "Venez.",
            "nl": "Kom.",
        }

    def test_who_approves_reads_that_the_clauses_changed_since(self) -> None:
        draft = a_draft()
        self.save(draft, self.open(draft) | {"text": "Venez."})
        bulletins.redraft(
            bulletin_id=draft.pk,
            by=somebody("crise1"),
            title=draft.title,
            first_day=MONDAY,
            last_day=MONDAY,
            release_at=RELEASE,
            clauses=[CASTS_EVERYWHERE],
        )
        shown = text_of(page(crisis(), "bulletin_approve", draft.pk))
        assert "Ce que le bulletin ordonne a changé depuis que ce texte a été écrit" in shown
        assert "<p>Venez.</p>" in shown

    def test_a_language_that_there_is_not_is_not_found(self) -> None:
        assert page(crisis(), "bulletin_text", a_draft().pk, "es").status_code == 404

    def test_it_is_not_endless_and_not_for_everybody(self) -> None:
        draft, seen = a_draft(), "x"
        seen = self.open(draft)["seen"][0]
        with pytest.raises(Refusal, match="5000 au plus"):
            public_texts.edit_public_text(
                bulletin_id=draft.pk,
                language="fr",
                text="a" * 5001,
                by=somebody("crise2"),
                seen=seen,
            )
        with pytest.raises(AccessRefused):
            public_texts.edit_public_text(
                bulletin_id=draft.pk,
                language="fr",
                text="Venez.",
                by=a_user("n", "nurse"),
                seen=seen,
            )
        assert self.stored(draft) == {}


CASTS_EVERYWHERE = ClauseTerms("maintain", "nobody", groups=("cast",))
