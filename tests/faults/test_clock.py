"""The night of 25 October 2026, when the hour from two to three happens twice.

Real workers and a real beat whose clocks stand just before the second time: what the clock on
the wall shows goes back by an hour under their hands, and time must not.
"""

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator

import pytest
from aiohttp import web
from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import Delivery
from tests.builders import at
from tests.faults.assertions import all_is_well, fates, is_settled
from tests.faults.conftest import Opener
from tests.faults.hospital import a_bulletin_about, approve
from tests.faults.shifted import shifted
from tests.peer import Peer
from tests.processes import House, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
BACK = at("2026-10-25 02:00").replace(fold=1).astimezone(dt.UTC)  # 03:00 becomes 02:00
SLACK = dt.timedelta(seconds=6)


def seconds(number: float) -> dt.timedelta:
    return dt.timedelta(seconds=number)


class TimedPeer(Peer):
    """A peer that notes when it was asked, and may refuse some for now."""

    def __init__(self, *, refuses: Callable[[str], bool] = lambda phone: False) -> None:
        super().__init__()
        self._refuses = refuses
        self.asked_at: dict[str, dt.datetime] = {}
        self.refused: list[str] = []

    async def accept(self, request: web.Request, message: dict) -> web.StreamResponse:
        """Take the message, or refuse it the first time."""
        phone = message["to"]
        if self._refuses(phone) and phone not in self.refused:
            self.refused.append(phone)
            self.asked.remove(message)
            return web.json_response({"error": "unreachable", "temporary": True}, status=400)
        self.asked_at[phone] = timezone.now()
        return await super().accept(request, message)

    def times_of(self, hour: int) -> list[dt.datetime]:
        """Return when the patients of the consultations of an hour were sent their SMS."""
        return [moment for phone, moment in self.asked_at.items() if of(hour)(phone)]


@contextlib.contextmanager
def it_is(moment: dt.datetime) -> Iterator[tuple[str, ...]]:
    """Move this process's clock; give what moves those of other processes."""
    difference = moment.timestamp() - time.time()
    with shifted(difference):
        yield ("-m", "tests.faults.shifted", str(difference))


def start(house: House, through: tuple[str, ...]) -> None:
    """Start a worker and beat under the moved clock."""
    house.through = through
    house.start_worker()
    house.start_beat()


def of(hour: int) -> Callable[[str], bool]:
    """Return whether a phone is that of a patient with a consultation in this hour."""
    return lambda phone: phone[5:7] == f"{hour:02}"


def test_what_is_due_leaves_at_its_moment_in_the_hour_that_happens_twice(
    open_house: Opener,
) -> None:
    with TimedPeer(refuses=of(13)) as peer:
        with it_is(BACK - seconds(14)) as through:
            house = open_house(peer, SMS_LEASE_SECONDS="3", SMS_UNKNOWN_SECONDS="3")
            soon, later = BACK - seconds(4), BACK + seconds(3)
            for day, hour, release_at in ((26, 11, soon), (27, 12, later), (28, 13, soon)):
                starts_at = at(f"2026-10-{day} {hour}:10")
                approve(a_bulletin_about(10, starts_at=starts_at, release_at=release_at))
            start(house, through)
            wait_until(lambda: fates().told == 20)
            house.close()
        for hour, release_at in ((11, soon), (12, later)):
            assert min(peer.times_of(hour)) >= release_at
            assert max(peer.times_of(hour)) <= release_at + SLACK
        wait_a_minute_from(Delivery.objects.filter(number=1, failure="unreachable"), number=10)
        with it_is(BACK + seconds(90)) as through:
            start(house, through)
            wait_until(lambda: fates().told == 30)
            all_is_well(peer, 30)


def wait_a_minute_from(refused: QuerySet[Delivery], *, number: int) -> None:
    """Demand that so many refused SMS are tried again about a minute after they were refused."""
    retries = dict(
        Delivery.objects.filter(number=2, channel="sms", state="queued").values_list(
            "notice", "not_before"
        )
    )
    assert len(retries) == number
    for notice, refused_at in refused.values_list("notice", "finished_at"):
        assert refused_at + seconds(45) <= retries[notice] <= refused_at + seconds(75)


def test_an_sms_is_of_use_until_half_an_hour_before_the_second_time(open_house: Opener) -> None:
    with TimedPeer() as peer, it_is(BACK - seconds(6)) as through:
        house = open_house(peer)
        # 02:50 comes twice; the second time is 50 minutes away, though the wall shows 02:59.
        tonight = at("2026-10-25 02:50").replace(fold=1)
        release_at = BACK - dt.timedelta(hours=1)
        approve(a_bulletin_about(10, starts_at=tonight, release_at=release_at))
        start(house, through)
        wait_until(lambda: is_settled(10))
        found = all_is_well(peer, 10)
    assert found.told == 10


def test_a_worker_killed_before_the_hour_comes_back_is_missed_after_its_lease(
    open_house: Opener,
) -> None:
    with Peer(seconds=0.9) as peer, it_is(BACK - seconds(10)) as through:
        house = open_house(peer, SMS_LEASE_SECONDS="3", SMS_UNKNOWN_SECONDS="2")
        release_at = BACK - dt.timedelta(hours=1)
        starts_at = at("2026-10-26 11:10")
        approve(a_bulletin_about(200, starts_at=starts_at, release_at=release_at))
        house.through = through
        worker = house.start_worker()
        house.start_beat()
        wait_until(lambda: len(peer.asked) >= 30)
        wait_until(lambda: timezone.now() >= BACK - seconds(2))
        house.kill(worker)
        lost = set(Delivery.objects.filter(state="submitting").values_list("notice", flat=True))
        assert lost
        peer.seconds = 0.0
        house.start_worker()
        wait_until(lambda: is_settled(200))
        assert timezone.now() <= BACK + seconds(20)
        calls = Delivery.objects.filter(channel="phone", state="queued")
        assert set(calls.values_list("notice", flat=True)) == lost
        missed = dict(calls.values_list("notice", "not_before"))
        left = Delivery.objects.filter(channel="sms", notice__in=lost)
        for notice, submitted_at in left.values_list("notice", "submitted_at"):
            assert missed[notice] >= submitted_at + seconds(3) + seconds(2)
        all_is_well(peer, 200)


def test_quiet_hours_until_two_end_when_it_is_two_for_the_last_time(open_house: Opener) -> None:
    with TimedPeer() as peer, it_is(BACK - seconds(8)) as through:
        house = open_house(peer, TEST_QUIET_HOURS="21:00-02:00")
        release_at = BACK - dt.timedelta(hours=3)
        approve(a_bulletin_about(10, starts_at=at("2026-10-26 11:10"), release_at=release_at))
        start(house, through)
        wait_until(lambda: fates().told == 10)
        assert min(peer.asked_at.values()) >= BACK
        assert max(peer.asked_at.values()) <= BACK + SLACK
        all_is_well(peer, 10)
