"""What the public reads of a bulletin: golden texts, and what people make of them."""

import datetime as dt

import pytest
from django.urls import reverse

from appointments.models import Bulletin
from appointments.public_text import (
    LANGUAGES,
    digest,
    made_from_orders,
    orders_of,
    text_that_holds,
)
from appointments.sentences import PlaceNames
from appointments.services import bulletins, public_texts
from appointments.services.clause_drafts import ClauseDraft
from staff.errors import AccessRefused, Refusal
from staff.models import AuditEvent
from tests.appointments.bulletin_pages import crisis, page, text_of
from tests.appointments.bulletins import RELEASE, THE_DAY, a_draft, in_force
from tests.appointments.bulletins import somebody_in_the_crisis_cell as somebody
from tests.builders import MONDAY, a_user
from tests.pages import fields_of

NAMES = PlaceNames({"arlon": "Arlon", "bertrix": "Bertrix", "virton": "Virton"}, {})
DAYS = tuple(MONDAY + dt.timedelta(days=number) for number in range(3))
CASTS = ClauseDraft("maintain", "nobody", sites=("arlon",), days=(MONDAY,), groups=("cast",))
BERTRIX_WORKS = ClauseDraft("maintain", "nobody", sites=("bertrix",))
NOT_TOLD = ClauseDraft("cancel", "nobody", services=("dialysis",))

FRENCH = """Information aux patients

Le lundi 16 mai 2022 :
- Consultations, radiologie, médecine nucléaire et centres Covid, tous les sites : annulés
- Opérations, tous les sites : au cas par cas
- Prises de sang, tous les sites : maintenues

Ce qui n'est pas cité a lieu comme prévu. Les urgences restent ouvertes.
Si votre rendez-vous est annulé, nous vous prévenons par SMS ou par téléphone.
« Au cas par cas » : un médecin décide pour chaque patient, et nous vous prévenons de sa \
décision."""

DUTCH = """Informatie voor patiënten

Van maandag 16 mei 2022 tot en met woensdag 18 mei 2022:
- Consultaties, radiologie, nucleaire geneeskunde en covidcentra, alle sites behalve Bertrix: \
geannuleerd
- Alle activiteiten, Bertrix: behouden
- Operaties, alle sites behalve Bertrix: geval per geval
- Bloedafnames, alle sites: behouden

Wat hier niet staat, gaat door zoals gepland. De spoedgevallendienst blijft open.
Is uw afspraak geannuleerd, dan verwittigen wij u per sms of telefoon.
"Geval per geval": een arts beslist voor elke patiënt, en wij brengen u op de hoogte van die \
beslissing."""

GERMAN = """Information für Patientinnen und Patienten

Von Montag, 16. Mai 2022 bis Dienstag, 17. Mai 2022:
- Alle Bereiche, Arlon, am Montag 16/05, Patienten mit Gips: beibehalten

Was hier nicht genannt ist, findet wie geplant statt. Die Notaufnahme bleibt geöffnet."""

ENGLISH = """Information for patients

On Monday 16 May 2022, on Wednesday 18 May 2022:
- All services except dialysis, Arlon, on Monday 16/05, patients with plaster cast: maintained
- Dialysis, Arlon, on Monday 16/05: cancelled (except patients with plaster cast: maintained)
- Dialysis, all sites, on Wednesday 18/05: cancelled
- Dialysis, all sites except Arlon: cancelled

Anything that is not mentioned here goes ahead as planned. The emergency departments stay open."""


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
    language: str, clauses: tuple[ClauseDraft, ...], days: tuple[dt.date, ...], golden: str
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
            public_texts.edit(
                bulletin_id=draft.pk,
                language="fr",
                text="a" * 5001,
                by=somebody("crise2"),
                seen=seen,
            )
        with pytest.raises(AccessRefused):
            public_texts.edit(
                bulletin_id=draft.pk,
                language="fr",
                text="Venez.",
                by=a_user("n", "nurse"),
                seen=seen,
            )
        assert self.stored(draft) == {}


CASTS_EVERYWHERE = ClauseDraft("maintain", "nobody", groups=("cast",))
