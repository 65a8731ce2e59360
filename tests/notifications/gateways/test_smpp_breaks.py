"""The SMPP gateway when the SMSC falls silent, breaks off, or comes back."""

import asyncio

from notifications.gateways import Accepted, NotSent, Options, Result, Unknown
from notifications.gateways.smpp.session import Session, Silence
from notifications.gateways.smpp.submission import Submission
from tests.notifications.gateways.smpp_client import (
    Client,
    message,
    until,
    with_client,
    with_slow_peer,
)
from tests.smpp_peer import SmscPeer


class TestSilence:
    def test_a_peer_that_hangs_leaves_one_window_unknown_and_gets_nothing_more(self) -> None:
        results: list[Result] = []

        async def work(client: Client) -> None:
            results.extend(await client.send(*[message(number=n) for n in range(12)]))
            results.extend(await client.send(message(number=12)))

        with SmscPeer(behaviour="deaf") as peer:
            with_client(peer.url.replace("timeout=1", "timeout=0.4") + "&window=4", work)
        assert [type(one) for one in results] == [Unknown] * 4 + [NotSent] * 9
        assert len(peer.submitted) == 4

    def test_a_place_given_while_the_session_is_in_doubt_is_given_back(self) -> None:
        async def day() -> Submission:
            session = Session(Options(window=1, timeout=1), lambda _session, _pdu: None)
            session.bound = True
            await session.window.take(1)
            waiting = Submission(parts=[{"short_message": b"a"}], on_late=lambda _late: None)
            sending = asyncio.ensure_future(waiting.send(session))
            await asyncio.sleep(0)
            session.in_doubt = True
            session.window.give_back()
            await asyncio.wait_for(sending, 1)
            assert session.window.free == 1
            return waiting

        assert asyncio.run(day()).outcomes == [Silence.NOT_WRITTEN]

    def test_without_any_sign_of_life_the_session_ends_and_a_new_one_is_made(self) -> None:
        async def work(client: Client) -> None:
            assert isinstance((await client.send(message()))[0], Unknown)
            await until(lambda: len(peer.binds) == 2)
            peer.behaviour = "answers"
            await asyncio.sleep(0.1)
            assert isinstance((await client.send(message(number=1)))[0], Accepted)

        with SmscPeer(behaviour="deaf") as peer:
            with_client(peer.url.replace("timeout=1", "timeout=0.3"), work)

    def test_an_acceptance_after_its_time_is_reported_with_its_number(self) -> None:
        async def work(client: Client) -> None:
            (result,) = await client.send(message())
            assert isinstance(result, Unknown)
            await until(lambda: client.reports)

        with SmscPeer(receipts=False) as peer:
            client = with_slow_peer(peer, 0.7, "&timeout=0.5", work)
        (late,) = client.receipts
        assert (late.state, late.reference, late.phone) == ("on_its_way", "ref0000", "+32470000000")
        assert late.provider_ids == (peer.submitted[0]["id"],)

    def test_a_refusal_after_its_time_is_reported_too(self) -> None:
        async def work(client: Client) -> None:
            await client.send(message())
            await until(lambda: client.reports)

        with SmscPeer(judge=lambda _one: 0x0B) as peer:
            client = with_slow_peer(peer, 0.7, "&timeout=0.5", work)
        (late,) = client.receipts
        assert (late.state, late.failure) == ("failed", "invalid_number")


class TestBreaks:
    def test_what_was_submitted_is_unknown_and_what_waited_was_not_sent(self) -> None:
        results: list[Result] = []

        async def work(client: Client) -> None:
            sending = asyncio.ensure_future(client.send(*[message(number=n) for n in range(7)]))
            await until(lambda: len(peer.submitted) == 3)
            peer.hang_up()
            results.extend(await sending)

        with SmscPeer() as peer:
            with_slow_peer(peer, 5, "&timeout=9&window=3", work)
        kinds = [type(one) for one in results]
        assert kinds == [Unknown] * 3 + [NotSent] * 4
        assert len(peer.submitted) == 3

    def test_it_reconnects_after_a_break(self) -> None:
        async def work(client: Client) -> None:
            peer.hang_up()
            await until(lambda: len(peer.binds) == 2)
            await asyncio.sleep(0.1)
            assert isinstance((await client.send(message()))[0], Accepted)

        with SmscPeer() as peer:
            with_client(peer.url, work)

    def test_it_reconnects_after_the_peer_unbound(self) -> None:
        async def work(client: Client) -> None:
            peer.say(bytes.fromhex("00000010000000060000000000000009"))
            await until(lambda: len(peer.binds) == 2)

        with SmscPeer() as peer:
            with_client(peer.url, work)

    def test_what_was_submitted_before_the_peer_unbound_still_gets_its_answer(self) -> None:
        results: list[Result] = []

        async def work(client: Client) -> None:
            sending = asyncio.ensure_future(client.send(message()))
            await until(lambda: peer.submitted)
            peer.say(bytes.fromhex("00000010000000060000000000000009"))
            await asyncio.sleep(0.05)
            results.extend(await client.send(message(number=1)))
            results.extend(await sending)
            await until(lambda: len(peer.binds) == 2)

        with SmscPeer() as peer:
            with_slow_peer(peer, 0.3, "&timeout=2", work)
        assert [type(one) for one in results] == [NotSent, Accepted]

    def test_a_peer_that_is_not_there_yet_is_found_later(self) -> None:
        async def work(client: Client) -> None:
            assert isinstance((await client.send(message()))[0], NotSent)
            with SmscPeer(port=port) as peer:
                await until(lambda: peer.binds)
                await asyncio.sleep(0.1)
                assert isinstance((await client.send(message()))[0], Accepted)

        with SmscPeer() as gone:
            port, url = gone.port, gone.url
        with_client(url, work)

    def test_a_peer_that_does_not_know_our_session_any_more_is_bound_again(self) -> None:
        async def work(client: Client) -> None:
            results = await client.send(*[message(number=n) for n in range(5)])
            assert [type(one) for one in results] == [NotSent] * 5  # none of them in doubt
            peer.judge = None
            await until(lambda: len(peer.binds) == 2)

        with SmscPeer(judge=lambda _one: 0x04) as peer:
            with_client(peer.url, work)

    def test_what_is_no_command_is_answered_as_such(self) -> None:
        async def work(client: Client) -> None:
            peer.say(bytes.fromhex("00000010000001110000000000000007"))
            await until(lambda: peer.refused_commands)
            assert isinstance((await client.send(message()))[0], Accepted)

        with SmscPeer() as peer:
            with_client(peer.url, work)
        assert peer.refused_commands == [3]


def test_a_cancellation_that_meets_the_answer_is_not_lost() -> None:
    async def day() -> None:
        session = Session(Options(window=1, timeout=1), lambda _session, _pdu: None)
        asking = asyncio.ensure_future(session.ask("enquire_link"))
        await asyncio.sleep(0)
        session.data_received(bytes.fromhex("00000010800000150000000000000001"))
        asking.cancel()
        await asyncio.wait([asking], timeout=1)
        assert asking.cancelled()

    asyncio.run(day())
