"""The page of the rows that loads refused: seen to by a call, or by a name and a reason."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments.models import RefusedRow
from staff.models import Role
from tests.appointments.bulletins.builders import in_force
from tests.appointments.feeds.files.builders import a_record
from tests.appointments.feeds.loads import load
from tests.builders import a_unit, a_user
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(saturday_noon) -> Client:
    """Return the browser of a feed operator, after a load that refused two rows."""
    a_unit()
    refuse(1, 2)
    return signed_in(a_user("flux", Role.FEED_OPERATOR))


def refuse(*numbers: int) -> None:
    """Load rows of a unit that does not exist."""
    records = [
        a_record(n, unit="nulle-part", given_name="Anne", patient_id=f"D{n}") for n in numbers
    ]
    load(*records, full=False)


def page(client: Client, **query: str) -> str:
    return client.get(reverse("refused_rows"), query).content.decode()


def test_the_list_says_whom_to_call_when_and_why(operator):
    in_force()
    found = page(operator)
    for said in ("DUPONT1 Anne", "0495 12 00 01", "Lundi 16 mai 2022", "Unité inconnue"):
        assert said in found
    assert "2 lignes refusées restent ouvertes" in found
    assert "Sur des jours réglés par un bulletin : 2" in found
    assert found.count("jour réglé par un bulletin") == 2


def test_a_call_closes_the_row_and_stands_among_the_closed_ones(operator):
    row = RefusedRow.objects.get(source_id="R1")
    answer = operator.post(reverse("refused_called", args=[row.pk]), {"note": "mère prévenue"})
    assert answer.headers["Location"] == reverse("refused_rows")
    assert "DUPONT1 Anne" not in page(operator)
    closed = page(operator, show="closed")
    assert "DUPONT1 Anne" in closed
    assert "mère prévenue" in closed
    assert "Patient appelé" in closed


def test_dismissing_without_a_reason_says_so_beside_the_row(operator):
    row = RefusedRow.objects.get(source_id="R1")
    answer = operator.post(reverse("refused_dismiss", args=[row.pk]), {"note": ""})
    assert answer.status_code == 422
    assert "Dites pourquoi" in answer.content.decode()
    assert RefusedRow.objects.filter(state="open").count() == 2


def test_the_loads_page_counts_them(operator):
    found = operator.get(reverse("imports")).content.decode()
    assert "Lignes refusées (2)" in found


def test_the_board_and_the_preview_count_them(operator):
    bulletin = in_force()
    cell = signed_in(a_user("cellule", Role.CRISIS_CELL))
    assert "dont 2 sur des jours réglés" in cell.get(reverse("board")).content.decode()
    preview = cell.get(reverse("bulletin_preview", args=[bulletin.pk])).content.decode()
    assert "Lignes refusées encore ouvertes" in preview


def test_the_page_asks_as_often_for_forty_rows_as_for_two(operator):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(operator)
        return len(captured)

    page(operator)
    two = queries()
    refuse(*range(3, 43))
    assert queries() == two
