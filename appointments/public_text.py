"""What the public reads of a bulletin, in the languages of the region, made from its clauses.

Pure. The clauses speak through ``appointments/sentences.py``; what stands around them is here,
not in the catalogues of the screens: patients read it, and each language says it its own way.
Nothing of who may keep whom, and nothing that a later bulletin could turn into a lie.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.formats import date_format

from appointments.sentences import PlaceNames, order_in_words
from appointments.services.clause_drafts import ClauseDraft
from appointments.vocabulary import Ruling, Tell

LONGEST_TEXT = 5000  # characters


@dataclass(frozen=True)
class Frame:
    """What stands around the clauses in one language."""

    heading: str
    day_format: str
    one_day: str
    several_days: str
    rest: str
    cancelled: str
    case_by_case: str


FRAMES = {
    "fr": Frame(
        heading="Information aux patients",
        day_format="l j F Y",
        one_day="Le {first} :",
        several_days="Du {first} au {last} :",
        rest="Ce qui n'est pas cité a lieu comme prévu. Les urgences restent ouvertes.",
        cancelled="Si votre rendez-vous est annulé, nous vous prévenons par SMS ou par téléphone.",
        case_by_case="« Au cas par cas » : un médecin décide pour chaque patient, et nous vous "
        "prévenons de sa décision.",
    ),
    "nl": Frame(
        heading="Informatie voor patiënten",
        day_format="l j F Y",
        one_day="Op {first}:",
        several_days="Van {first} tot en met {last}:",
        rest="Wat hier niet staat, gaat door zoals gepland. De spoedgevallendienst blijft open.",
        cancelled="Is uw afspraak geannuleerd, dan verwittigen wij u per sms of telefoon.",
        case_by_case='"Geval per geval": een arts beslist voor elke patiënt, en wij brengen u '
        "op de hoogte van die beslissing.",
    ),
    "de": Frame(
        heading="Information für Patientinnen und Patienten",
        day_format="l, j. F Y",
        one_day="Am {first}:",
        several_days="Von {first} bis {last}:",
        rest="Was hier nicht genannt ist, findet wie geplant statt. Die Notaufnahme bleibt "
        "geöffnet.",
        cancelled="Ist Ihr Termin abgesagt, benachrichtigen wir Sie per SMS oder Telefon.",
        case_by_case="„Von Fall zu Fall“: Ein Arzt entscheidet für jeden Patienten, und wir teilen "
        "Ihnen die Entscheidung mit.",
    ),
}
LANGUAGES = tuple(FRAMES)


@dataclass(frozen=True)
class PublicText:
    """The text of one language.

    Attributes:
        language: its code.
        text: what holds: as somebody wrote it, else as the clauses give it.
        generated: as the clauses give it now.
        is_edited: whether somebody wrote it.
        is_stale: whether the clauses have changed since.
    """

    language: str
    text: str
    generated: str
    is_edited: bool
    is_stale: bool

    @property
    def seen(self) -> str:
        """What changes whenever the text does, to see that two people did not cross."""
        return digest(self.text)


def made_from_clauses(
    language: str,
    clauses: Sequence[ClauseDraft],
    names: PlaceNames,
    *,
    first_day: dt.date,
    last_day: dt.date,
) -> str:
    """Return the text that the clauses give in a language of ``LANGUAGES``."""
    frame = FRAMES[language]
    with translation.override(language):
        first, last = (date_format(day, frame.day_format) for day in (first_day, last_day))
        orders = [f"- {order_in_words(clause, names)}" for clause in clauses]
    days = frame.one_day if first_day == last_day else frame.several_days
    lines = [frame.heading, "", days.format(first=first, last=last), *orders, "", frame.rest]
    if any(clause.tell in {Tell.CANCELLED, Tell.BOTH} for clause in clauses):
        lines.append(frame.cancelled)
    if any(c.ruling == Ruling.CASE_BY_CASE and c.tell != Tell.NOBODY for c in clauses):
        lines.append(frame.case_by_case)
    return "\n".join(lines)


def text_that_holds(
    stored: Mapping[str, Mapping[str, str]], language: str, generated: str
) -> PublicText:
    """Return the text of a language, from what somebody wrote, if anybody did.

    Args:
        stored: ``Bulletin.public_texts``: language → ``text`` and ``made_from``, the digest of
            what the clauses gave when it was written.
        language: which.
        generated: what the clauses give now.
    """
    written = stored.get(language)
    return PublicText(
        language=language,
        text=written["text"] if written else generated,
        generated=generated,
        is_edited=written is not None,
        is_stale=written is not None and written["made_from"] != digest(generated),
    )


def digest(text: str) -> str:
    """Return a short name for exactly this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
