"""The thirteen promises of DESIGN.md section 6, checked against the data in the database.

Tests check the code. This checks the data, after a crash, a restore or a change made outside the
code. Each check is one or two statements over whole tables and yields sentences; none means that
the promise holds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vivalia_continuity.promises import facts, fates, messages, told

Check = Callable[[], Iterator[str]]


@dataclass(frozen=True)
class Promise:
    """One promise; without checks, only tests can verify it."""

    number: int
    title: str
    checks: tuple[Check, ...]

    def faults(self) -> list[str]:
        """Return one sentence per way in which the data breaks the promise."""
        return [sentence for check in self.checks for sentence in check()]


PROMISES = (
    Promise(
        1,
        "Prévenu une seule fois",
        (
            told.two_sms_handed_over,
            told.reference_shared,
            told.two_notices_pending,
            told.same_word_twice,
            told.item_repeated,
        ),
    ),
    Promise(
        2,
        "Personne d'oublié",
        (
            told.decided_but_not_told,
            told.told_otherwise,
            told.open_without_a_try,
            told.waiting_in_vain,
            told.unreachable_without_a_try,
            told.told_without_a_hand_over,
        ),
    ),
    Promise(3, "Aucun SMS à un patient gardé", (messages.sms_against_a_standing_decision,)),
    Promise(
        4,
        "L'inconnu est un état",
        (
            fates.unknown_and_unlisted,
            fates.unknown_for_ever,
            fates.left_hanging,
            fates.accepted_for_ever,
            fates.delivered_and_not_told,
            fates.receipt_ignored,
        ),
    ),
    Promise(5, "Stop veut dire stop", (messages.sent_while_paused,)),
    Promise(6, "Rien de médical dans un SMS", (messages.bodies,)),
    Promise(7, "Les urgences ne sont jamais annulées", (facts.emergency_cancelled,)),
    Promise(8, "Chacun ne voit que les siens", ()),
    Promise(
        9,
        "Rien ne se corrige en cachette",
        (
            facts.chain,
            facts.decisions_without_an_event,
            facts.orders_and_loads_without_an_event,
            facts.guards_gone,
            facts.outcome_differs,
            facts.version_gap,
            facts.two_people,
        ),
    ),
    Promise(
        10,
        "Un mauvais fichier ne casse rien",
        (facts.rejected_without_a_reason, facts.wrong_day, facts.for_another_day),
    ),
    Promise(11, "Les vieilles données se voient", (facts.age_unknown,)),
    Promise(12, "Personne n'est confondu avec un autre", ()),
    Promise(13, "Ce qui est dit est ce qui vaut", ()),
)
