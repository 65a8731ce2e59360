"""The bulletin of 14 May 2022 and its people, for tests."""

import datetime as dt

from appointments.bulletins import services as bulletins
from appointments.bulletins import withdrawals
from appointments.models import Bulletin, BulletinState
from appointments.rules import ClauseTerms
from staff.models import User
from tests.builders import MONDAY, a_user, at

RELEASE = at("2022-05-15 18:00")
SATURDAY_NOON = at("2022-05-14 12:00")
MONDAY_NOON = at("2022-05-16 12:00")

THE_DAY = (
    ClauseTerms(
        "cancel",
        "cancelled",
        kept_by="doctor",
        keep_until=RELEASE,
        services=("consultation",),
    ),
    ClauseTerms(
        "case_by_case",
        "both",
        channel="phone",
        kept_by="medical_director",
        services=("surgery",),
    ),
    ClauseTerms("cancel", "cancelled", services=("radiology", "nuclear_medicine")),
    ClauseTerms("maintain", "nobody", services=("blood_sampling",)),
    ClauseTerms("cancel", "cancelled", services=("covid_centre",)),
    ClauseTerms("maintain", "nobody", services=("emergency",)),
)


def somebody_in_the_crisis_cell(name: str) -> User:
    """Return the crisis cell member of this name, made on first use."""
    return User.objects.filter(username=name).first() or a_user(name, "crisis_cell")


def a_draft(
    *clauses: ClauseTerms, first_day: dt.date = MONDAY, last_day: dt.date | None = None
) -> Bulletin:
    """Return a draft that ``crise1`` calls ready: that of the day unless clauses are given."""
    author = somebody_in_the_crisis_cell("crise1")
    draft = bulletins.draft(
        by=author,
        title="Essai",
        first_day=first_day,
        last_day=last_day or first_day,
        release_at=RELEASE,
        clauses=clauses or THE_DAY,
    )
    return bulletins.ready(bulletin_id=draft.pk, by=author)


def in_force(*clauses: ClauseTerms, **window) -> Bulletin:
    """Return a bulletin approved by ``crise2``."""
    return approved(a_draft(*clauses, **window))


def withdrawn(bulletin_id: int, reason: str = "Reprise", by: str = "crise2", **asked) -> Bulletin:
    """Withdraw a bulletin: somebody asks for it, another member of the crisis cell does it."""
    asker = somebody_in_the_crisis_cell("crise3" if by != "crise3" else "crise2")
    withdrawals.ask_withdrawal(bulletin_id=bulletin_id, by=asker, reason=reason, **asked)
    return withdrawals.withdraw(bulletin_id=bulletin_id, by=somebody_in_the_crisis_cell(by))


def approved(bulletin: Bulletin) -> Bulletin:
    """Approve a draft in the name of ``crise2``, as soon as its author calls it ready."""
    if bulletin.state == BulletinState.DRAFT:
        bulletins.ready(bulletin_id=bulletin.pk, by=bulletin.drafted_by)
    return bulletins.approve(bulletin_id=bulletin.pk, by=somebody_in_the_crisis_cell("crise2"))
