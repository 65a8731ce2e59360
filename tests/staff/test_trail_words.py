"""Every action that the code records is said in words, and so is every fact beside it."""

import ast
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from appointments.models import ConflictState, RefusedState
from notifications.calls.services import CallResult
from notifications.models import ReplyOutcome
from notifications.telling import by_hand
from staff import trail_words
from staff.models import AuditEvent
from staff.services import audit
from staff.sign_in.limits import SignInStep

ROOT = Path(__file__).resolve().parents[2]
APPS = ("staff", "patients", "notifications", "appointments", "vivalia_continuity")
# What the blank of an action's name may be, by the name as the source writes it.
BLANKS = {
    "account.{}_failed": SignInStep.values,
    "account.factor_{}": ["added", "removed", "reset"],
    "call.{}": list(CallResult),
    "conflict.{}": [ConflictState.ACCEPTED, ConflictState.REFUSED],
    "reply.{}": ReplyOutcome.values,
    "schedule.refused_row_{}": [state for state in RefusedState if state != RefusedState.OPEN],
    "sms_{}.viewed": by_hand.QUEUES,
    "{}.deleted": ["site", "unit"],
    "{}.{}": [],  # any kind of reference data, "added" or "changed": tested below
}
# Handed on under a name: the functions that take it, with the place of the action.
HANDED_ON = re.compile(r'"([a-z_]+\.[a-z_]+)"')


def sources() -> Iterator[tuple[Path, str]]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path, path.read_text(encoding="utf-8")


def recorded() -> Iterator[tuple[Path, ast.Call, str]]:
    """Yield each call of ``audit.record`` with the text of its module."""
    for path, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                yield path, node, text


def action_of(call: ast.Call) -> ast.expr:
    return next(one.value for one in call.keywords if one.arg == "action")


def named(expression: ast.expr, text: str) -> Iterator[str]:
    """Yield the actions that an expression may stand for."""
    if isinstance(expression, ast.Constant):
        yield str(expression.value)
    elif isinstance(expression, ast.JoinedStr):
        form = "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}"
            for part in expression.values
        )
        assert form in BLANKS, f"say in BLANKS what {form} may be"
        yield from (form.format(value) for value in BLANKS[form])
    else:  # a parameter: whatever the module and its siblings hand on
        yield from HANDED_ON.findall(text)


def handed_on(path: Path, text: str) -> str:
    """Return what is given as ``action`` in a module's app, and to the recorders within it."""
    beside = [
        node.value
        for near in (ROOT / path.relative_to(ROOT).parts[0]).rglob("*.py")
        for node in ast.walk(ast.parse(near.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "action"
    ]
    within = [
        node.args[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and node.args
        and ast.unparse(node.func) in ("_record", "_told_of")
    ]
    constants = (one for one in [*beside, *within] if isinstance(one, ast.Constant))
    return "\n".join(f'"{one.value}"' for one in constants)


def every_action() -> set[str]:
    actions = {audit.SEALED}
    for path, call, text in recorded():
        expression = action_of(call)
        is_handed_on = isinstance(expression, ast.Name)
        actions.update(named(expression, handed_on(path, text) if is_handed_on else text))
    return actions


def test_every_action_has_its_sentence():
    without = sorted(one for one in every_action() if not trail_words.has_sentence(one))
    assert without == []


def test_the_reading_of_the_source_finds_them():
    assert {
        "bulletin.approved",
        "call.reached",
        "delegation.given",
        "operation.ruled",
        "sms.resent",
        "message_text.reset",
        "account.password_failed",
    } <= every_action()


def test_no_sentence_is_left_of_an_action_that_is_gone():
    assert sorted(set(trail_words.SENTENCES) - every_action()) == []


def test_every_fact_has_a_name():
    facts = {
        one.arg
        for _path, call, _text in recorded()
        for one in call.keywords
        if one.arg not in (None, "action", "by", "subject")
    }
    assert sorted(facts - set(trail_words.FACTS)) == []


def an_event(action: str, *, kind: str = "", number: str = "", **detail) -> AuditEvent:
    return AuditEvent(action=action, object_type=kind, object_id=number, detail=detail)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fr", "a approuvé le bulletin 3"),
        ("nl", "heeft bulletin 3 goedgekeurd"),
        ("de", "hat das Bulletin 3 genehmigt"),
        ("en", "approved bulletin 3"),
    ],
)
def test_an_approval_reads_as_a_sentence(language, sentence):
    with translation.override(language):
        event = an_event("bulletin.approved", kind="bulletin", number="3")
        assert trail_words.sentence_of(event) == sentence


def test_reference_data_of_any_kind_is_named_by_its_kind():
    with translation.override("fr"):
        event = an_event("unit.changed", kind="unit", number="7")
        assert trail_words.sentence_of(event) == "a modifié : Unité 7"


def test_a_fact_that_an_older_event_lacks_leaves_a_blank():
    with translation.override("fr"):
        assert trail_words.sentence_of(an_event("gateway.tested")).endswith("« … »")


def test_an_action_of_an_unknown_version_is_shown_as_recorded():
    assert trail_words.sentence_of(an_event("moon.landed", percent="100 %")) == "moon.landed"


def test_facts_are_shown_as_people_write_them():
    event = an_event(
        "schedule.loaded",
        first_day=dt.date(2022, 5, 16).isoformat(),
        by_hand=True,
        reason="",
        appointments=[3, 4],
        **{"100 %": "x"},
    )
    with translation.override("fr"):
        assert dict(trail_words.facts_of(event)) == {
            "premier jour": "16/05/2022",
            "écrit à la main": "oui",
            "rendez-vous n°": "3, 4",
            "100 %": "x",
        }
