"""What is in force where, on which days, and what changes tomorrow."""

import datetime as dt
import html
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from appointments.board.queries import Order, Orders, board
from appointments.models import Bulletin
from appointments.rules import ClauseTerms
from appointments.vocabulary import Outcome
from staff.models import Role, User
from tests.appointments.bulletins.builders import RELEASE, THE_DAY, in_force
from tests.builders import MONDAY, a_site, a_unit, a_user, an_appointment, at
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
SUNDAY_NOON = at("2022-05-15 12:00")
SUNDAY, TUESDAY, WEDNESDAY = (MONDAY + dt.timedelta(days=n) for n in (-1, 1, 2))
CANCELLED, MAINTAINED = Order(Outcome.CANCELLED), Order(Outcome.MAINTAINED)
MAINTAIN_ALL = ClauseTerms("maintain", "nobody")


@pytest.fixture(autouse=True)
def sunday_noon():
    with time_machine.travel(SUNDAY_NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def watcher() -> User:
    return a_user("crise", Role.CRISIS_CELL)


def loaded() -> list[Bulletin]:
    return list(Bulletin.objects.order_by("approved_at", "id").prefetch_related("clauses"))


class TestOrders:
    def test_the_most_precise_clause_of_the_bulletin_approved_last_holds(self) -> None:
        a_site("virton")
        in_force(*THE_DAY, last_day=TUESDAY)
        in_force(
            ClauseTerms("cancel", "nobody", services=("consultation",)),
            ClauseTerms("maintain", "nobody", sites=("virton",)),
            first_day=TUESDAY,
            last_day=TUESDAY,
        )
        orders = Orders(loaded())
        assert orders.on(MONDAY, "consultation", "virton") == CANCELLED
        assert orders.on(MONDAY, "surgery", "virton") == Order(Outcome.UNDER_REVIEW)
        assert orders.on(TUESDAY, "consultation", "arlon") == CANCELLED
        assert orders.on(TUESDAY, "consultation", "virton") == MAINTAINED
        assert orders.on(TUESDAY, "surgery", "arlon") == Order()
        assert orders.on(SUNDAY, "surgery", "arlon") == Order()

    def test_it_says_where_units_or_protected_patients_are_ruled_apart(self) -> None:
        a_unit("arlon-cardio")
        in_force(
            THE_DAY[0],
            ClauseTerms("maintain", "nobody", services=("consultation",), groups=("cast",)),
            ClauseTerms("maintain", "nobody", sites=("arlon",), units=("arlon-cardio",)),
        )
        orders = Orders(loaded())
        assert orders.on(MONDAY, "consultation", "virton").has_exceptions
        assert orders.on(MONDAY, "surgery", "arlon") == Order("", has_exceptions=True)
        assert orders.on(MONDAY, "surgery", "virton") == Order()

    def test_an_exception_that_changes_nothing_or_is_elsewhere_is_none(self) -> None:
        a_unit("arlon-cardio", site="arlon")
        a_site("virton")
        in_force(
            ClauseTerms("cancel", "nobody", services=("consultation",)),
            ClauseTerms("maintain", "nobody", units=("arlon-cardio",)),
            ClauseTerms("cancel", "nobody", services=("consultation",), groups=("cast",)),
        )
        orders = Orders(loaded())

        assert orders.on(MONDAY, "consultation", "arlon").has_exceptions
        assert orders.on(MONDAY, "consultation", "virton") == Order("cancelled")

    def test_a_bulletin_rules_the_days_that_no_newer_one_took(self) -> None:
        old = in_force(first_day=SUNDAY, last_day=WEDNESDAY)
        new = in_force(first_day=MONDAY, last_day=TUESDAY)
        first, second = loaded()
        orders = Orders([first, second])
        assert (first, second) == (old, new)
        assert orders.days_of(first, SUNDAY) == (SUNDAY, WEDNESDAY)
        assert orders.days_of(first, MONDAY) == (WEDNESDAY,)
        assert orders.days_of(second, SUNDAY) == (MONDAY, TUESDAY)


class TestTomorrow:
    def test_a_service_turns_where_its_order_does_and_somebody_has_an_appointment(
        self, watcher
    ) -> None:
        for _ in range(2):
            an_appointment()
        an_appointment(unit=a_unit("virton-cardio", site="virton"))
        an_appointment(service="blood_sampling")
        an_appointment(service="radiology", starts="2022-05-17 09:00")
        an_appointment(status="cancelled", service="dialysis")
        in_force(
            ClauseTerms("cancel", "cancelled", services=("consultation", "radiology")),
        )
        in_force(MAINTAIN_ALL, first_day=SUNDAY, last_day=SUNDAY)
        (consultation, blood) = board(watcher).tomorrow.changes
        assert (consultation.service, consultation.today, consultation.tomorrow) == (
            "consultation",
            MAINTAINED,
            CANCELLED,
        )
        assert [(site.code, number) for site, number in consultation.sites] == [
            ("arlon", 2),
            ("virton", 1),
        ]
        assert (blood.service, blood.tomorrow) == ("blood_sampling", Order())

    def test_nothing_turns_when_both_days_are_ruled_alike(self, watcher) -> None:
        an_appointment()
        in_force(first_day=SUNDAY, last_day=TUESDAY)
        assert board(watcher).tomorrow.changes == []

    def test_it_lists_the_moments_until_tomorrow_midnight(self, watcher) -> None:
        in_force(MAINTAIN_ALL, first_day=SUNDAY, last_day=SUNDAY)
        in_force(THE_DAY[0], first_day=MONDAY, last_day=MONDAY)
        in_force(MAINTAIN_ALL, first_day=TUESDAY, last_day=TUESDAY)
        events = board(watcher).tomorrow.events
        assert [one.moment for one in events] == sorted(one.moment for one in events)
        assert sorted((one.bulletin.first_day, one.moment, one.kind) for one in events) == [
            (SUNDAY, RELEASE, "release"),
            (SUNDAY, at("2022-05-16 00:00"), "ends"),
            (MONDAY, RELEASE, "deadline"),
            (MONDAY, RELEASE, "release"),
            (MONDAY, at("2022-05-16 00:00"), "starts"),
            (MONDAY, at("2022-05-17 00:00"), "ends"),
            (TUESDAY, RELEASE, "release"),
        ]

    def test_what_is_past_is_no_event(self, watcher, sunday_noon) -> None:
        in_force()
        sunday_noon.move_to(RELEASE)
        kinds = [one.kind for one in board(watcher).tomorrow.events]
        assert kinds == ["starts", "ends"]


class TestThePage:
    def shown(self, watcher: User) -> tuple[Client, str]:
        client = signed_in(watcher)
        page = client.get(reverse("board"), {"day": "2022-05-16"})
        return client, html.unescape(page.content.decode())

    def test_each_cell_says_what_is_ordered_there(self, watcher) -> None:
        an_appointment()
        an_appointment(service="surgery")
        an_appointment(service="dialysis")
        in_force()
        _client, page = self.shown(watcher)
        grid = page.partition('id="board-grid"')[2]
        orders = re.findall(r'class="order order-([a-z_]+)"', grid)
        assert orders == ["cancelled", "under_review", "none"]
        for words in ("on annule", "au cas par cas", "sans ordre"):
            assert words in grid

    def test_the_number_of_a_turn_is_the_number_of_rows_behind_it(self, watcher) -> None:
        for _ in range(3):
            an_appointment()
        in_force()
        client, page = self.shown(watcher)
        turn = re.search(r'href="([^"]+)"\s+id="turn-1-arlon">Arlon (\d+)<', page)
        assert turn
        address, number = turn.groups()
        assert len(client.get(address).context["page"].items) == int(number) == 3
        assert "Ce qui change demain, lundi 16 mai" in page

    def test_a_bulletin_says_the_days_that_it_really_rules(self, watcher) -> None:
        in_force(first_day=SUNDAY, last_day=WEDNESDAY)
        in_force(first_day=MONDAY, last_day=TUESDAY)
        _client, page = self.shown(watcher)
        assert "règle dimanche 15/05, mercredi 18/05, approuvé par crise2" in page
        assert "règle du lundi 16/05 au mardi 17/05, approuvé par crise2" in page

    NOTHING_CHANGES = "Aucun ordre ne change demain"
    NO_ORDER = "Aucun bulletin n'ordonne rien pour les rendez-vous de demain."
    SAME_ORDERS = "Les ordres de demain sont ceux d'aujourd'hui."

    @pytest.mark.parametrize(
        ("window", "said"),
        [
            (None, NO_ORDER),
            ((TUESDAY, TUESDAY), NO_ORDER),
            ((SUNDAY, SUNDAY), NO_ORDER),
            ((SUNDAY, TUESDAY), SAME_ORDERS),
        ],
    )
    def test_without_a_turn_it_says_why(self, watcher, window, said) -> None:
        an_appointment(service="dialysis" if window == (SUNDAY, SUNDAY) else "consultation")
        if window:
            in_force(first_day=window[0], last_day=window[1])
        _client, page = self.shown(watcher)
        assert ("fin du délai pour garder" in page) == (window is not None)
        sentences = (self.NOTHING_CHANGES, self.NO_ORDER, self.SAME_ORDERS)
        assert [one for one in sentences if one in page] == [said]

    def test_nothing_changes_where_orders_stay_and_no_moment_comes(
        self, watcher, sunday_noon
    ) -> None:
        an_appointment()
        in_force(first_day=SUNDAY, last_day=WEDNESDAY)
        sunday_noon.move_to(RELEASE)
        _client, page = self.shown(watcher)
        assert self.NOTHING_CHANGES in page

    def test_a_bulletin_that_starts_where_nobody_has_an_appointment_orders_nothing(
        self, watcher
    ) -> None:
        in_force()
        _client, page = self.shown(watcher)
        assert self.NO_ORDER in page
        assert "commence à valoir" in page
