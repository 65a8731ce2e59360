"""A database of before goes forward: what was approved was ready, what was withdrawn stays so."""

import pytest

from appointments.models import Bulletin
from tests.appointments.bulletins.builders import RELEASE, SATURDAY_NOON
from tests.builders import MONDAY
from tests.migrating import an_empty_database, migrate

BEFORE = ("appointments", "0014_refused_rows")


@pytest.fixture
def before(db):
    """Return the models before, in a database of its own."""
    with an_empty_database():
        yield migrate(BEFORE)


def test_each_bulletin_goes_forward_as_it_stands(before) -> None:
    users = before.get_model("staff", "User").objects
    author, second = (users.create(username=name) for name in ("crise1", "crise2"))
    approved = {"approved_by": second, "approved_at": SATURDAY_NOON}
    gone = {"withdrawn_by": author, "withdrawn_at": SATURDAY_NOON, "withdrawal_reason": "Fin"}
    for state, more in (
        ("draft", {}),
        ("in_force", approved),
        ("superseded", approved),
        ("withdrawn", approved | gone),
    ):
        before.get_model("appointments", "Bulletin").objects.create(
            title=state,
            state=state,
            first_day=MONDAY,
            last_day=MONDAY,
            release_at=RELEASE,
            drafted_by=author,
            drafted_at=SATURDAY_NOON,
            **more,
        )
    migrate()
    found = {one.state: one for one in Bulletin.objects.all()}
    assert found["draft"].ready_by is None
    for state in ("in_force", "superseded", "withdrawn"):
        assert found[state].ready_by == found[state].drafted_by
        assert found[state].ready_at == SATURDAY_NOON
        assert found[state].leaves_at == RELEASE
    assert (found["withdrawn"].withdrawn_by.username, found["withdrawn"].withdrawal_reason) == (
        "crise1",
        "Fin",
    )
    assert not found["in_force"].waits_for_withdrawal
