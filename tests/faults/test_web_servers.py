"""Web servers killed while somebody presses a button: it was pressed or it was not."""

import random
import time

import pytest
from django.db import connection

from appointments.models import Bulletin, Decision
from notifications.models import Notice, Sending
from notifications.sending import switch as sending
from staff.models import AuditEvent
from tests.appointments.bulletins.builders import somebody_in_the_crisis_cell
from tests.faults.assertions import all_is_well, fates, verify_holds
from tests.faults.conftest import Opener
from tests.faults.hospital import a_bulletin_about, a_hospital_with
from tests.faults.people import SEEN, SHOWN, Person
from tests.faults.supervising import a_seed, answers
from tests.peer import Peer
from tests.processes import free_port, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
PATIENTS = 1500


def test_pause_pressed_on_a_dying_server_is_pressed_or_not(open_house: Opener) -> None:
    dice = random.Random(a_seed())
    a_hospital_with(200)
    member = somebody_in_the_crisis_cell("crise3")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Peer(seconds=0.5) as peer:
        house = open_house(peer)
        web = house.start_web(port)
        wait_until(lambda: answers(f"{url}/health/"))
        house.start_worker(beat=True)
        wait_until(lambda: len(peer.asked) >= 20)
        for _ in range(3):
            pressed = Person(member, url).press("/sending/pause/")
            time.sleep(dice.uniform(0.0, 0.1))
            house.kill(web)
            pressed.join(10)
            web = house.start_web(port)
            wait_until(lambda: answers(f"{url}/health/"))
            events = AuditEvent.objects.filter(action__startswith="sending.")
            last = events.order_by("-sequence").values_list("action", flat=True).first()
            assert Sending.is_paused() == (last == "sending.paused")
            sending.resume(by=member)
        peer.seconds = 0.0
        wait_until(lambda: fates().told == 200)
    all_is_well(peer, 200)


def has_ended() -> bool:
    """Whether the dead server's transaction is over: PostgreSQL learns of its death later."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend'
                   AND pid <> pg_backend_pid()"""
        )
        return cursor.fetchone() == (0,)


def is_whole(bulletin: Bulletin) -> bool:
    """Whether the bulletin decided and opened a notice for everybody, or for nobody."""
    bulletin.refresh_from_db()
    expected = PATIENTS if bulletin.state == "in_force" else 0
    return Decision.objects.count() == Notice.objects.count() == expected


def typed(page: str) -> dict[str, str]:
    """Return what the second person sends, with the number that the page asks for."""
    seen, shown = SEEN.search(page), SHOWN.search(page)
    assert seen
    assert shown
    return {"seen": seen[1], "shown": shown[1], "told": shown[1]}


def test_a_bulletin_approved_on_a_dying_server_is_in_force_for_all_or_for_nobody(
    open_house: Opener,
) -> None:
    dice = random.Random(a_seed())
    bulletin = a_bulletin_about(PATIENTS)
    member = somebody_in_the_crisis_cell("crise2")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    page = f"/bulletins/{bulletin.pk}/approve/"
    with Peer() as peer:
        house = open_house(peer)
        for longest in (0.2, 0.4, 0.6, 60.0):
            web = house.start_web(port)
            wait_until(lambda: answers(f"{url}/health/"))
            person = Person(member, url)
            pressed = person.press(page, **typed(person.read(page)))
            pressed.join(dice.uniform(0.0, longest) if longest < 1 else longest)
            house.kill(web)
            pressed.join(10)
            wait_until(has_ended)
            assert is_whole(bulletin)
            verify_holds()
            if bulletin.state == "in_force":
                break
        assert bulletin.state == "in_force"
        house.start_worker(beat=True)
        wait_until(lambda: fates().told == PATIENTS)
    all_is_well(peer, PATIENTS)
