"""Receipts and replies as they come over the connection, in all the orders of real SMSCs."""

import asyncio
from collections.abc import Sequence

import pytest
from smpplib import consts

from notifications.gateways import Accepted, Inbound, Report
from notifications.gateways.smpp import receipts as receipts_module
from tests.notifications.gateways.conformance import PHONE
from tests.notifications.gateways.conformance_reports import ConformsWithReplies, Word
from tests.notifications.gateways.smpp_client import LONG, Client, message, until, with_client
from tests.smpp_peer import SmscPeer
from tests.smpp_wire import DATA, deliver_body, pdu, receipt_text, tlv

BODIES = {
    Word.DELIVERED: deliver_body(PHONE[1:], receipt_text("71").encode(), esm_class=4),
    Word.FAILED: deliver_body(
        PHONE[1:], receipt_text("71", "UNDELIV", "001").encode(), esm_class=4
    ),
    Word.EXPIRED: deliver_body(PHONE[1:], receipt_text("71", "EXPIRED").encode(), esm_class=4),
    Word.OF_ANOTHERS_MESSAGE: deliver_body("32470999999", receipt_text("9").encode(), esm_class=4),
    Word.A_REPLY: deliver_body(PHONE[1:], b"STOP", esm_class=0),
    Word.GARBAGE: b"\0\x01\x0132470",
}


class TestSmppDeliveries(ConformsWithReplies):
    named_failure = "unreachable"  # type: ignore[assignment]

    def reports_of(self, word: Word) -> Sequence[Report]:
        """Have the peer send it."""

        async def work(_client: Client) -> None:
            peer.send(BODIES[word])
            await until(lambda: peer.acknowledged)

        with SmscPeer() as peer:
            return with_client(peer.url, work).reports


def received(peer: SmscPeer, *, receipts: int, text: str = "Ne venez pas.") -> Client:
    """Submit one message, and wait for receipts and their acknowledgement."""

    async def work(client: Client) -> None:
        (result,) = await client.send(message(text))
        assert isinstance(result, Accepted)
        await until(lambda: len(client.receipts) >= receipts)
        await until(lambda: not peer.waiting)

    return with_client(peer.url, work)


class TestReceipts:
    @pytest.mark.parametrize("ids", ["decimal", "hex", "hex, decimal", "decimal, hex"])
    def test_its_number_is_found_in_whatever_form(self, ids: str) -> None:
        with SmscPeer(ids=ids) as peer:
            (receipt,) = received(peer, receipts=1).receipts
        assert peer.submitted[0]["id"] in receipt.provider_ids
        assert (receipt.state, receipt.phone) == ("delivered", "+32470000000")

    def test_an_empty_number_leaves_the_phone(self) -> None:
        with SmscPeer(ids="empty") as peer:
            (receipt,) = received(peer, receipts=1).receipts
        assert (receipt.provider_ids, receipt.phone) == ((), "+32470000000")

    def test_it_may_come_before_the_answer(self) -> None:
        with SmscPeer(receipt_after=-1) as peer:
            assert len(received(peer, receipts=1).receipts) == 1

    def test_it_may_come_later_and_twice_and_is_then_the_same(self) -> None:
        with SmscPeer(receipt_after=0.05, receipt_times=2) as peer:
            first, second = received(peer, receipts=2).receipts
        assert first == second

    def test_each_part_of_a_long_message_has_one(self) -> None:
        with SmscPeer() as peer:
            receipts = received(peer, receipts=2, text=LONG).receipts
        numbers = {one["id"] for one in peer.submitted}
        assert {one.provider_ids[0] for one in receipts} == numbers

    def test_one_by_data_sm_is_reported_and_answered(self) -> None:
        head = b"\0\x01\x0132470000001\0\x05\0Vivalia\0\x04\0\0"
        body = head + tlv(0x1E, b"71\0") + tlv(0x427, b"\x02")

        async def work(client: Client) -> None:
            peer.say(pdu(DATA, 5, body))
            await until(lambda: client.reports)

        with SmscPeer() as peer:
            (receipt,) = with_client(peer.url, work).receipts
        assert (receipt.provider_ids[0], receipt.state) == ("71", "delivered")


class TestAcknowledging:
    def test_only_once_it_is_stored_and_the_reader_goes_on_meanwhile(self) -> None:
        async def work(client: Client) -> None:
            stored = asyncio.Event()
            client.before_storing = stored.wait  # type: ignore[assignment]
            peer.send(BODIES[Word.DELIVERED])
            (result,) = await client.send(message())
            assert isinstance(result, Accepted)
            await asyncio.sleep(0.1)
            assert peer.acknowledged == []
            stored.set()
            await until(lambda: peer.acknowledged == [0])

        with SmscPeer(receipts=False) as peer:
            with_client(peer.url, work)

    def test_what_could_not_be_stored_comes_again(self) -> None:
        async def work(client: Client) -> None:
            tries = iter([OSError("database is away"), None])

            async def fail_once() -> None:
                if error := next(tries):
                    raise error

            client.before_storing = fail_once
            peer.send(BODIES[Word.DELIVERED])
            await until(lambda: len(client.reports) == 1)
            await until(lambda: len(peer.acknowledged) == 2)

        with SmscPeer() as peer:
            with_client(peer.url, work)
        assert peer.acknowledged == [consts.SMPP_ESME_RX_T_APPN, 0]

    def test_a_flood_is_taken_as_fast_as_it_can_be_stored(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(receipts_module, "MOST", 20)
        most = busy = 0

        async def work(client: Client) -> None:
            async def slow() -> None:
                nonlocal most, busy
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0.01)
                busy -= 1

            client.before_storing = slow
            peer.send(BODIES[Word.DELIVERED], times=300)
            await until(lambda: len(client.reports) == 300, 20)
            await until(lambda: peer.acknowledged.count(0) == 300)

        with SmscPeer() as peer:
            with_client(peer.url, work)
        assert most == 20

    def test_what_was_not_acknowledged_comes_over_the_next_connection(self) -> None:
        async def break_off(client: Client) -> None:
            client.before_storing = asyncio.Event().wait  # type: ignore[assignment]
            peer.send(BODIES[Word.DELIVERED])
            await until(lambda: not peer.waiting)
            peer.hang_up()
            await until(lambda: peer.waiting)

        async def come_back(client: Client) -> None:
            await until(lambda: client.reports)

        with SmscPeer() as peer:
            assert with_client(peer.url, break_off).reports == []
            assert len(with_client(peer.url, come_back).reports) == 1

    def test_what_cannot_be_read_is_refused_for_good(self) -> None:
        async def work(_client: Client) -> None:
            peer.send(BODIES[Word.GARBAGE])
            await until(lambda: peer.acknowledged)

        with SmscPeer() as peer:
            with_client(peer.url, work)
        assert peer.acknowledged == [consts.SMPP_ESME_RX_P_APPN]


def test_a_long_reply_is_reported_part_by_part() -> None:
    parts = [b"\x05\x00\x03\x07\x02\x01Je viens", b"\x05\x00\x03\x07\x02\x02 quand ?"]

    async def work(client: Client) -> None:
        for part in parts:
            peer.send(deliver_body(PHONE[1:], part, esm_class=0x40))
        await until(lambda: len(client.reports) == 2)

    with SmscPeer() as peer:
        replies = with_client(peer.url, work).reports
    texts = [reply.text for reply in replies if isinstance(reply, Inbound)]
    assert texts == ["Je viens", " quand ?"]
