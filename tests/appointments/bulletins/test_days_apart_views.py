"""Days apart in the editor: set apart, filled in, refined from, counted, saved and found again."""

import datetime as dt
import re

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from appointments.bulletins.grid import MOST_LAYERS
from appointments.decisions.rulings import clauses_of
from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from tests.appointments.bulletins.builders import RELEASE, a_draft, in_force
from tests.appointments.bulletins.layers import (
    ALL_WEEK,
    ON_SATURDAY,
    SATURDAY,
    SUNDAY,
    Fields,
    a_week,
    apart,
    fields,
    focused,
    sent,
    shown,
)
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import MONDAY, a_site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def week() -> Bulletin:
    return a_week()


class TestSettingApart:
    def test_a_day_gets_a_layer_that_is_shown_and_saves_nothing(self, week: Bulletin) -> None:
        response = apart(week)

        data = shown(response)
        assert (data["layer"], data["shown"]) == (["2022-05-21"], ["2022-05-21"])
        assert "Samedi 21/05/2022" in text_of(response)
        assert 'id="shown-2022-05-21"' in focused(response)[0]
        assert clauses_of(week) == (ALL_WEEK,)

    def test_its_rows_start_with_the_settings_typed_for_the_window(self, week: Bulletin) -> None:
        typed = fields(week) | {"row-consultation-channel": "phone"}

        data = shown(sent(week, typed, add_day="1", new_day="2022-05-21"))

        assert data["day-2022-05-21-consultation-channel"] == ["phone"]
        assert data["day-2022-05-21-surgery-kept_by"] == ["medical_director"]
        assert data["day-2022-05-21-consultation-cell-every"] == [""]

    def test_saved_it_orders_that_day_and_comes_back_as_a_layer(self, week: Bulletin) -> None:
        cell = "day-2022-05-21-consultation-cell-every"
        response = sent(week, shown(apart(week)), **{cell: "maintain"})

        assert response.url == reverse("bulletin_preview", args=[week.pk])
        assert clauses_of(week)[1].days == (SATURDAY,)
        data = fields(week)
        assert (data["layer"], data[cell]) == (["2022-05-21"], ["maintain"])
        assert data["shown"] == ["all"]  # a draft opens with the whole window
        assert data["refinement-TOTAL_FORMS"] == ["0"]
        said = text_of(page(crisis(), "bulletin", week.pk))
        assert "Consultations, tous les sites, le samedi 21/05 : maintenues" in said

    def test_a_day_without_a_word_leaves_no_clause_and_the_author_hears_so(
        self, week: Bulletin
    ) -> None:
        response = sent(week, shown(apart(week)))

        said = [str(message) for message in get_messages(response.wsgi_request)]
        assert said[1:] == [
            "Mis à part sans aucune case remplie, ce jour n'est pas gardé : samedi 21/05/2022."
        ]
        assert clauses_of(week) == (ALL_WEEK,)
        assert "layer" not in fields(week)

    def test_a_day_with_a_word_is_kept_in_silence(self, week: Bulletin) -> None:
        cell = {"day-2022-05-21-consultation-cell-every": "maintain"}
        response = sent(week, shown(apart(week)), **cell)

        assert len(get_messages(response.wsgi_request)) == 1

    def test_it_can_be_taken_back(self, week: Bulletin) -> None:
        data = shown(apart(week)) | {"day-2022-05-21-surgery-cell-every": "cancel"}

        response = sent(week, data, remove_day="2022-05-21")

        assert "layer" not in shown(response)
        assert 'id="shown-all"' in focused(response)[0]

    @pytest.mark.parametrize("day", ["", "2022-05-15", "2022-05-23", "demain"])
    def test_a_day_that_is_not_in_the_window_is_refused(self, week: Bulletin, day: str) -> None:
        response = apart(week, day)

        assert "layer" not in shown(response)
        assert (
            "Choisissez un jour de la période, du lundi 16/05/2022 au dimanche 22/05/2022."
            in text_of(response)
        )
        assert 'id="id_new_day"' in focused(response)[0]

    def test_a_day_is_set_apart_once(self, week: Bulletin) -> None:
        again = sent(week, shown(apart(week)), add_day="1", new_day="2022-05-21")

        assert shown(again)["layer"] == ["2022-05-21"]

    def test_without_a_window_no_day_can_be_chosen(self, week: Bulletin) -> None:
        data = fields(week) | {"last_day": ""}

        response = sent(week, data, add_day="1", new_day="2022-05-21")

        assert "Indiquez d" in text_of(response)
        assert "layer" not in shown(response)

    def test_the_days_on_offer_follow_the_window_that_is_typed(self, week: Bulletin) -> None:
        data, address = fields(week), reverse("bulletin_reach")

        same = text_of(crisis().post(address, data))
        other = text_of(crisis().post(address, data | {"last_day": "2022-05-17"}))

        assert "new_day" not in same  # an open list is not taken out of somebody's hand
        assert re.findall(r'<option value="([^"]+)"', other) == ["2022-05-16", "2022-05-17"]

    def test_there_are_only_so_many(self) -> None:
        draft = a_draft(ALL_WEEK, last_day=MONDAY + dt.timedelta(days=30))
        days = [(MONDAY + dt.timedelta(days=n)).isoformat() for n in range(MOST_LAYERS + 1)]

        response = sent(draft, fields(draft) | {"layer": days}, add_day="1", new_day="2022-06-10")

        assert shown(response)["layer"] == days[:MOST_LAYERS]
        assert "new_day" not in shown(response)
        assert "14 journées au plus peuvent être mises à part" in text_of(response)

    def test_a_day_that_fell_out_of_the_window_is_pointed_out(self, week: Bulletin) -> None:
        data = shown(apart(week)) | {"last_day": "2022-05-20", "shown": "all"}

        response = sent(week, data)

        assert response.status_code == 422
        assert "Ce jour est hors de la période du bulletin" in text_of(response)
        assert shown(response)["shown"] == ["2022-05-21"]

    def test_a_fault_in_a_hidden_layer_brings_it_up(self, week: Bulletin) -> None:
        cell = "day-2022-05-21-emergency-cell-every"
        response = sent(week, shown(apart(week)) | {cell: "cancel", "shown": "all"})

        assert response.status_code == 422
        assert "choix valide" in text_of(response)
        assert shown(response)["shown"] == ["2022-05-21"]


