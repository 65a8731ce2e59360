"""What counts as STOP, in four languages, and what only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.receipts.stop_words import asks_to_stop

STOPS = """
STOP|stop.|Stop !|«STOP»|S.T.O.P|STOPALL|stop sms svp|STOP 4455|Bonjour, stop|please stop
ARRET|Arrêt|arrêt sms|arretez les messages|DESINSCRIRE|Désinscription|désabonner|FIN
UNSUBSCRIBE|unsubscribe me|End|quit|opt-out|Opt out
STOPPEN|afmelden|UITSCHRIJVEN aub|einde|geen sms meer|geen berichten meer aub
ABMELDEN|abbestellen|STOPP|Bitte stoppen|Keine Nachrichten mehr bitte
Je ne veux plus de sms|je ne souhaite plus recevoir vos messages|Ne m'envoyez plus de sms svp
Plus de SMS svp|No more texts
"""
OTHERS = """
Ne stoppez pas|je descends au stop et j'arrive|stop niet|Ne pas stopper
please stop calling|stop appeler|Arrêt de travail ?|End of story|fin de matinée ok ?
Cancel|annuler|OK merci|Oui je viens|Ik heb geen bericht ontvangen|Ik kreeg geen sms
Je n'ai plus reçu de message|Je n'ai plus de rendez-vous alors ?|Merci|?
Pouvez-vous m'envoyer plus d'informations|Wann ist mein neuer Termin?
"""


def _each(lines: str) -> list[str]:
    return [text for line in lines.strip().splitlines() for text in line.split("|")]


@pytest.mark.parametrize("text", _each(STOPS))
def test_it_asks_for_no_more_sms(text: str) -> None:
    assert asks_to_stop(text)


@pytest.mark.parametrize("text", ["", *_each(OTHERS)])
def test_it_says_something_else(text: str) -> None:
    assert not asks_to_stop(text)


@given(
    st.sampled_from(["stop", "arrêt", "désinscrire", "uitschrijven", "abmelden", "unsubscribe"]),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.text(" \t\n.,;:!?…«»\"'()-", max_size=6),
    st.text(" \t\n.,;:!?…«»\"'()-", max_size=6),
)
def test_case_and_punctuation_do_not_matter(word, cased, before, after) -> None:
    assert asks_to_stop(before + cased(word) + after)


@given(st.text(max_size=400))
def test_nothing_that_a_phone_can_send_breaks_it(text: str) -> None:
    assert asks_to_stop(text) in {True, False}
