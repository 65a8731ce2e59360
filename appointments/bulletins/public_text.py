"""What the public reads of a bulletin, in the languages of the region, made from what holds.

``sentences`` words the orders in effect. The text around them is here and not in the catalogues of
the screens: patients read it, and each language has its own form. It never says who may keep
patients, and nothing that a later bulletin could make untrue.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from appointments.bulletins.queries import days_ruled, places
from appointments.bulletins.sentences import PlaceNames, public_sentences, runs_of
from appointments.decisions.effective_orders import (
    Statement,
    outcome_alone,
    statements,
    whole_order,
)
from appointments.decisions.keeping import standing_cancellations
from appointments.decisions.rulings import clauses_of, ruling_bulletins
from appointments.models import Bulletin, Outcome
from appointments.rules import ClauseTerms, numbered
from staff import clock
from staff.access import Capability, require_everywhere
from staff.errors import Refusal
from staff.models import User
from staff.services import audit

LONGEST_TEXT = 5000  # characters
DAY_FORMAT = "l j F Y"


@dataclass(frozen=True)
class Frame:
    """The text around the orders in one language."""

    heading: str
    colon: str
    one_day: str
    several_days: str
    in_force: str
    lifted: str
    exceptions: str
    rest: str
    emergencies: str
    cancelled: str
    case_by_case: str


FRAMES = {
    "fr": Frame(
        heading="Information aux patients",
        colon=" :",
        one_day="le {first}",
        several_days="du {first} au {last}",
        in_force="avis en vigueur",
        lifted="l'avis est levé, tous les rendez-vous ont lieu comme prévu",
        exceptions=", sauf ceux qu'un médecin a annulés ou reportés",
        rest="Ce qui n'est pas cité a lieu comme prévu, sauf ce qu'un médecin a annulé ou reporté.",
        emergencies="Les urgences restent ouvertes.",
        cancelled="Si votre rendez-vous est annulé, nous vous prévenons par SMS ou par téléphone.",
        case_by_case="« Au cas par cas » : un médecin décide pour chaque patient, et nous vous "
        "prévenons de sa décision.",
    ),
    "nl": Frame(
        heading="Informatie voor patiënten",
        colon=":",
        one_day="op {first}",
        several_days="van {first} tot en met {last}",
        in_force="geldend bericht",
        lifted="het bericht is ingetrokken, alle afspraken gaan door zoals gepland",
        exceptions=", behalve die welke een arts heeft geannuleerd of uitgesteld",
        rest="Wat hier niet staat, gaat door zoals gepland, behalve wat een arts heeft geannuleerd "
        "of uitgesteld.",
        emergencies="De spoedgevallendienst blijft open.",
        cancelled="Is uw afspraak geannuleerd, dan verwittigen wij u per sms of telefoon.",
        case_by_case='"Geval per geval": een arts beslist voor elke patiënt, en wij brengen u '
        "op de hoogte van die beslissing.",
    ),
    "de": Frame(
        heading="Information für Patientinnen und Patienten",
        colon=":",
        one_day="am {first}",
        several_days="von {first} bis {last}",
        in_force="geltende Mitteilung",
        lifted="Die Mitteilung ist aufgehoben, alle Termine finden wie geplant statt",
        exceptions=", außer denen, die ein Arzt abgesagt oder verschoben hat",
        rest="Was hier nicht genannt ist, findet wie geplant statt, außer was ein Arzt abgesagt "
        "oder verschoben hat.",
        emergencies="Die Notaufnahme bleibt geöffnet.",
        cancelled="Ist Ihr Termin abgesagt, benachrichtigen wir Sie per SMS oder Telefon.",
        case_by_case="„Von Fall zu Fall“: Ein Arzt entscheidet für jeden Patienten, und wir teilen "
        "Ihnen die Entscheidung mit.",
    ),
    "en": Frame(
        heading="Information for patients",
        colon=":",
        one_day="on {first}",
        several_days="from {first} to {last}",
        in_force="notice in force",
        lifted="the notice is lifted, all appointments go ahead as planned",
        exceptions=", except those that a doctor cancelled or postponed",
        rest="Anything that is not mentioned here goes ahead as planned, except what a doctor "
        "cancelled or postponed.",
        emergencies="The emergency departments stay open.",
        cancelled="If your appointment is cancelled, we will tell you by text message or by phone.",
        case_by_case="“Case by case”: a doctor decides for each patient, and we will tell you "
        "what was decided.",
    ),
}
LANGUAGES = tuple(FRAMES)


@dataclass(frozen=True)
class PublicText:
    """The text of one language.

    Attributes:
        language: its code.
        text: what holds: as somebody wrote it, else as it is made.
        generated: as it is made from what is ordered now.
        is_edited: whether somebody wrote it.
        is_stale: whether something else is ordered since.
    """

    language: str
    text: str
    generated: str
    is_edited: bool
    is_stale: bool

    @property
    def seen(self) -> str:
        """A digest of the text, to detect that two people edit it at once."""
        return digest(self.text)


@dataclass(frozen=True)
class PublicOrders:
    """What the public texts are made from.

    Attributes:
        said: the statements, of outcomes alone.
        names: of the places that they name.
        days: those that the bulletin rules, in their order.
        tells_all_cancelled: whether each patient whose appointment is cancelled is told so.
        reviews: whether something is decided case by case; those patients are always told.
    """

    said: tuple[Statement, ...]
    names: PlaceNames
    days: tuple[dt.date, ...]
    tells_all_cancelled: bool
    reviews: bool


def orders_of(
    clauses: Sequence[ClauseTerms], names: PlaceNames, days: Sequence[dt.date]
) -> PublicOrders:
    """Return what clauses order in effect on the days that their bulletin rules."""
    rules, world = numbered(clauses), names.world(days)
    effects = {
        effect
        for statement in statements(rules, world, whole_order)
        for effect in statement.said.effects
    }
    cancelled = [effect for effect in effects if effect.outcome == Outcome.CANCELLED]
    return PublicOrders(
        said=tuple(statements(rules, world, outcome_alone)),
        names=names,
        days=tuple(days),
        tells_all_cancelled=bool(cancelled) and all(effect.told for effect in cancelled),
        reviews=any(effect.outcome == Outcome.UNDER_REVIEW for effect in effects),
    )


def made_from_orders(language: str, orders: PublicOrders) -> str:
    """Return the text that the orders give in a language of ``LANGUAGES``."""
    frame = FRAMES[language]
    lines = [frame.heading, "", _days(language, orders.days) + frame.colon]
    lines += [*_listed(language, orders), "", f"{frame.rest} {frame.emergencies}"]
    return "\n".join([*lines, *_told(frame, orders)])


def made_after_its_end(
    language: str,
    ruling: Sequence[PublicOrders],
    lifted: Sequence[dt.date],
    *,
    has_exceptions: bool,
) -> str:
    """Return what the public reads instead of the text of a bulletin that holds no more.

    Args:
        language: of ``LANGUAGES``.
        ruling: what each bulletin orders that rules some of its days now, on these.
        lifted: the days that no bulletin rules now.
        has_exceptions: whether anything that a person cancelled stands on these.
    """
    frame = FRAMES[language]
    blocks = [frame.heading]
    if lifted:
        exceptions = frame.exceptions if has_exceptions else ""
        blocks.append(f"{_days(language, lifted)}{frame.colon} {frame.lifted}{exceptions}.")
    for orders in ruling:
        head = f"{_days(language, orders.days)} ({frame.in_force}){frame.colon}"
        blocks.append("\n".join([head, *_listed(language, orders)]))
        blocks += ["\n".join(told)] if (told := _told(frame, orders)) else []
    blocks.append(f"{frame.rest} {frame.emergencies}" if ruling else frame.emergencies)
    return "\n\n".join(blocks)


def _days(language: str, days: Sequence[dt.date]) -> str:
    """Return days as the beginning of a sentence."""
    with translation.override(language):
        said = ", ".join(_period(run, FRAMES[language]) for run in runs_of(days))
    return said[:1].upper() + said[1:]


def _listed(language: str, orders: PublicOrders) -> list[str]:
    with translation.override(language):
        said = public_sentences(orders.said, orders.names, orders.days)
    return [f"- {sentence}" for sentence in said]


def _told(frame: Frame, orders: PublicOrders) -> list[str]:
    """Return how patients learn what holds for them."""
    told = [frame.cancelled] if orders.tells_all_cancelled else []
    return [*told, frame.case_by_case] if orders.reviews else told


def _period(run: Sequence[dt.date], frame: Frame) -> str:
    """Return days that follow each other, in the language that is active."""
    first, last = (date_format(day, DAY_FORMAT) for day in (run[0], run[-1]))
    words = frame.one_day if len(run) == 1 else frame.several_days
    return words.format(first=first, last=last)


def text_that_holds(
    stored: Mapping[str, Mapping[str, str]], language: str, generated: str
) -> PublicText:
    """Return the text of a language, from what somebody wrote, if anybody did.

    Args:
        stored: ``Bulletin.public_texts``: language → ``text`` and ``made_from``, the digest of
            what the orders gave when it was written.
        language: which.
        generated: what the orders give now.
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


