"""A playbook is read whole, or refused with every fault named."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appointments.bulletins import playbooks
from appointments.bulletins.playbooks import Fault, Playbook, PlaybookRefused
from appointments.rules import ClauseTerms, Facts, decide, numbered
from appointments.vocabulary import Outcome, Service
from staff.errors import Refusal
from tests.builders import MONDAY, at

OF_THE_DAY = Path(__file__).parents[3] / "docs/playbooks/2022-05-16.toml"
HEAD = """
title = "Essai"
first_day = 2022-05-16
last_day = "2022-05-17"
release_at = "2022-05-15 18:00"
"""
CLAUSE = """
[[clause]]
ruling = "cancel"
tell = "cancelled"
"""


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(PlaybookRefused) as refused:
        playbooks.read(text)
    return list(refused.value.faults)


def is_read_or_refused(text: str) -> bool:
    try:
        playbooks.read(text)
    except Refusal as refusal:
        return bool(refusal.message)
    return True


def test_a_playbook_is_read_with_moments_of_brussels() -> None:
    playbook = playbooks.read(
        HEAD
        + CLAUSE
        + """
channel = "phone"
kept_by = "doctor"
keep_until = 2022-05-15T17:30:00
services = ["consultation", "consultation"]
sites = ["arlon"]
units = ["arlon-cardio"]
days = [2022-05-16, "2022-05-17"]
groups = ["pregnancy"]
"""
    )

    assert playbook == Playbook(
        title="Essai",
        first_day=MONDAY,
        last_day=MONDAY + dt.timedelta(days=1),
        release_at=at("2022-05-15 18:00"),
        clauses=(
            ClauseTerms(
                ruling="cancel",
                tell="cancelled",
                channel="phone",
                kept_by="doctor",
                keep_until=at("2022-05-15 17:30"),
                services=("consultation",),
                sites=("arlon",),
                units=("arlon-cardio",),
                days=(MONDAY, MONDAY + dt.timedelta(days=1)),
                groups=("pregnancy",),
            ),
        ),
    )
    assert playbook.release_at.utcoffset() == dt.timedelta(hours=2)


@pytest.mark.parametrize(
    ("service", "outcome"),
    [
        (Service.CONSULTATION, Outcome.CANCELLED),
        (Service.SURGERY, Outcome.UNDER_REVIEW),
        (Service.RADIOLOGY, Outcome.CANCELLED),
        (Service.NUCLEAR_MEDICINE, Outcome.CANCELLED),
        (Service.BLOOD_SAMPLING, Outcome.MAINTAINED),
        (Service.COVID_CENTRE, Outcome.CANCELLED),
        (Service.EMERGENCY, Outcome.MAINTAINED),
        (Service.DAY_HOSPITAL, None),
        (Service.DIALYSIS, None),
        (Service.OTHER, None),
    ],
)
def test_the_playbook_of_the_day_rules_as_the_bulletin_did(
    service: Service, outcome: Outcome | None
) -> None:
    playbook = playbooks.read(OF_THE_DAY.read_text(encoding="utf-8"))

    verdict = decide(Facts(service, "arlon", "u", MONDAY), numbered(playbook.clauses))

    assert (verdict.outcome if verdict else None) == outcome
    assert (playbook.first_day, playbook.last_day) == (MONDAY, MONDAY)
    assert playbook.release_at == at("2022-05-15 18:00")


def test_every_fault_is_named_at_once_with_clause_key_found_and_allowed() -> None:
    faults = faults_of(
        """
title = ""
first_day = "demain"
release_at = 2022-05-15T18:00:00+02:00
colour = "red"

[[clause]]
ruling = "cancelled"
tell = "cancelled"
reason = "x"

[[clause]]
ruling = "cancel"
tell = "all"
services = "consultation"
groups = ["cast", "elderly"]
days = [20220516]
"""
    )

    assert [(fault.clause, fault.key) for fault in faults] == [
        (0, "« colour »"),
        (0, "title"),
        (0, "first_day"),
        (0, "last_day"),
        (0, "release_at"),
        (1, "« reason »"),
        (1, "ruling"),
        (2, "tell"),
        (2, "services"),
        (2, "days"),
        (2, "groups"),
    ]
    ruling = faults[6]
    assert ruling.found == "« cancelled »"
    assert ruling.allowed == "cancel, maintain, case_by_case"
    assert str(ruling) == (
        "clause 1, ruling : trouvé « cancelled » ; attendu : cancel, maintain, case_by_case"
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("title = ", "fichier"),
        ("a" * (playbooks.LONGEST_FILE + 1), "fichier"),
        (HEAD, "clause"),
        (HEAD + "clause = 3", "clause"),
        (HEAD + CLAUSE * (playbooks.MOST_CLAUSES + 1), "clause"),
        (HEAD.replace("2022-05-17", "2022-05-15") + CLAUSE, "last_day"),
        (HEAD.replace("Essai", "x" * 121) + CLAUSE, "title"),
        (HEAD.replace("Essai", "a\\u0000b") + CLAUSE, "title"),
        (HEAD.replace("2022-05-15 18:00", "2022-03-27 02:30") + CLAUSE, "release_at"),
        (HEAD.replace("2022-05-15 18:00", "0001-01-01 00:00") + CLAUSE, "release_at"),
        (HEAD + CLAUSE + "services = [0x" + "f" * 20_000 + "]", "services"),
    ],
    ids=lambda value: value[:12],
)
def test_what_is_no_playbook_is_refused_by_name(text: str, key: str) -> None:
    assert [fault.key for fault in faults_of(text)] == [key]


@given(st.text(max_size=300))
@example("[" * 50_000)
@example("title = " + "[" * 5_000 + "]" * 5_000)
@example("title = 0x" + "f" * 20_000)
@example("first_day = 2022-02-30")
@example("\ufeff")
def test_any_text_is_read_or_refused(text: str) -> None:
    assert is_read_or_refused(text)


values = st.one_of(
    st.text(max_size=8).map(lambda text: '"' + text.encode("unicode_escape").decode() + '"'),
    st.integers().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.dates().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(["[]", "{}", '["cancel"]', '"cancel"', '"doctor"', "nan", "00:30:00"]),
)


@given(st.sampled_from(playbooks._TOP_KEYS), st.sampled_from(playbooks._CLAUSE_KEYS), values)
def test_any_value_of_any_key_is_read_or_refused(head: str, key: str, value: str) -> None:
    assert is_read_or_refused(f"{head} = {value}\n{CLAUSE}")
    assert is_read_or_refused(f"{HEAD}\n[[clause]]\n{key} = {value}")


def test_a_playbook_moves_to_another_first_day_with_all_its_dates() -> None:
    playbook = playbooks.read(
        HEAD + CLAUSE + 'keep_until = "2022-05-15 17:30"\ndays = [2022-05-17]'
    )

    moved = playbook.starting(dt.date(2026, 11, 2))

    assert (moved.first_day, moved.last_day) == (dt.date(2026, 11, 2), dt.date(2026, 11, 3))
    assert moved.release_at == at("2026-11-01 18:00")  # winter: the clock's hour stays
    assert moved.clauses[0].keep_until == at("2026-11-01 17:30")
    assert moved.clauses[0].days == (dt.date(2026, 11, 3),)


@pytest.mark.parametrize("day", [dt.date.min, dt.date(1999, 12, 31), dt.date.max])
def test_a_playbook_does_not_move_out_of_its_century(day: dt.date) -> None:
    playbook = playbooks.read(HEAD + CLAUSE)

    with pytest.raises(Refusal):
        playbook.starting(day)
