"""What is read out where no notice speaks, in the patient's language."""

import pytest

from appointments.incoming.queries import spoken_of_appointment, spoken_of_nothing
from appointments.models import Appointment
from tests.builders import at

NINE = at("2022-05-16 09:00")


def an(outcome: str, status: str = "booked") -> Appointment:
    return Appointment(outcome=outcome, status=status, starts_at=NINE)


@pytest.mark.parametrize(
    ("appointment", "words"),
    [
        (an("maintained"), "lundi 16 mai à 09:00 est maintenu : venez"),
        (an("cancelled"), "est annulé : ne venez pas"),
        (an("under_review"), "la décision n'est pas encore prise"),
        (an(""), "est toujours prévu"),
        (an("maintained", "cancelled"), "avait déjà été annulé"),
    ],
)
def test_each_outcome_has_its_sentence(appointment, words):
    assert words in spoken_of_appointment(appointment, "fr")


def test_midnight_is_an_hour_nobody_knows_and_is_not_read_out():
    planned = Appointment(outcome="cancelled", status="booked", starts_at=at("2022-05-16 00:00"))
    assert "lundi 16 mai à --:-- est annulé" in spoken_of_appointment(planned, "fr")


def test_nothing_planned_is_said_too():
    assert "pas de rendez-vous à venir" in spoken_of_nothing("fr")


@pytest.mark.parametrize(
    ("language", "day"), [("nl", "maandag 16 mei"), ("de", "Montag"), ("en", "Monday 16 May")]
)
def test_it_is_in_the_patients_language_whatever_the_agents(language, day):
    assert day in spoken_of_appointment(an("maintained"), language)
