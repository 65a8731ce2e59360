"""Whether a patient's SMS asks for no more SMS. Pure: no Django.

In doubt it does not: a person reads every reply anyway, and a wrong STOP turns all SMS to this
patient into calls. It does if it is

- a message that begins with a stop word (``STOP``, ``Stop SMS svp``, ``UITSCHRIJVEN aub``),
  after words of politeness. Words that also mean something else (``END``, ``ARRÊT``, ``FIN``)
  count only when nothing is left beside them but words about messages (``Arrêt SMS``, but not
  ``Arrêt de travail ?``);
- a sentence that refuses messages (``je ne veux plus de sms``, ``geen berichten meer``).

It does not if the stop word is inside a sentence (``Ne stoppez pas``, ``je descends au stop``), is
taken back (``stop niet``), or is about something else than messages (``please stop calling``).
``CANCEL`` and ``ANNULER``, stop words elsewhere (for example at AWS End User Messaging, "Required
opt-out keywords"), here mean the appointment.
"""

import re
import unicodedata


def _of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_STOP = _of(
    "STOP STOPALL STOPP OPTOUT UNSUBSCRIBE DESINSCRIRE DESABONNER DESABONNEMENT DESINSCRIPTION"
    " STOPPEN STOPPER AFMELDEN UITSCHRIJVEN ABMELDEN ABBESTELLEN"
)
_ALONE = _of("END QUIT FIN ARRET ARRETER ARRETEZ EINDE ENDE REMOVE")
_POLITE = _of(
    "BONJOUR BONSOIR HELLO HALLO DAG GOEDENDAG GUTEN TAG PLEASE SVP AUB GELIEVE BITTE MERCI"
)
_ABOUT_MESSAGES = _of(
    "SMS TEXTO TEXTOS MESSAGE MESSAGES RAPPEL RAPPELS ENVOI ENVOIS NOTIFICATIONS TEXTS"
    " BERICHT BERICHTEN NACHRICHT NACHRICHTEN REMINDER REMINDERS HERINNERINGEN"
    " ALL ALLES TOUT TOUS THE LES LE VOS VOTRE CES DE DES D THANKS DANK DANKE BEDANKT"
)
_NOT = _of("PAS NOT NIET NICHT")
_CALLS = _of("CALLING CALLS APPELER APPELS BELLEN ANRUFEN ANRUFE TELEPHONER")
_MESSAGES = r"(?:SMS|TEXTOS?|MESSAGES?|RAPPELS?|BERICHT(?:EN|JES)?|NACHRICHTEN|TEXTS?)"
_REFUSALS = re.compile(
    r"\b(?:VEUX|VOULONS|SOUHAITE|DESIRE|VOUDRAIS|ENVOYEZ|ENVOYER|ENVOIE) (?:\w+ ){0,2}PLUS"
    rf" (?:\w+ ){{0,3}}{_MESSAGES}\b"
    rf"|\b(?:GEEN|KEINE) (?:\w+ )?{_MESSAGES} (?:MEER|MEHR)\b"
    rf"|^NO MORE (?:\w+ )?{_MESSAGES}$"
    rf"|^(?:PLUS|ASSEZ) (?:DE|D|AUCUN) (?:\w+ )?{_MESSAGES}$"
)


def asks_to_stop(text: str) -> bool:
    """Whether an SMS asks for no more SMS, in French, Dutch, German or English."""
    words = _words(text)
    while words and words[0] in _POLITE:
        words = words[1:]
    while words and words[-1] in _POLITE:
        words = words[:-1]
    if not words:
        return False
    if _REFUSALS.search(" ".join(words)):
        return True
    first, rest = words[0], words[1:]
    if first in _STOP:
        return not (rest and rest[0] in _NOT | _CALLS)
    return first in _ALONE and all(word in _ABOUT_MESSAGES | _POLITE for word in rest)


def _words(text: str) -> list[str]:
    """Return the words in capitals of ASCII; ``S.T.O.P`` and ``opt-out`` are one word."""
    folded = unicodedata.normalize("NFKD", text.casefold()).upper()
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    joined = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", plain)
    return re.findall(r"[A-Z0-9]+", re.sub(r"\bOPT[- ]OUT\b", "OPTOUT", joined))
