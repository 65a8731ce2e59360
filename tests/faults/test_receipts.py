"""A flood of receipts while a send runs: late, twice, out of order, of messages of nobody."""

import pytest

from notifications.models import Receipt
from tests.faults.assertions import all_is_well, fates
from tests.faults.conftest import Opener
from tests.faults.hospital import a_hospital_with
from tests.faults.supervising import Visitor, answers
from tests.peer import Peer
from tests.processes import free_port, wait_until
from tests.receipts import ReceiptPoster

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
SECRET = "secret-of-the-flood"
PATIENTS, STRANGERS, COPIES = 1000, 8, 2


class Babbler(ReceiptPoster):
    """Says that a message is on its way after having said that it arrived, and all of it twice."""

    def say(self, reference: str, number: str) -> None:
        """Have two receipts posted for a message, in the wrong order, and those of strangers."""
        super().say(reference, number)
        on_its_way = {"reference": reference, "id": number, "status": "on_its_way"}
        self._due.put_nowait((0.0, on_its_way))


def test_twenty_thousand_receipts_during_a_send_are_each_applied_once(open_house: Opener) -> None:
    a_hospital_with(PATIENTS)
    port = free_port()
    health = f"http://127.0.0.1:{port}/health/"
    flood = Babbler(
        hook=f"http://127.0.0.1:{port}/hooks/{SECRET}/", copies=COPIES, strangers=STRANGERS
    )
    with Peer(receipts=flood, seconds=0.1) as peer:
        house = open_house(peer, SMS_GATEWAY_URL=f"{peer.url}&hook={SECRET}")
        web = house.start_web(port)
        wait_until(lambda: answers(health))
        with Visitor(health) as visitor:
            house.start_worker()
            house.start_worker(beat=True)
            wait_until(lambda: flood.posted >= PATIENTS * (2 + STRANGERS))
        wait_until(lambda: fates().told == PATIENTS)
        assert web.poll() is None
    assert flood.posted * COPIES == 20_000
    assert set(flood.answers) <= {200, 503}
    assert Receipt.objects.count() == PATIENTS * (2 + STRANGERS)
    assert Receipt.objects.filter(delivery=None).count() == PATIENTS * STRANGERS
    assert set(visitor.answers) == {200}
    assert visitor.slowest < 5
    all_is_well(peer, PATIENTS)
