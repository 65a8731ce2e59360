"""An answer is not thrown away because the database was away for a moment."""

import pytest
from django.db import OperationalError, connection, transaction

from notifications.sending import sender


@pytest.fixture(autouse=True)
def _quickly(monkeypatch) -> None:
    monkeypatch.setattr(sender, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(connection, "close", lambda: None)


def failing(times: int, written: list[str]):
    """Return a transaction that fails so often before it is written."""
    left = iter(range(times))

    def write() -> None:
        for _ in left:
            raise OperationalError("the connection is gone")
        written.append("written")

    return write


@pytest.mark.django_db(transaction=True)
def test_it_is_done_again_until_it_works() -> None:
    written: list[str] = []
    sender.until_it_works(failing(3, written))
    assert written == ["written"]


@pytest.mark.django_db(transaction=True)
def test_after_a_while_it_gives_up(monkeypatch) -> None:
    monkeypatch.setattr(sender, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(OperationalError):
        sender.until_it_works(failing(3, []))


@pytest.mark.django_db
def test_inside_a_transaction_it_cannot_be_done_again() -> None:
    with transaction.atomic(), pytest.raises(OperationalError):
        sender.until_it_works(failing(1, []))


@pytest.mark.django_db(transaction=True)
def test_a_mistake_of_ours_is_no_reason_to_try_again() -> None:
    with pytest.raises(ZeroDivisionError):
        sender.until_it_works(lambda: 1 // 0)
