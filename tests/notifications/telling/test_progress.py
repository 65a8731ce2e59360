"""How far the telling is, on the board and in a terminal."""

import datetime as dt
import json

import pytest
from django.core.management import call_command

from notifications.telling.progress import notices_by_state, notices_in, progress
from tests.builders import a_patient, a_site, a_user
from tests.notifications.builders import SUNDAY, FakeGateway, a_call, a_notice, an_sms, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sunday")]


def test_it_counts_what_is_done_and_what_is_left() -> None:
    an_sms()
    an_sms()
    send(FakeGateway())
    an_sms()
    an_sms(state="withdrawn")
    a_call()
    counts = progress()
    assert (counts.sms_total, counts.sms_done, counts.calls_left) == (3, 2, 1)
    assert (notices_by_state()["told"], counts.told, counts.to_tell) == (2, 2, 5)
    assert counts.deliveries["sms"]["accepted"] == 2


def test_a_site_counts_its_own(django_assert_max_num_queries) -> None:
    an_sms(a_notice(site=a_site("virton")))
    an_sms()
    local = a_user("local", "crisis_cell", site=a_site("arlon"))
    with django_assert_max_num_queries(5):
        assert progress(local).sms_total == 1


def test_a_unit_counts_its_sites_notices_once() -> None:
    from tests.builders import a_unit

    an_sms()
    a_unit("arlon-a")
    local = a_user("local", "crisis_cell", unit=a_unit("arlon-b"))
    assert progress(local).sms_total == 1


def test_the_command_prints_sentences_and_json(capsys) -> None:
    an_sms()
    call_command("notices")
    assert "Appels à passer : 0" in capsys.readouterr().out
    call_command("notices", "--json")
    counts = json.loads(capsys.readouterr().out)
    assert counts["deliveries"]["sms"]["held"] == 1
    assert counts["notices"]["open"] == 1


def test_weeks_ago_is_over_but_what_is_still_open_counts() -> None:
    old = [("2022-05-02 09:10", "cancelled")]
    done = a_notice(items=old, state="told", settled_at=SUNDAY, handed_over_at=SUNDAY)
    an_sms(done, state="accepted")
    a_call(a_notice(items=old))
    yesterday = a_notice(items=[("2022-05-14 09:10", "cancelled")])
    an_sms(yesterday, state="queued")
    counts = progress()
    assert (counts.to_tell, counts.told) == (2, 0)
    assert (counts.sms_total, counts.sms_waiting, counts.calls_left) == (1, 1, 1)
    assert progress(since=dt.date.min).sms_total == 2


def test_what_did_not_reach_anybody_is_one_number() -> None:
    for state in ("failed", "expired", "suppressed", "withdrawn", "delivered"):
        an_sms(state=state, finished_at=SUNDAY)
    assert progress().sms_not_reached == 3


def test_the_command_counts_past_days_when_asked(capsys) -> None:
    an_sms(
        a_notice(
            items=[("2022-05-02 09:10", "cancelled")],
            state="told",
            settled_at=SUNDAY,
            handed_over_at=SUNDAY,
        ),
        state="accepted",
    )
    for options, number in (((), 0), (("--all",), 1)):
        call_command("notices", "--json", *options)
        assert json.loads(capsys.readouterr().out)["notices"]["told"] == number


CANCELLED, MAINTAINED = (("2022-05-16 09:10", word) for word in ("cancelled", "maintained"))
TOLD = {"state": "told", "settled_at": SUNDAY, "handed_over_at": SUNDAY}
UNREACHABLE = {"state": "unreachable", "settled_at": SUNDAY}
WITHDRAWN = {"state": "withdrawn", "settled_at": SUNDAY}
OPEN: dict[str, object] = {}


@pytest.mark.parametrize(
    ("versions", "counted"),
    [
        ([TOLD, OPEN], "open"),
        ([TOLD, UNREACHABLE], "unreachable"),
        ([TOLD, TOLD], "told"),
        ([UNREACHABLE, TOLD], "told"),
        ([UNREACHABLE, WITHDRAWN], "unreachable"),
        ([TOLD, WITHDRAWN], "told"),
        ([TOLD, WITHDRAWN, OPEN], "open"),
        ([OPEN | {"handed_over_at": SUNDAY}, TOLD], "open"),
        ([OPEN | {"handed_over_at": SUNDAY}, OPEN], "open"),
        ([WITHDRAWN], None),
    ],
)
def test_a_patient_counts_once_by_the_last_word_to_them(versions, counted) -> None:
    patient = a_patient()
    for number, fields in enumerate(versions, start=1):
        a_notice(patient=patient, version=number, items=[CANCELLED], **fields)
    a_notice(patient=patient, items=[("2022-05-17 09:10", "cancelled")], **TOLD)
    counts = progress()
    expected = {"open": 0, "told": 1, "unreachable": 0}
    if counted:
        expected[counted] += 1
    assert counts.patients == expected
    assert (counts.told, counts.to_tell) == (expected["told"], sum(expected.values()))
    user = a_user("everywhere", "crisis_cell")
    for state, number in expected.items():
        assert notices_in(user, state).count() == number


def test_after_a_withdrawal_nobody_knows_yet(capsys) -> None:
    for _ in range(3):
        patient = a_patient()
        an_sms(a_notice(patient=patient, items=[CANCELLED], **TOLD), state="delivered")
        a_call(a_notice(patient=patient, items=[MAINTAINED], version=2))
    counts = progress()
    assert (counts.told, counts.to_tell, counts.patients["open"]) == (0, 3, 3)
    assert notices_by_state()["told"] == 3
    call_command("notices")
    assert "Patients prévenus : 0 sur 3" in capsys.readouterr().out
