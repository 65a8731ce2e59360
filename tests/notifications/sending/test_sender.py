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
def test_a_write_is_retried_until_it_works() -> None:
    written: list[str] = []
    sender.until_it_works(failing(3, written))
    assert written == ["written"]


@pytest.mark.django_db(transaction=True)
def test_a_retry_gives_up_after_a_while(monkeypatch) -> None:
    monkeypatch.setattr(sender, "PATIENCE_SECONDS", -1.0)
    with pytest.raises(OperationalError):
        sender.until_it_works(failing(3, []))


@pytest.mark.django_db
def test_nothing_is_retried_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(OperationalError):
        sender.until_it_works(failing(1, []))


@pytest.mark.django_db(transaction=True)
def test_a_programming_error_is_not_retried() -> None:
    with pytest.raises(ZeroDivisionError):
        sender.until_it_works(lambda: 1 // 0)