PLAYBOOK = """
title = "Semaine"
first_day = 2022-05-16
last_day = 2022-05-22
release_at = "2022-05-15 18:00"
[[clause]]
ruling = "cancel"
tell = "cancelled"
services = ["consultation"]
sites = ["arlon"]
"""


def on_saturday(service: str) -> str:
    """Return one more clause of the playbook."""
    clause = 'ruling = "maintain"\ntell = "nobody"\ndays = [2022-05-21]'
    return f'[[clause]]\n{clause}\nservices = ["{service}"]\n'


def from_playbook(clause: str) -> Fields:
    """Return what the editor shows that opens with the playbook."""
    a_site("arlon")
    file = SimpleUploadedFile("semaine.toml", (PLAYBOOK + clause).encode())
    crisis().post(reverse("bulletin_new"), {"start": "playbook", "playbook": file})
    return fields(Bulletin.objects.get())


class TestStarting:
    def test_a_playbook_with_a_day_of_its_own_comes_up_as_a_layer(self) -> None:
        data = from_playbook(on_saturday("surgery"))

        assert data["layer"] == ["2022-05-21"]
        assert data["day-2022-05-21-surgery-cell-every"] == ["maintain"]
        assert data["refinement-TOTAL_FORMS"] == ["0"]

    def test_what_a_site_outranks_comes_up_as_a_refinement(self) -> None:
        data = from_playbook(on_saturday("consultation"))

        # Arlon's own word stands above the day: as a cell of all sites it would say more.
        assert data["refinement-0-days"] == ["21/05/2022"]
        assert "layer" not in data

    def test_a_copy_to_another_week_moves_its_days_apart(self) -> None:
        a_site("arlon")
        original = in_force(ALL_WEEK, ON_SATURDAY, last_day=SUNDAY)

        crisis().post(
            reverse("bulletin_new"),
            {"start": "copy", "original": original.pk, "first_day": "2022-05-23"},
        )

        data = fields(Bulletin.objects.exclude(pk=original.pk).get())
        assert data["layer"] == ["2022-05-28"]
        assert data["day-2022-05-28-consultation-cell-every"] == ["maintain"]


def test_the_page_of_two_weeks_apart_can_be_sent() -> None:
    for site in ("arlon", "bastogne", "bertrix", "libramont", "marche", "virton"):
        a_site(site)
    days = [MONDAY + dt.timedelta(days=number) for number in range(MOST_LAYERS)]
    clauses = [ClauseTerms("cancel", "cancelled", days=(day,)) for day in days]
    draft = a_draft(*clauses, last_day=days[-1])

    response = sent(draft, fields(draft))

    assert response.status_code == 302
    # Days that say the same share one clause.
    assert clauses_of(draft) == (ClauseTerms("cancel", "cancelled", days=tuple(days)),)
    assert draft.release_at == RELEASE
