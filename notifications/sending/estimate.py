"""What telling would take: how many by SMS and phone, how many SMS parts, and how long.

Reads the temporary table ``wanted`` with the conditions of ``opening``. Parts are counted on
one rendered text per distinct length (language, words, number of appointments): dates, times,
call-back numbers and references all have a fixed width. An SMS that could only leave when it is
of no more use, for instance because quiet hours last until then, counts as the call it becomes.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper
from django.db.models import Count, Max, Q

from notifications import gateways, rules
from notifications.lifecycle import opening
from notifications.lifecycle.opening import Scope
from notifications.models import Channel, Delivery, Notice, NoticeState
from notifications.texts import render as texts
from notifications.texts.preview import REFERENCE
from patients.models import Language
from staff.clock import BRUSSELS
from staff.database import as_date
from staff.models import Site

_STAND_IN = dt.date(2022, 5, 16)


@dataclass(frozen=True)
class Shape:
    """Notices whose texts have the same length; ``channel`` is ``sms``, ``phone`` or ``late``."""

    channel: str
    has_number: bool
    language: str
    callback_number: str
    cancelled: int
    maintained: int
    notices: int


@dataclass(frozen=True)
class Sample:
    """What the SMS of one language are, and the one that is sent most.

    Attributes:
        language: its code.
        messages: how many SMS.
        parts: their parts.
        text: of the most common one, with stand-in hours.
        parts_each: the parts of that one.
    """

    language: str
    messages: int
    parts: int
    text: str
    parts_each: int


@dataclass(frozen=True)
class Estimate:
    """Patients are counted once a day, as they are told.

    Attributes:
        by_sms: told by SMS.
        by_phone: called, ``too_late`` among them.
        too_late: called because their SMS could only leave when it is of no more use.
        without_number: of those to call, who has none.
        withdrawn: notices that would be withdrawn.
        already_told: notices handed over before.
        parts: SMS parts.
        seconds: how long these take at the rate of the first gateway, or of the settings.
        cap: SMS parts that this gateway takes in a day; None for any number, or where no gateway
            can be read from the settings.
        samples: the SMS of each language.
    """

    by_sms: int
    by_phone: int
    too_late: int
    without_number: int
    withdrawn: int
    already_told: int
    parts: int
    seconds: float
    cap: int | None
    samples: tuple[Sample, ...] = ()


def estimate(cursor: CursorWrapper, scope: Scope, *, day: dt.date | None = None) -> Estimate:
    """Return what aligning notices with ``wanted`` would take; changes nothing.

    Args:
        cursor: that holds the tables.
        scope: the patients and days.
        day: on which the appointments of the samples are.
    """
    withdrawn = opening.find_stale(cursor)
    shapes = _shapes(cursor)
    by_sms = [shape for shape in shapes if shape.channel == "sms"]
    too_late = sum(shape.notices for shape in shapes if shape.channel == "late")
    messages = sum(shape.notices for shape in by_sms)
    gateway = gateways.preferred()
    parts = sum(shape.notices * _parts(shape, gateway) for shape in by_sms)
    cursor.execute(
        f"""SELECT COUNT(*) FROM notifications_notice n
            WHERE {scope.condition("n")} AND n.handed_over_at IS NOT NULL
                AND n.state IN ('open', 'told')""",  # noqa: S608
        scope.parameters,
    )
    (already_told,) = cursor.fetchone()
    return Estimate(
        by_sms=messages,
        by_phone=sum(shape.notices for shape in shapes) - messages,
        too_late=too_late,
        without_number=sum(shape.notices for shape in shapes if not shape.has_number),
        withdrawn=withdrawn,
        already_told=already_told,
        parts=parts,
        seconds=gateways.expected_seconds(gateway, parts=parts, messages=messages),
        cap=gateway.options.parts_per_day,
        samples=tuple(
            _sample(language, by_sms, day or _STAND_IN, gateway) for language in Language.values
        ),
    )


def unaware_by_day(cursor: CursorWrapper) -> dict[dt.date, int]:
    """Return by day how many patients are owed a word, whether or not it waits already."""
    cursor.execute("SELECT day, COUNT(DISTINCT patient_id) FROM wanted GROUP BY day")
    return {as_date(day): number for day, number in cursor.fetchall()}


@dataclass(frozen=True)
class Opened:
    """Who is told by notices that were just opened; each patient is counted once in each number.

    ``sms_now`` leave at once, as soon as the quiet hours end at the latest; ``sms_later`` are
    held until the bulletin's release. ``messages_now`` and ``messages_later`` count the SMS: a
    patient gets one for each day.
    """

    patients: int = 0
    sms_now: int = 0
    sms_later: int = 0
    by_phone: int = 0
    messages_now: int = 0
    messages_later: int = 0


def last_notice() -> int:
    """Return the number of the last notice, for ``opened_since``."""
    return Notice.objects.aggregate(last=Max("id"))["last"] or 0


def opened_since(notice_id: int, now: dt.datetime) -> Opened:
    """Return who is told by the notices opened after one (one query).

    The caller holds the lock of rulings, so that all of them are of its own making.
    """
    tries = Delivery.objects.filter(notice__gt=notice_id, notice__state=NoticeState.OPEN)
    by_sms = Q(channel=Channel.SMS)
    is_due = Q(not_before__lte=now)

    def patients(condition: Q) -> Count:
        return Count("notice__patient", filter=condition, distinct=True)

    return Opened(
        **tries.aggregate(
            patients=patients(Q()),
            sms_now=patients(by_sms & is_due),
            sms_later=patients(by_sms & ~is_due),
            by_phone=patients(~by_sms),
            messages_now=Count("pk", filter=by_sms & is_due),
            messages_later=Count("pk", filter=by_sms & ~is_due),
        )
    )


def _sample(
    language: str, by_sms: Sequence[Shape], day: dt.date, gateway: gateways.Gateway
) -> Sample:
    mine = [shape for shape in by_sms if shape.language == language]
    usual = Shape("sms", True, language, _any_number(by_sms), 1, 0, 0)
    shape = max(mine, key=lambda one: one.notices, default=usual)
    text = _text(shape, day)
    return Sample(
        language=language,
        messages=sum(one.notices for one in mine),
        parts=sum(one.notices * _parts(one, gateway) for one in mine),
        text=text,
        parts_each=_size(text, gateway),
    )


def _any_number(shapes: Sequence[Shape]) -> str:
    """Return a call-back number: of those shown, else of a site."""
    if shapes:
        return shapes[0].callback_number
    return Site.objects.values_list("callback_number", flat=True).first() or "+3263000000"


def _shapes(cursor: CursorWrapper) -> list[Shape]:
    too_late, moments = opening.find_late(cursor)
    cursor.execute(
        f"""SELECT channel, has_number, language, callback_number, cancelled, maintained, COUNT(*)
            FROM (
                SELECT p.language, s.callback_number,
                    COUNT(DISTINCT CASE WHEN w.word = 'cancelled' THEN w.starts_at END)
                        AS cancelled,
                    COUNT(DISTINCT CASE WHEN w.word = 'maintained' THEN w.starts_at END)
                        AS maintained,
                    CASE WHEN p.mobile <> '' OR p.landline <> '' THEN 1 ELSE 0 END AS has_number,
                    CASE WHEN {opening.CHANNEL} = 'phone' THEN 'phone'
                        WHEN {too_late} THEN 'late' ELSE 'sms' END AS channel
                FROM wanted w
                JOIN patients_patient p ON p.id = w.patient_id
                JOIN staff_site s ON s.id =
                    (SELECT MIN(x.site_id) FROM wanted x
                     WHERE x.patient_id = w.patient_id AND x.day = w.day)
                LEFT JOIN known k ON k.patient_id = w.patient_id AND k.day = w.day
                WHERE k.pending_id IS NULL OR k.pending_id IN (SELECT id FROM stale_notice)
                GROUP BY w.patient_id, w.day, p.id, s.id) t
            GROUP BY 1, 2, 3, 4, 5, 6""",  # noqa: S608
        moments,
    )
    return [Shape(channel, bool(has), *rest) for channel, has, *rest in cursor.fetchall()]


def _parts(shape: Shape, gateway: gateways.Gateway) -> int:
    """Return the SMS parts of a text of this shape at a gateway."""
    return _size(_text(shape, _STAND_IN), gateway)


def _size(text: str, gateway: gateways.Gateway) -> int:
    return rules.count(text, alphabet=gateway.alphabet).parts


def _text(shape: Shape, day: dt.date) -> str:
    """Return an SMS of this shape about a day, with stand-in hours and reference."""
    first = dt.datetime.combine(day, dt.time(9, 10), tzinfo=BRUSSELS)
    words = ["cancelled"] * shape.cancelled + ["maintained"] * shape.maintained
    return texts.body(
        language=shape.language,
        day=day,
        lines=[
            texts.MessageItem(starts_at=first + dt.timedelta(hours=2 * place), word=word)
            for place, word in enumerate(words)
        ],
        callback_number=shape.callback_number,
        reference=REFERENCE,
    )
