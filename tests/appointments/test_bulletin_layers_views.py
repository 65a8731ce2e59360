"""Days apart in the editor: set apart, filled in, refined from, counted, saved and found again."""

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from appointments.bulletin_cells import MOST_LAYERS
from appointments.models import Bulletin
from appointments.queries.bulletins import clauses_of
from appointments.services.bulletins import ClauseDraft
from appointments.services.preview import preview
from tests.appointments.bulletin_pages import crisis, page, text_of
from tests.appointments.bulletins import RELEASE, SATURDAY_NOON, a_draft, in_force
from tests.builders import MONDAY, a_site, a_unit, an_appointment
from tests.pages import fields_of

pytestmark = pytest.mark.django_db
SATURDAY, SUNDAY = MONDAY + dt.timedelta(days=5), MONDAY + dt.timedelta(days=6)
ALL_WEEK = ClauseDraft("cancel", "cancelled", services=("consultation",))
ON_SATURDAY = ClauseDraft("maintain", "nobody", services=("consultation",), days=(SATURDAY,))
Fields = dict[str, Any]


@pytest.fixture(autouse=True)
def saturday_noon():
    with time_machine.travel(SATURDAY_NOON, tick=False):
        yield


@pytest.fixture
def week() -> Bulletin:
    """Return a draft for a week of two sites, without a day apart."""
    a_unit("arlon-cardio", site="arlon")
    a_site("virton")
    return a_draft(ALL_WEEK, last_day=SUNDAY)


def fields(draft: Bulletin) -> Fields:
    return fields_of(text_of(page(crisis(), "bulletin_edit", draft.pk)), having="title")


def sent(draft: Bulletin, data: Fields, **more: str) -> HttpResponse:
    """Return the answer to a form that was sent with these changes, as a browser sends it."""
    return crisis().post(reverse("bulletin_edit", args=[draft.pk]), data | more)


def shown(response: HttpResponse) -> Fields:
    return fields_of(text_of(response), having="title")


def apart(draft: Bulletin, day: str = "2022-05-21") -> HttpResponse:
    return sent(draft, fields(draft), add_day="1", new_day=day)


def spot(response: HttpResponse, place: str) -> str:
    found = re.search(rf'id="reach-{place}"[^>]*>([^<]*)<', text_of(response))
    assert found
    return found[1]


def focused(response: HttpResponse) -> list[str]:
    return re.findall(r"<[^>]+\sautofocus[^>]*>", text_of(response))


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

    def test_a_day_without_a_word_leaves_no_clause(self, week: Bulletin) -> None:
        sent(week, shown(apart(week)))

        assert clauses_of(week) == (ALL_WEEK,)
        assert "layer" not in fields(week)

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


class TestStarting:
    def test_a_playbook_with_a_day_of_its_own_comes_up_as_a_layer(self) -> None:
        a_site("arlon")
        text = """
title = "Semaine"
first_day = 2022-05-16
last_day = 2022-05-22
release_at = "2022-05-15 18:00"
[[clause]]
ruling = "cancel"
tell = "cancelled"
services = ["consultation"]
sites = ["arlon"]
[[clause]]
ruling = "maintain"
tell = "nobody"
services = ["surgery"]
days = [2022-05-21]
[[clause]]
ruling = "maintain"
tell = "nobody"
services = ["consultation"]
days = [2022-05-21]
"""
        file = SimpleUploadedFile("semaine.toml", text.encode())
        crisis().post(reverse("bulletin_new"), {"start": "playbook", "playbook": file})

        draft = Bulletin.objects.get()
        data = fields(draft)
        # Arlon's own word outranks the day: as a cell of all sites it would say more.
        assert data["refinement-TOTAL_FORMS"] == ["2"]
        assert "layer" not in data

        draft = a_draft(ON_SATURDAY, ALL_WEEK, last_day=SUNDAY)
        assert fields(draft)["day-2022-05-21-consultation-cell-every"] == ["maintain"]

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


class TestRefining:
    def test_a_cell_of_the_window_is_refined_with_all_that_it_says(self, week: Bulletin) -> None:
        typed = fields(week) | {
            "row-consultation-cell-arlon": "maintain",
            "row-consultation-channel": "phone",
            "row-consultation-keep_until": "2022-05-15T17:00",
        }

        response = sent(week, typed, refine="row-consultation-cell-arlon")

        data = shown(response)
        assert data["refinement-0-ruling"] == ["maintain"]
        assert data["refinement-0-channel"] == ["phone"]
        assert data["refinement-0-keep_until"] == ["2022-05-15T17:00"]
        assert data["refinement-0-services"] == ["consultation"]
        assert data["refinement-0-sites"] == ["arlon"]
        assert data["refinement-0-days"] == [""]
        assert ["refinement" in focus for focus in focused(response)] == [True]
        assert clauses_of(week) == (ALL_WEEK,)

    def test_a_cell_of_a_day_brings_its_day(self, week: Bulletin) -> None:
        cell = "day-2022-05-21-every-cell-every"
        data = shown(apart(week)) | {cell: "cancel"}

        data = shown(sent(week, data, refine=cell)) | {"refinement-0-groups": ["pregnancy"]}
        assert sent(week, data).status_code == 302

        refinement = clauses_of(week)[-1]
        assert (refinement.ruling, refinement.services, refinement.sites) == ("cancel", (), ())
        assert (refinement.days, refinement.groups) == ((SATURDAY,), ("pregnancy",))

    def test_an_empty_cell_is_refined_with_the_ruling_that_harms_nobody(
        self, week: Bulletin
    ) -> None:
        data = shown(sent(week, fields(week), refine="row-dialysis-cell-every"))

        assert data["refinement-0-ruling"] == ["maintain"]

    def test_a_cell_that_is_not_there_is_not_refined(self, week: Bulletin) -> None:
        data = shown(sent(week, fields(week), refine="row-dialysis-cell-namur"))

        assert data["refinement-TOTAL_FORMS"] == ["0"]

    def test_removing_a_refinement_leaves_the_keyboard_at_its_list(self, week: Bulletin) -> None:
        data = shown(sent(week, fields(week), add="1"))

        response = sent(week, data, remove="0")

        assert shown(response)["refinement-TOTAL_FORMS"] == ["0"]
        assert 'name="add"' in focused(response)[0]