def public_texts(
    bulletin: Bulletin,
    clauses: Sequence[ClauseTerms],
    names: PlaceNames,
    days: Sequence[dt.date],
) -> list[PublicText]:
    """Return the text of each language; asks nothing of the database.

    Args:
        bulletin: whose.
        clauses: its own, in their order.
        names: of the places that they name.
        days: those that it rules, or would.
    """
    orders = orders_of(clauses, names, days)
    return [
        text_that_holds(bulletin.public_texts, language, made_from_orders(language, orders))
        for language in LANGUAGES
    ]


@dataclass(frozen=True)
class AfterItsEnd:
    """What holds now on the days of a bulletin that holds no more, from today on.

    Attributes:
        texts: by language; none where all its days are past.
        ruling: the bulletins that rule some of these days now, each with the days.
    """

    texts: dict[str, str]
    ruling: list[tuple[Bulletin, list[dt.date]]]


def after_its_end(bulletin: Bulletin, names: PlaceNames) -> AfterItsEnd:
    """Return what the public is to read instead of the text of an ended bulletin (three queries).

    Args:
        bulletin: withdrawn or superseded.
        names: of all places.
    """
    days = clock.days_between(max(bulletin.first_day, clock.today()), bulletin.last_day)
    by_day = ruling_bulletins(days)
    days_of: dict[Bulletin, list[dt.date]] = {}
    for day in days:
        if day in by_day:
            days_of.setdefault(by_day[day], []).append(day)
    lifted = [day for day in days if day not in by_day]
    ruling = [orders_of(clauses_of(one), names, ruled) for one, ruled in days_of.items()]
    has_exceptions = bool(lifted) and (
        standing_cancellations(lifted[0], lifted[-1]).filter(appointment__day__in=lifted).exists()
    )
    texts = {
        language: made_after_its_end(language, ruling, lifted, has_exceptions=has_exceptions)
        for language in (LANGUAGES if days else ())
    }
    return AfterItsEnd(texts, list(days_of.items()))


