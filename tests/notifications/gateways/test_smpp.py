"""The SMPP gateway, against a real server that misbehaves."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from notifications.gateways import (
    Accepted,
    Gateway,
    Message,
    ReceiptReport,
    Refused,
    Sent,
    Throttled,
    Unknown,
    gateway_from_url,
)
from tests.notifications.gateways.conformance import (
    PATIENCE,
    Behaviour,
    ConformsOverANetwork,
    a_door_that_stays_shut,
    a_port_where_nobody_listens,
    some_messages,
    submit,
)
from tests.notifications.gateways.smpp_client import (
    LONG,
    Client,
    message,
    with_client,
)
from tests.smpp_peer import SmscPeer

PEERS: dict[Behaviour, dict[str, Any]] = {
    Behaviour.ACCEPTS: {},
    Behaviour.REJECTS: {"judge": lambda _one: 0x0B},
    Behaviour.REJECTS_FOR_NOW: {"judge": lambda _one: 0x45},
    Behaviour.REJECTS_ODD_NUMBERS: {"judge": lambda one: 0x0B if int(one["to"][-1]) % 2 else 0},
    Behaviour.THROTTLES: {"judge": lambda _one: 0x58},
    Behaviour.LETS_NOBODY_IN: {"bind_status": 0x0E},
    Behaviour.HANGS: {"behaviour": "hangs"},
    Behaviour.CLOSES_AT_ONCE: {"behaviour": "closes at once"},
    Behaviour.CLOSES_MID_ANSWER: {"behaviour": "closes mid-answer"},
    Behaviour.ANSWERS_GARBAGE: {"behaviour": "garbage"},
    Behaviour.IS_BROKEN: {"judge": lambda _one: 0xFF},
}


NOBODY = {
    Behaviour.IS_AWAY: a_port_where_nobody_listens,
    Behaviour.NEVER_CONNECTS: a_door_that_stays_shut,
}


class TestSmpp(ConformsOverANetwork):
    secrets = ("s3cret",)
    waits_for = 1.0  # SMPP names no time

    @contextlib.contextmanager
    def _to_nobody(self, behaviour: Behaviour) -> Iterator[Gateway]:
        with NOBODY[behaviour]() as port:
            yield gateway_from_url(f"smpp://vivalia:s3cret@127.0.0.1:{port}?timeout={PATIENCE}")

    @contextlib.contextmanager
    def _to_peer(self, behaviour: Behaviour) -> Iterator[Gateway]:
        with SmscPeer(**PEERS[behaviour]) as peer:
            yield gateway_from_url(peer.url.replace("timeout=1", f"timeout={PATIENCE}"))

    def gateway_to(self, behaviour: Behaviour) -> AbstractContextManager[Gateway]:
        """Return a gateway whose peer behaves so."""
        if behaviour in NOBODY:
            return self._to_nobody(behaviour)
        return self._to_peer(behaviour)


class TestWhatIsSent:
    def test_a_message_arrives_with_its_sender_and_asks_for_a_receipt(self) -> None:
        with SmscPeer() as peer:
            submit(gateway_from_url(peer.url), some_messages(1))
        (one,) = peer.submitted
        assert peer.texts == [("+32470000000", "Ne venez pas. É€")]
        assert (one["source"], one["source_ton"], one["source_npi"]) == ("Vivalia", 5, 0)
        assert (one["registered"], one["esm_class"], one["coding"]) == (1, 0, 0)
        assert peer.binds == [{"system_id": "vivalia", "password": "s3cret", "system_type": ""}]

    def test_the_bind_names_user_password_and_system_type_of_the_url(self) -> None:
        with SmscPeer() as peer:
            url = peer.url.replace("vivalia:s3cret", "viva%40lia:s3%3Acret")
            submit(gateway_from_url(f"{url}&system_type=VMS"), some_messages(1))
        bind = {"system_id": "viva@lia", "password": "s3:cret", "system_type": "VMS"}
        assert peer.binds == [bind]

    def test_a_sender_of_digits_is_an_international_number(self) -> None:
        with SmscPeer() as peer:
            url = peer.url.replace("sender=Vivalia", "sender=%2B3261230000")
            submit(gateway_from_url(url), some_messages(1))
        (one,) = peer.submitted
        assert (one["source"], one["source_ton"], one["source_npi"]) == ("3261230000", 1, 1)

    def test_the_sender_of_a_site_goes_before_that_of_the_gateway(self) -> None:
        mine = Message("ref", "+32470000000", "Ne venez pas.", sender="Hôpital Arlon")
        with SmscPeer() as peer:
            submit(gateway_from_url(peer.url), [mine])
        assert peer.submitted[0]["source"] == "Hopital Arl"

    def test_receipts_and_validity_are_as_the_url_says(self) -> None:
        with SmscPeer() as peer:
            gateway = gateway_from_url(peer.url + "&receipts=0&validity=1500")
            submit(gateway, some_messages(1))
        assert not gateway.has_receipts
        assert peer.submitted[0]["registered"] == 0
        assert peer.submitted[0]["validity"] == "000001010000000R"

    def test_the_smsc_tries_no_longer_than_the_message_is_of_use(self) -> None:
        soon, now, long = (
            Message(f"r{lasts}", "+32470000000", "Ne venez pas.", lasts=lasts)
            for lasts in (3960, 60, None)
        )
        with SmscPeer() as peer:
            submit(gateway_from_url(peer.url + "&validity=1500"), [soon, now, long])
        validities = {one["validity"] for one in peer.submitted}
        assert validities == {"000000010600000R", "000000000100000R", "000001010000000R"}

    def test_it_unbinds(self) -> None:
        with SmscPeer() as peer:
            submit(gateway_from_url(peer.url), some_messages(1))
        assert peer.unbinds == 1

    def test_a_number_that_is_none_never_leaves(self) -> None:
        with SmscPeer() as peer:
            ((_reference, result),) = submit(
                gateway_from_url(peer.url), [Message("ref", "0470/12", "Ne venez pas.")]
            )
        assert isinstance(result, Refused)
        assert result.failure == "invalid_number"
        assert peer.submitted == []


class TestLongMessages:
    def test_the_parts_leave_back_to_back_and_each_has_its_number(self) -> None:
        with SmscPeer(latency=0.02) as peer:
            answers = submit(gateway_from_url(peer.url), [message(LONG, n) for n in range(5)])
        assert [text for _phone, text in peer.texts] == [LONG] * 5
        order = [(one["to"][-1], one["part"]) for one in peer.submitted]
        assert order == [(str(n), part) for n in range(5) for part in (1, 2)]
        for _reference, result in answers:
            assert isinstance(result, Accepted)
            assert len({result.provider_id, *result.more_ids}) == 2

    def test_two_to_one_phone_have_different_references(self) -> None:
        with SmscPeer() as peer:
            submit(gateway_from_url(peer.url), [message(LONG), message(LONG + "!")])
        assert len({one["reference"] for one in peer.submitted}) == 2
        assert {text for _phone, text in peer.texts} == {LONG, LONG + "!"}

    def test_in_one_piece_where_the_smsc_cuts_itself(self) -> None:
        with SmscPeer() as peer:
            submit(gateway_from_url(peer.url + "&long=payload"), [message(LONG)])
        assert peer.texts == [("+32470000000", LONG)]
        assert len(peer.submitted) == 1

    def test_more_parts_than_the_window_arrive_in_order(self) -> None:
        with SmscPeer(latency=0.01) as peer:
            url = peer.url + "&window=2"
            ((_reference, result),) = submit(gateway_from_url(url), [message(LONG * 3)])
        assert isinstance(result, Accepted)
        assert peer.texts == [("+32470000000", LONG * 3)]
        assert peer.most_outstanding <= 2

    def test_one_part_taken_and_one_refused_is_unknown(self) -> None:
        with SmscPeer(judge=lambda one: 0x0B if one["part"] == 2 else 0) as peer:
            ((_reference, result),) = submit(gateway_from_url(peer.url), [message(LONG)])
        assert isinstance(result, Unknown)
        assert "1 parties sur 2" in result.remark

    def test_none_taken_is_refused_as_the_first_one(self) -> None:
        with SmscPeer(judge=lambda one: 0x0B if one["part"] == 1 else 0x45) as peer:
            ((_reference, result),) = submit(gateway_from_url(peer.url), [message(LONG)])
        assert isinstance(result, Refused)
        assert result.failure == "invalid_number"

    def test_a_part_that_came_too_fast_follows_the_others(self) -> None:
        seen: list[int] = []

        def judge(one: dict[str, Any]) -> int:
            seen.append(one["part"])
            return 0x58 if seen == [1, 2] else 0

        with SmscPeer(judge=judge) as peer:
            url = peer.url.replace("timeout=1", "timeout=3")
            ((_reference, result),) = submit(gateway_from_url(url), [message(LONG)])
        assert isinstance(result, Accepted)
        assert seen == [1, 2, 2]
        assert result.more_ids


class TestTheWindow:
    def test_it_is_full_and_never_fuller_also_with_long_messages(self) -> None:
        with SmscPeer(latency=0.03) as peer:
            url = peer.url + "&window=6"
            submit(gateway_from_url(url), [message(LONG, n) for n in range(30)])
        assert len(peer.submitted) == 60
        assert peer.most_outstanding == 6

    def test_what_has_no_answer_keeps_its_place_while_the_peer_may_be_at_work(self) -> None:
        async def work(client: Client) -> None:
            await client.send(*[message(number=n) for n in range(9)])

        with SmscPeer(behaviour="hangs") as peer:  # but answers enquire_link
            with_client(peer.url.replace("timeout=1", "timeout=0.3") + "&window=3", work)
        times = [one["at"] for one in peer.submitted]
        assert len(times) == 9
        assert times[2] - times[0] < 0.1
        assert times[3] - times[2] > 0.55


class TestThrottling:
    def test_the_wait_grows_once_for_a_window_of_answers(self) -> None:
        waits: list[float] = []

        async def work(client: Client) -> None:
            for _ in range(3):
                results = await client.send(*[message(number=n) for n in range(10)])
                waits.append(max(one.retry_after for one in results if isinstance(one, Throttled)))

        with SmscPeer(latency=0.01, judge=lambda _one: 0x14) as peer:
            with_client(peer.url, work)
        assert waits == [1.0, 2.0, 4.0]


class TestQuery:
    def test_it_asks_about_what_has_a_number(self) -> None:
        answers: list[ReceiptReport | None] = []

        async def work(client: Client) -> None:
            answers.extend(
                await client.gateway.query(
                    [
                        Sent("a", "1", "+32470000000"),
                        Sent("b", "5", "+32470000001"),
                        Sent("c", "", "+32470000002"),
                        Sent("d", "77", "+32470000003"),
                        Sent("e", "7", "+32470000004"),
                    ]
                )
            )

        with SmscPeer() as peer:
            peer.states = {"1": 2, "5": 5, "7": 7}
            with_client(peer.url, work)
        delivered, failed, *unsure = answers
        assert delivered
        assert (delivered.state, delivered.reference) == ("delivered", "a")
        assert delivered.happened_at
        assert delivered.happened_at.isoformat() == "2022-05-14T12:01:00+00:00"
        assert failed
        assert (failed.state, failed.failure) == ("failed", "unreachable")
        assert unsure == [None, None, None]

    def test_it_names_the_sender_of_the_submission(self) -> None:
        async def work(client: Client) -> None:
            site = Sent("a", "1", "+32470000000", sender="Hôpital Arlon")
            await client.gateway.query([site, Sent("b", "2", "+32470000001")])

        with SmscPeer() as peer:
            with_client(peer.url, work)
        assert sorted(peer.queried) == [("1", "Hopital Arl", 5, 0), ("2", "Vivalia", 5, 0)]