class TestNumbers:
    @pytest.fixture
    def people(self, week: Bulletin) -> None:
        for day in ("2022-05-16", "2022-05-21", "2022-05-21"):
            an_appointment(starts=f"{day} 09:00")
        an_appointment(unit=a_unit("virton-ortho", site="virton"), starts="2022-05-21 09:00")
        an_appointment(service="surgery", starts="2022-05-21 10:00")

    def asked(self, draft: Bulletin, **typed: str) -> HttpResponse:
        return crisis().post(reverse("bulletin_reach"), shown(apart(draft)) | typed)

    @pytest.mark.usefixtures("people")
    def test_each_cell_of_a_layer_shows_whom_it_touches(self, week: Bulletin) -> None:
        typed = {
            "row-consultation-cell-arlon": "maintain",
            "day-2022-05-21-consultation-cell-every": "cancel",
            "day-2022-05-21-consultation-cell-virton": "maintain",
            "day-2022-05-21-every-cell-virton": "cancel",
        }

        answer = self.asked(week, **typed)

        assert spot(answer, "consultation-arlon") == "1 rendez-vous"  # Monday's
        assert spot(answer, "2022-05-21-consultation-every") == "2 rendez-vous"
        assert spot(answer, "2022-05-21-consultation-virton") == "1 rendez-vous"
        assert spot(answer, "2022-05-21-every-virton") == "0 rendez-vous"
        assert "déciderait de 4 rendez-vous sur 5" in text_of(answer)

    @pytest.mark.usefixtures("people")
    def test_the_numbers_are_those_of_the_preview(self, week: Bulletin) -> None:
        cell = "day-2022-05-21-consultation-cell-every"
        data = shown(apart(week)) | {"row-consultation-cell-arlon": "maintain", cell: "cancel"}

        answer = crisis().post(reverse("bulletin_reach"), data)
        sent(week, data)

        counts = preview(week.pk).counts
        cancelled = sum(one.appointments for one in counts if one.outcome == "cancelled")
        assert spot(answer, "2022-05-21-consultation-every") == f"{cancelled} rendez-vous"

    def test_an_empty_cell_of_a_day_says_what_holds_there(self, week: Bulletin) -> None:
        answer = self.asked(
            week,
            **{
                "row-consultation-cell-arlon": "maintain",
                "row-every-cell-every": "case_by_case",
                "day-2022-05-21-surgery-cell-every": "cancel",
            },
        )

        assert spot(answer, "2022-05-21-consultation-arlon") == "vaut : maintenir"
        assert spot(answer, "2022-05-21-consultation-virton") == "vaut : annuler"
        assert spot(answer, "2022-05-21-surgery-virton") == "vaut : annuler"
        assert spot(answer, "2022-05-21-dialysis-virton") == "vaut : au cas par cas"
        assert spot(answer, "2022-05-21-emergency-virton") == "vaut : maintenir"
        assert spot(answer, "dialysis-virton") == ""  # of the window no cell speaks for another

    def test_layers_cost_no_query(
        self, week: Bulletin, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client, counts = crisis(), []
        more = a_draft(ALL_WEEK, ON_SATURDAY, last_day=SUNDAY)
        page(client, "bulletin_edit", more.pk)
        for draft in (week, more):
            with django_assert_num_queries(100, exact=False) as queries:
                page(client, "bulletin_edit", draft.pk)
            counts.append(len(queries))

        assert counts[0] == counts[1]


def test_the_page_of_two_weeks_apart_can_be_sent() -> None:
    for site in ("arlon", "bastogne", "bertrix", "libramont", "marche", "virton"):
        a_site(site)
    days = [MONDAY + dt.timedelta(days=number) for number in range(MOST_LAYERS)]
    clauses = [ClauseDraft("cancel", "cancelled", days=(day,)) for day in days]
    draft = a_draft(*clauses, last_day=days[-1])

    response = sent(draft, fields(draft))

    assert response.status_code == 302
    # Days that say the same share one clause.
    assert clauses_of(draft) == (ClauseDraft("cancel", "cancelled", days=tuple(days)),)
    assert draft.release_at == RELEASE
