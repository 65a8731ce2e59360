"""What the page says, and that it needs nothing from elsewhere."""

import re

import pytest
from django.utils import translation

from appointments.feeds.data_age import DataAge
from appointments.paper.words import for_browser, self_contained
from tests.appointments.paper.sheets import PRINTED_AT, a_row, a_sheet, by_clause
from tests.builders import at


def text_of(page: str) -> str:
    """Return the words of a page, spaces evened out."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u00a0", " ").split())


def test_a_row_says_who_when_what_and_on_whose_word():
    row = a_row(act="Holter", told="open", **by_clause("maintained"))
    said = text_of(self_contained(a_sheet(row)))
    assert (
        "1 09:10 ESSAI1 Anne 01/01/1960 (62 ans) dossier D00001 Holter Dr Anne Collignon "
        "maintenu bulletin 3, point 2 0495 12 34 56 à prévenir" in said
    )


def test_a_row_says_what_sets_the_patient_apart_and_why_somebody_decided():
    row = a_row(
        minutes=45,
        groups=("cast", "diabetes"),
        priority="urgent",
        language="de",
        reason="Plaie à revoir",
        phones=(("+32495123456", ""), ("+3263223344", "fille")),
        **by_clause("maintained"),
    )
    said = text_of(self_contained(a_sheet(row)))
    for words in ("45 min", "urgente", "plâtre", "diabète", "parle allemand", "« Plaie à revoir »"):
        assert words in said, words
    assert "063 22 33 44 (fille)" in said
    assert "parle" not in text_of(self_contained(a_sheet(a_row())))


def test_the_columns_are_those_of_the_form_and_there_is_room_for_who_has_no_appointment():
    said = text_of(self_contained(a_sheet(a_row(1), a_row(2, starts="08:00"))))
    assert "Arrivé à Fait à Pas venu Parti, non vu À noter" in said
    assert "1 08:00 ESSAI2" in said
    assert "2 09:10 ESSAI1" in said
    assert "Venus sans rendez-vous : nom, date de naissance, heure A B C D E" in said


def test_what_is_under_review_can_be_ruled_by_hand():
    reviewed, kept = (
        text_of(self_contained(a_sheet(a_row(**by_clause(outcome)))))
        for outcome in ("under_review", "maintained")
    )
    assert "maintenu annulé par :" in reviewed
    assert "par :" not in kept


def test_the_head_says_unit_site_day_version_and_what_it_replaces():
    said = text_of(self_contained(a_sheet(a_row()).numbered(2)))
    assert "Cardiologie Arlon lundi 16 mai 2022 version 2 remplace la version 1, à détruire" in said
    assert "Cardiologie (Arlon) – lundi 16 mai 2022 – version 2" in said


def test_a_page_under_no_version_says_so():
    assert "provisoire, sans numéro" in text_of(for_browser(a_sheet(a_row(), version=0)))


def test_the_data_age_is_stated_and_loud_when_too_old():
    fresh, old = (
        self_contained(a_sheet(a_row())),
        self_contained(a_sheet(a_row(), hours=61, is_old=True)),
    )
    assert "soit 13 h 53 avant cette feuille" in text_of(fresh)
    assert "ANCIENNES" not in fresh
    assert "⚠ DONNÉES ANCIENNES Source agenda" in text_of(old)


def test_an_unknown_age_is_as_loud_as_one_too_old():
    unknown = DataAge("agenda", None, None, is_old=True, loaded_at=at("2022-05-14"))
    said = text_of(self_contained(a_sheet(a_row(), feeds=(unknown,))))
    assert "⚠ DONNÉES D'UN ÂGE INCONNU Source agenda : rien ne dit quand" in said


def test_a_hospital_without_any_source_is_loud_too():
    assert "⚠ AUCUNE SOURCE" in text_of(self_contained(a_sheet(feeds=())))


def test_only_the_cancelled_are_struck_through():
    page = self_contained(
        a_sheet(
            a_row(1, family_name="Gardé", **by_clause("maintained")),
            a_row(2, family_name="Annulé", **by_clause("cancelled")),
        )
    )
    struck = " ".join(re.findall(r"<del>(.*?)</del>", page, re.DOTALL))
    assert "ANNULÉ" in struck
    assert "GARDÉ" not in struck


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "prévu sans décision"),
        (by_clause("under_review"), "à examiner bulletin 3, point 2"),
        ({"outcome": "maintained", "basis": "person", "decided_by": "Léa"}, "maintenu par Léa"),
        ({"outcome": "maintained", "basis": "lapse", "bulletin": 3}, "maintenu bulletin 3 levé"),
        ({"status": "cancelled"}, "annulé à la source"),
        ({"status": "entered-in-error"}, "encodé par erreur"),
        (
            {"status": "cancelled", **by_clause("maintained")},
            "annulé à la source maintenu – bulletin 3, point 2",
        ),
    ],
)  # fmt: skip
def test_the_decision_says_on_what_it_rests(fields, said):
    assert said in text_of(self_contained(a_sheet(a_row(**fields))))


@pytest.mark.parametrize(
    ("told", "word", "said"),
    [
        ("", "", "—"),
        ("open", "cancelled", "à prévenir"),
        ("unreachable", "cancelled", "injoignable"),
        ("told", "cancelled", "prévenu"),
        ("told", "maintained", "attention : a entendu « maintenu »"),
    ],
)
def test_a_row_says_whether_the_patient_knows(told, word, said):
    row = a_row(told=told, told_word=word, **by_clause("cancelled"))
    assert f"0495 12 34 56 {said} Venus" in text_of(self_contained(a_sheet(row)))


def test_moved_missing_and_arrived_are_marked():
    row = a_row(
        moved_from=at("2022-05-09 10:00"), missing_since=at("2022-05-13 03:00"), status="arrived"
    )
    said = text_of(self_contained(a_sheet(row)))
    assert "déplacé : était le lun 9 mai à 10:00" in said
    assert "disparu de la source le ven 13 mai à 03:00" in said
    assert "arrivé" in said


def test_an_unknown_birth_date_and_number_leave_no_hole():
    said = text_of(self_contained(a_sheet(a_row(birth_date=None, record_number="", phones=()))))
    assert "né(e) le : inconnu" in said
    assert "dossier" not in said


def test_an_empty_day_says_so():
    assert "Aucun rendez-vous connu" in text_of(self_contained(a_sheet()))


def test_names_cannot_bring_markup():
    page = self_contained(
        a_sheet(a_row(family_name="<script>alert(1)</script>", act="<img src=x>"))
    )
    assert "<script" not in page.lower()
    assert "<img" not in page


def test_a_page_to_carry_away_names_no_address_outside_itself():
    page = self_contained(a_sheet(a_row()))
    assert re.findall(r'(?:href|src)="(?!data:)', page) == []


def test_the_browser_gets_the_same_style_sheet_and_no_inline_style():
    page = for_browser(a_sheet(a_row()))
    assert 'href="/static/continuity/paper.css"' in page
    assert "<style" not in page
    assert "style=" not in page


def test_paper_speaks_the_language_of_the_hospital_whoever_prints_it():
    with translation.override("en"):
        page = self_contained(a_sheet(a_row()))
    assert '<html lang="fr">' in page
    assert "lundi 16 mai 2022" in page
    assert f"{PRINTED_AT:%H:%M}" in page
