"""Cells of the window and of days apart: refined where they stand, and counted."""

import pytest
from django.http import HttpResponse
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from appointments.bulletins.preview import preview
from appointments.decisions.rulings import clauses_of
from appointments.models import Bulletin
from tests.appointments.bulletins.builders import a_draft
from tests.appointments.bulletins.layers import (
    ALL_WEEK,
    ON_SATURDAY,
    SATURDAY,
    SUNDAY,
    a_week,
    apart,
    fields,
    focused,
    sent,
    shown,
    spot,
)
from tests.appointments.bulletins.pages import crisis, page, text_of
from tests.builders import a_unit, an_appointment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday_noon")]


@pytest.fixture
def week() -> Bulletin:
    return a_week()


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
