"""When an export was made: what a file shows, and what is only taken for it."""

import datetime as dt
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.feeds.records import AHEAD, Evidence, ExportMoment, export_moment
from appointments.vocabulary import AgeFrom, AgeRule
from tests.builders import at

NOW = at("2022-05-14 12:00")


def proposed(evidence: Evidence, *, now: dt.datetime) -> ExportMoment:
    """Return the moment that a person is proposed."""
    return export_moment(evidence, now=now, rule=AgeRule.FILE_DATE)


@pytest.mark.parametrize(
    ("title", "moment"),
    [
        ("Agenda exporté le 13/05/2022 à 18:30", "2022-05-13 18:30"),
        ("Export du 13/05/2022 18h05", "2022-05-13 18:05"),
        ("Imprimé le 13.05.2022, 07:00:12 par M. Lambert", "2022-05-13 07:00"),
        ("Liste des rendez-vous du 16/05/2022 - édition du 13/05/2022 06:15", "2022-05-13 06:15"),
        ("Situation au 13 mai 2022 à 23 h 10", "2022-05-13 23:10"),
        ("Généré 2022-05-13T04:00", "2022-05-13 04:00"),
        ("Afgedrukt op 13/05/2022 om 18u30", "2022-05-13 18:30"),
        ("Gedruckt am 13. Mai 2022 um 18:30", "2022-05-13 18:30"),
        ("Exported 13 May 2022 18:30", "2022-05-13 18:30"),
        ("Extrait le 1er mai 2022", "2022-05-01 00:00"),
        ("Export du 14/05/2022 : rendez-vous du 16/05/2022 au 20/05/2022", "2022-05-14 00:00"),
    ],
)
def test_a_title_line_says_when_the_export_was_made(title, moment):
    assert proposed(Evidence(titles=[title]), now=NOW) == ExportMoment(at(moment), AgeFrom.TITLE)


@pytest.mark.parametrize(
    "title",
    [
        "Agenda du 16/05/2022 au 20/05/2022",
        "Export du 02/05/2022 au 06/05/2022",
        "Agenda de cardiologie, 13/05/2022",
        "Expertise du 12/05/2022",
        "Exporté le 31/02/2022",
        "Exporté le 13/05/2023",  # still to come
        "Hôpital général d'Arlon",
    ],
)
def test_days_of_appointments_in_a_title_are_no_moment_of_export(title):
    assert proposed(Evidence(titles=[title]), now=NOW).at is None


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("agenda-2022-05-13.csv", "2022-05-13 00:00"),
        ("agenda_20220513_1830.csv", "2022-05-13 18:30"),
        ("export 13-05-2022 18h30.xlsx", "2022-05-13 18:30"),
        ("20220513183059_rdv.csv", "2022-05-13 18:30"),
    ],
)
def test_a_name_with_one_date_says_when_the_export_was_made(name, moment):
    assert proposed(Evidence(file_name=name), now=NOW) == ExportMoment(
        at(moment), AgeFrom.FILE_NAME
    )


@pytest.mark.parametrize(
    "name",
    [
        "agenda.csv",
        "agenda_2022-05-02_2022-05-06.csv",  # the days that it holds
        "agenda-lundi-2022-05-16.csv",  # still to come: the day of the appointments
        "dossier-120220513.csv",
        "agenda-2022-13-45.csv",
    ],
)
def test_other_names_say_nothing(name):
    assert proposed(Evidence(file_name=name), now=NOW).at is None


def test_the_surest_evidence_comes_first():
    everything = Evidence(
        titles=["Exporté le 13/05/2022 18:30"],
        file_name="agenda-2022-05-12.csv",
        newest_change=at("2022-05-11 09:00"),
        file_date=at("2022-05-14 11:00"),
    )
    assert proposed(everything, now=NOW).found_in is AgeFrom.TITLE
    without_title = Evidence(*([], everything.file_name), everything.newest_change, NOW)
    assert proposed(without_title, now=NOW).found_in is AgeFrom.FILE_NAME


def test_an_export_was_made_after_the_newest_change_in_it():
    changed = at("2022-05-13 17:42")
    evidence = Evidence(file_name="agenda-2022-05-13.csv", newest_change=changed)
    assert proposed(evidence, now=NOW) == ExportMoment(changed, AgeFrom.NEWEST_CHANGE)


def test_a_change_that_is_still_to_come_is_no_evidence():
    assert proposed(Evidence(newest_change=at("2022-06-01 09:00")), now=NOW).at is None


def test_the_date_of_the_file_is_proposed_and_believed_only_where_the_source_says_so():
    evidence = Evidence(file_date=at("2022-05-13 23:30"))
    assert proposed(evidence, now=NOW).found_in is AgeFrom.FILE_DATE
    assert export_moment(evidence, now=NOW, rule=AgeRule.FILE) == ExportMoment()
    assert export_moment(evidence, now=NOW, rule=AgeRule.FILE_DATE).at == at("2022-05-13 23:30")


def test_a_source_that_is_exported_right_before_loading_is_as_old_as_the_load():
    assert export_moment(Evidence(), now=NOW, rule=AgeRule.LOADING) == ExportMoment(
        NOW, AgeFrom.LOADING
    )
    named = Evidence(file_name="agenda-2022-05-12.csv")
    assert export_moment(named, now=NOW, rule=AgeRule.LOADING).at == at("2022-05-12 00:00")


def test_a_clock_that_is_a_little_ahead_makes_an_export_of_now():
    ahead = Evidence(file_date=NOW + AHEAD)
    assert proposed(ahead, now=NOW).at == NOW
    assert proposed(Evidence(file_date=NOW + 2 * AHEAD), now=NOW).at is None


@given(
    titles=st.lists(st.text(max_size=60), max_size=3),
    name=st.text(max_size=60),
    rule=st.sampled_from(AgeRule),
)
def test_whatever_stands_in_a_file_the_moment_is_aware_and_never_to_come(titles, name, rule):
    evidence = Evidence(titles, PurePath(name).name, None, NOW - dt.timedelta(days=1))
    moment = export_moment(evidence, now=NOW, rule=rule)
    assert (moment.at is None) == (moment.found_in is AgeFrom.UNKNOWN)
    assert moment.at is None or moment.at <= NOW
