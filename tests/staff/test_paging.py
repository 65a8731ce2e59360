"""Lists page by key: every row once, whatever the ties, in both directions."""

import pytest
from django.db.models import Case, IntegerField, When
from hypothesis import given
from hypothesis import strategies as st

from appointments.models import Appointment
from staff.paging import KeyPage, page_by_key
from tests.builders import a_unit, an_appointment

pytestmark = pytest.mark.django_db


@pytest.fixture
def nine_with_ties() -> list[int]:
    """Nine appointments at three moments, in the order of the list."""
    made = [
        an_appointment(starts=f"2022-05-16 {hour:02}:00") for hour in (9, 8, 8, 9, 10, 8, 9, 10, 10)
    ]
    return [a.pk for a in sorted(made, key=lambda a: (a.starts_at, a.pk))]


def ids(page: KeyPage) -> list[int]:
    return [row.pk for row in page.items]


@pytest.mark.parametrize("size", [1, 2, 4, 8, 9, 10])
def test_every_row_comes_once_and_in_order_across_ties(nine_with_ties, size):
    seen, page = [], page_by_key(Appointment.objects.all(), size=size)
    seen += ids(page)
    while page.next_cursor:
        page = page_by_key(Appointment.objects.all(), cursor=page.next_cursor, size=size)
        seen += ids(page)
    assert seen == nine_with_ties


@pytest.mark.parametrize("size", [1, 2, 4])
def test_going_back_shows_the_same_pages_again(nine_with_ties, size):
    pages = [page_by_key(Appointment.objects.all(), size=size)]
    while pages[-1].next_cursor:
        pages.append(
            page_by_key(Appointment.objects.all(), cursor=pages[-1].next_cursor, size=size)
        )
    page = pages.pop()
    while page.previous_exists:
        page = page_by_key(Appointment.objects.all(), cursor=page.previous_cursor, size=size)
        assert ids(page) == ids(pages.pop())
        assert page.next_cursor
    assert pages == []


def test_reading_the_keys_first_changes_nothing_but_the_queries(
    nine_with_ties, django_assert_num_queries
):
    rows = Appointment.objects.select_related("patient")
    with django_assert_num_queries(2):
        first = page_by_key(rows, size=4, keys_first=True)
    second = page_by_key(rows, size=4, keys_first=True, cursor=first.next_cursor)
    again = page_by_key(rows, size=4, keys_first=True, cursor=second.previous_cursor)
    assert ids(first) + ids(second) == nine_with_ties[:8]
    assert ids(again) == ids(first)


def test_the_newest_can_come_first(nine_with_ties):
    keys = ("-starts_at", "-id")
    first = page_by_key(Appointment.objects.all(), keys=keys, size=5)
    second = page_by_key(Appointment.objects.all(), keys=keys, size=5, cursor=first.next_cursor)
    assert ids(first) + ids(second) == nine_with_ties[::-1]


def test_keys_may_reach_over_a_relation():
    late, early = a_unit("b"), a_unit("a")
    made = [an_appointment(unit=unit) for unit in (late, early, late)]
    keys = ("unit__code", "id")
    first = page_by_key(Appointment.objects.select_related("unit"), keys=keys, size=2)
    second = page_by_key(Appointment.objects.all(), keys=keys, size=2, cursor=first.next_cursor)
    assert ids(first) + ids(second) == [made[1].pk, made[0].pk, made[2].pk]


def test_keys_may_be_computed():
    made = [an_appointment(service=s) for s in ("surgery", "radiology", "surgery")]
    rank = Case(When(service="radiology", then=0), default=1, output_field=IntegerField())
    rows = Appointment.objects.annotate(rank=rank)
    first = page_by_key(rows, keys=("rank", "id"), size=2)
    second = page_by_key(rows, keys=("rank", "id"), size=2, cursor=first.next_cursor)
    assert ids(first) + ids(second) == [made[1].pk, made[0].pk, made[2].pk]


def test_the_first_page_has_nothing_before_it_and_the_last_nothing_after(nine_with_ties):
    first = page_by_key(Appointment.objects.all(), size=6)
    last = page_by_key(Appointment.objects.all(), size=6, cursor=first.next_cursor)
    assert not first.previous_exists
    assert last.previous_exists
    assert last.next_cursor == ""


def test_a_page_costs_one_query(nine_with_ties, django_assert_num_queries):
    cursor = page_by_key(Appointment.objects.all(), size=3).next_cursor
    with django_assert_num_queries(1):
        page_by_key(Appointment.objects.all(), size=3, cursor=cursor)


def test_when_the_rows_before_are_gone_the_list_starts_again(nine_with_ties):
    first = page_by_key(Appointment.objects.all(), size=3)
    second = page_by_key(Appointment.objects.all(), size=3, cursor=first.next_cursor)
    Appointment.objects.filter(pk__in=nine_with_ties[:3]).delete()
    page = page_by_key(Appointment.objects.all(), size=3, cursor=second.previous_cursor)
    assert ids(page) == nine_with_ties[3:6]


def test_when_the_rows_after_are_gone_the_list_starts_again(nine_with_ties):
    first = page_by_key(Appointment.objects.all(), size=6)
    Appointment.objects.filter(pk__in=nine_with_ties[6:]).delete()
    page = page_by_key(Appointment.objects.all(), size=6, cursor=first.next_cursor)
    assert ids(page) == nine_with_ties[:6]


@given(cursor=st.text(max_size=60) | st.from_regex(r"[ab][A-Za-z0-9_-]{0,60}", fullmatch=True))
def test_a_made_up_cursor_shows_a_page_and_never_an_error(cursor):
    assert page_by_key(Appointment.objects.all(), cursor=cursor).items == []
