"""Stories that once went wrong, each as short as it can be told."""

import datetime as dt

import pytest
import time_machine

from tests.builders import at
from tests.model.driver import Staff
from tests.model.plain import Bulletin, Clause, Row
from tests.model.story import SATURDAY_NOON, Step, told

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2022, 5, 16)
RADIOLOGY = Row(2, "radiology", at("2022-05-16 09:10"), groups=frozenset({"oncology"}))
CONSULTATION = Row(2, "consultation", at("2022-05-16 09:10"), groups=frozenset({"oncology"}))
CANCELLED = Clause("cancel", tell="cancelled")
MAINTAINED = Clause("maintain", tell="maintained")
ONCOLOGY_CANCELLED = Clause("cancel", tell="cancelled", groups=("oncology",))
SILENTLY_CANCELLED = Clause("cancel", services=("radiology",))
IN_PERSON = Clause("cancel", tell="cancelled", channel="phone")


def agenda(row: Row) -> Step:
    """An appointment is planned, or changes."""
    return Step("agenda", {"act": 1, "row": row})


def approve(clause: Clause) -> Step:
    """A bulletin about Monday comes into force, its SMS are due at once."""
    bulletin = Bulletin(MONDAY, MONDAY, (clause,))
    return Step("approve", {"bulletin": bulletin, "release_at": SATURDAY_NOON})


def withdraw(bulletin: int) -> Step:
    """A bulletin is lifted."""
    asked = {"restores": None, "sends_back": False, "by_sms": False}
    return Step("withdraw", {"bulletin": bulletin, **asked})


SMS_LEAVE = Step("sms_leave")
RECEIPT_FAILED = Step("receipt", {"nth": 0, "state": "failed"})
REFUSED = Step("answer", {"nth": 0, "answer": "refused"})
RESENT = Step("by_hand", {"nth": 0, "how": "resend"})
RINGS_IN = Step("ring_in", {"patient": 2})

STORIES = {
    "a person sends once more what the gateway says has failed": (
        *(agenda(RADIOLOGY), approve(CANCELLED), SMS_LEAVE, RECEIPT_FAILED, RESENT),
    ),
    "an SMS fails after another one that says otherwise waits": (
        *(agenda(RADIOLOGY), approve(MAINTAINED), SMS_LEAVE),
        *(approve(ONCOLOGY_CANCELLED), RECEIPT_FAILED),
    ),
    "an SMS is refused after its bulletin was lifted": (
        *(agenda(RADIOLOGY), approve(CANCELLED), SMS_LEAVE, withdraw(0), REFUSED),
    ),
    "a person says again what an SMS that failed may have contradicted": (
        *(agenda(RADIOLOGY), approve(IN_PERSON), withdraw(0), RINGS_IN),
        *(approve(SILENTLY_CANCELLED), SMS_LEAVE, agenda(CONSULTATION), RECEIPT_FAILED),
    ),
}


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("repeats", [True, False], ids=["idempotent", "not-idempotent"])
def test_the_application_agrees_with_the_model(name: str, repeats: bool) -> None:
    with time_machine.travel(SATURDAY_NOON):
        staff = Staff()
    story, fault = told(staff, list(STORIES[name]), honours_reference=repeats)
    assert not fault, f"{story}\n{fault}"
