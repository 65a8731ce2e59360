"""Whom a gateway is asked about, and in which turn."""

import datetime as dt

import pytest
from django.utils import timezone

from notifications.gateways import Sent
from notifications.models import Delivery, DeliveryPart
from notifications.receipts import receive as receiving
from notifications.receipts.receive import anything_to_ask
from tests.builders import a_site
from tests.notifications.builders import FakeGateway, a_notice
from tests.notifications.receipts.builders import SMSC, a_taken_sms, in_parts, receive, says

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


class Answering(FakeGateway):
    """Can say what became of a message."""

    can_query = True


class AnsweringByNumber(Answering):
    """… but knows messages by its own numbers only."""

    asks_by_number = True


@pytest.fixture(autouse=True)
def _from_the_first_on():
    yield
    receiving.forget()


def unknown(minutes: int = 10, number: str = "", **fields) -> Delivery:
    """Return an SMS of which nobody will know until so many minutes from now."""
    limit = timezone.now() + dt.timedelta(minutes=minutes)
    return a_taken_sms("unknown", number, lease_until=limit, **fields)


def asked(gateway: FakeGateway) -> list[str]:
    """Return the references that are asked about next."""
    return [one.reference for one in receiving.next_to_ask(gateway)]


class TestTurns:
    def test_all_are_queried_page_by_page_the_nearest_limit_first(self, monkeypatch) -> None:
        monkeypatch.setattr(receiving, "ASKED_AT_ONCE", 10)
        limits = (9, 3, 14, 1, 6)
        messages = [unknown(limits[n % 5]) for n in range(25)]
        in_order = sorted(messages, key=lambda one: (one.lease_until, one.pk))
        references = [one.client_reference for one in in_order]
        gateway = Answering(name=SMSC)
        assert asked(gateway) == references[:10]
        assert asked(gateway) == references[10:20]
        assert asked(gateway) == references[20:]
        assert asked(gateway) == references[:10]

    def test_a_page_skips_nothing_when_messages_are_settled_or_added_meanwhile(
        self, monkeypatch
    ) -> None:
        monkeypatch.setattr(receiving, "ASKED_AT_ONCE", 2)
        first, second, third = (unknown(n) for n in (1, 2, 3))
        gateway = Answering(name=SMSC)
        assert asked(gateway) == [first.client_reference, second.client_reference]
        receive(says("delivered", first), says("delivered", second))
        fourth = unknown(4)
        assert asked(gateway) == [third.client_reference, fourth.client_reference]
        assert asked(gateway) == [third.client_reference, fourth.client_reference]

    def test_each_gateway_has_its_own_pages(self, monkeypatch) -> None:
        monkeypatch.setattr(receiving, "ASKED_AT_ONCE", 1)
        mine = [unknown(n) for n in (1, 2)]
        others = [unknown(n, gateway="other") for n in (1, 2)]
        for place in (0, 1):
            assert asked(Answering(name=SMSC)) == [mine[place].client_reference]
            assert asked(Answering(name="other")) == [others[place].client_reference]


class TestNumbers:
    def test_what_has_no_id_is_not_queried_where_only_ids_are_known(self, monkeypatch) -> None:
        monkeypatch.setattr(receiving, "ASKED_AT_ONCE", 2)
        for _ in range(3):
            unknown(1)
        numbered = unknown(5, "77")
        assert asked(AnsweringByNumber(name=SMSC)) == [numbered.client_reference]
        assert len(asked(Answering(name=SMSC))) == 2

    def test_no_sender_starts_to_query_it(self) -> None:
        unknown()
        assert anything_to_ask([Answering(name=SMSC)])
        assert not anything_to_ask([AnsweringByNumber(name=SMSC)])
        unknown(number="77")
        assert anything_to_ask([AnsweringByNumber(name=SMSC)])
        assert not anything_to_ask([AnsweringByNumber(name="other")])

    def test_each_part_of_which_nothing_is_known_is_asked_about(self) -> None:
        long = in_parts(unknown(), "p1", "p2", "p3")
        DeliveryPart.objects.filter(provider_id="p2").update(state="delivered")
        short = unknown(11, "77")
        assert [
            (one.reference, one.provider_id)
            for one in receiving.next_to_ask(AnsweringByNumber(name=SMSC))
        ] == [
            (long.client_reference, "p1"),
            (long.client_reference, "p3"),
            (short.client_reference, "77"),
        ]
        assert len(asked(Answering(name=SMSC))) == 2


def test_the_sender_of_the_submission_is_named() -> None:
    arlon = a_notice(site=a_site("arlon", sms_sender="VivaliaArl"))
    virton = a_notice(site=a_site("virton"))
    first, second = (unknown(n, notice=one) for n, one in enumerate((arlon, virton), 1))
    assert receiving.next_to_ask(Answering(name=SMSC)) == [
        Sent(first.client_reference, "", first.address, "VivaliaArl"),
        Sent(second.client_reference, "", second.address, ""),
    ]
