"""The window: never more than so many, first come first served, nothing lost."""

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from notifications.gateways.smpp.session import Window


async def turn() -> None:
    """Let the others go on."""
    for _ in range(3):
        await asyncio.sleep(0)


@given(st.integers(1, 5), st.lists(st.integers(1, 5), max_size=30), st.randoms())
def test_never_more_than_its_size_and_all_get_in_in_order(
    size: int, wishes: list[int], chance: random.Random
) -> None:
    async def crowd() -> None:
        window, taken, most, order = Window(size), 0, 0, []

        async def one(n: int, wanted: int) -> None:
            nonlocal taken, most
            await window.take(wanted)
            order.append(n)
            taken += wanted
            most = max(most, taken)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            taken -= wanted
            window.give_back(wanted)

        wanted = [min(wish, size) for wish in wishes]
        await asyncio.gather(*(one(n, wish) for n, wish in enumerate(wanted)))
        assert most <= size
        assert window.free == size
        assert order == sorted(order)

    asyncio.run(crowd())


def test_a_cancelled_task_keeps_no_place() -> None:
    async def day() -> None:
        window = Window(2)
        await window.take(2)
        first = asyncio.ensure_future(window.take(2))
        second = asyncio.ensure_future(window.take(1))
        await turn()
        window.give_back(1)
        await turn()
        assert not second.done()  # it came after the one who wants two
        first.cancel()
        await turn()
        assert second.done()
        window.give_back(2)
        assert window.free == 2

    asyncio.run(day())


def test_a_task_cancelled_while_it_gets_a_place_gives_it_back() -> None:
    async def day() -> None:
        window = Window(1)
        await window.take(1)
        waiting = asyncio.ensure_future(window.take(1))
        await turn()
        window.give_back(1)
        waiting.cancel()
        await turn()
        assert window.free == 1

    asyncio.run(day())


def test_what_waits_when_it_closes_gets_no_place() -> None:
    async def day() -> None:
        window = Window(1)
        await window.take(1)
        waiting = asyncio.ensure_future(window.take(1))
        await turn()
        window.close()
        assert not await waiting
        assert not await window.take(1)

    asyncio.run(day())