@transaction.atomic
def edit_public_text(
    *, bulletin_id: int, language: str, text: str, by: User, seen: str
) -> PublicText:
    """Store an edited text; an empty one, or the generated one, goes back to the generated text.

    Args:
        bulletin_id: of a draft, or of a bulletin whose text must be put better.
        language: of ``LANGUAGES``.
        text: what the public is to read.
        by: who wrote it.
        seen: ``PublicText.seen`` of what was shown when the writing began.

    Raises:
        Refusal: the bulletin holds no more, somebody else changed the text meanwhile, or it is
            too long.
    """
    require_everywhere(by, Capability.DRAFT_BULLETIN)
    if language not in LANGUAGES:
        raise Refusal(
            _("Le texte public existe en français, en néerlandais, en allemand et en anglais.")
        )
    bulletin = Bulletin.objects.select_for_update().get(pk=bulletin_id)
    if bulletin.has_ended:
        raise Refusal(ended())
    now = text_of(bulletin, language)
    wanted = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if now.seen != seen:
        raise Refusal(
            _("Ce texte a changé entre-temps : relisez-le, puis remettez vos mots."), field="text"
        )
    if len(wanted) > LONGEST_TEXT:
        raise Refusal(
            _("Ce texte compte %(found)d caractères ; %(most)d au plus.")
            % {"found": len(wanted), "most": LONGEST_TEXT},
            field="text",
        )
    if wanted and wanted != now.generated:
        bulletin.public_texts[language] = {"text": wanted, "made_from": digest(now.generated)}
    else:
        bulletin.public_texts.pop(language, None)
    bulletin.save(update_fields=["public_texts"])
    by_hand = language in bulletin.public_texts
    audit.record(
        action="bulletin.text_edited", by=by, subject=bulletin, language=language, by_hand=by_hand
    )
    return text_of(bulletin, language)


def ended() -> str:
    """Return why the text of a bulletin that holds no more is not written otherwise."""
    return _("Ce bulletin ne vaut plus : son texte public ne peut plus être modifié.")


def text_of(bulletin: Bulletin, language: str) -> PublicText:
    """Return the text of one language of a bulletin (three queries)."""
    texts = public_texts(bulletin, clauses_of(bulletin), places().names, days_ruled(bulletin))
    return next(text for text in texts if text.language == language)
