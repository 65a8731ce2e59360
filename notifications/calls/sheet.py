"""The call list on paper: as a page for the browser, or as one self-contained file."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation

from notifications.calls.queries import (
    BY_URGENCY,
    numbers_to_ring,
    shown_with_items,
    taken_by,
    why_none,
    with_attempt,
)
from notifications.models import Delivery
from notifications.telling.outbox import lines_of
from notifications.texts import render as texts
from patients.models import Patient
from patients.phones import Phone
from staff import clock
from staff.models import User
from staff.paper.styles import STYLESHEET, stylesheet_as_data
from staff.services import audit


@dataclass(frozen=True)
class SheetRow:
    """One patient on the sheet: all that is said in one call.

    ``calls`` are one for each day, the most urgent first, with notice and items.
    """

    calls: list[Delivery]

    @property
    def call(self) -> Delivery:
        """The call whose page records the result for all of them."""
        return self.calls[0]

    @property
    def sentences(self) -> list[str]:
        """What to say, in the patient's language."""
        notices = [one.notice for one in self.calls]
        return [texts.spoken_of_notice(notice, lines_of(notice)) for notice in notices]

    @property
    def patient(self) -> Patient:
        """The patient to call."""
        return self.call.notice.patient

    @property
    def numbers(self) -> list[Phone]:
        """The number to try first, then the others in the order in which to try them."""
        return numbers_to_ring(self.call)

    @property
    def new_days(self) -> list[dt.date]:
        """The days given instead, to which the patient says yes or no."""
        items = [item for one in self.calls for item in one.notice.items.all()]
        return sorted({item.postponed_to for item in items if item.postponed_to})

    @property
    def first_at(self) -> dt.datetime:
        """When the first appointment is: after that, a call is of no more use."""
        return min(one.notice.first_at for one in self.calls)

    @property
    def back_by(self) -> dt.datetime:
        """When agents on screen may call the patient again."""
        printed_at = self.call.printed_at or clock.now()
        return printed_at + dt.timedelta(seconds=settings.CALL_PAPER_SECONDS)


def rows(user: User) -> list[SheetRow]:
    """Return what a person has on paper and has not entered yet, by patient (three queries)."""
    calls = with_attempt(shown_with_items(taken_by(user, on_paper=True)))
    together: dict[int, list[Delivery]] = {}
    for call in calls.order_by(*BY_URGENCY):
        together.setdefault(call.notice.patient_id, []).append(call)
    return list(map(SheetRow, together.values()))


def for_browser(rows: Sequence[SheetRow], *, by: User, withdrawn: Sequence[Delivery] = ()) -> str:
    """Return the sheet as a page of this server, with a button that prints it.

    ``withdrawn`` are the person's calls that were withdrawn since.
    """
    stylesheet = static(STYLESHEET)
    return _page(rows, by=by, stylesheet=stylesheet, on_screen=True, withdrawn=withdrawn)


def self_contained(rows: Sequence[SheetRow], *, by: User) -> str:
    """Return the sheet as one file: for WeasyPrint, or to carry to another printer."""
    return _page(rows, by=by, stylesheet=stylesheet_as_data(STYLESHEET), on_screen=False)


def _page(rows: Sequence[SheetRow], *, by: User, **context: object) -> str:
    # Colleagues share it, so it is in the hospital's language.
    with translation.override(settings.LANGUAGE_CODE):
        values = {
            "rows": rows,
            "by": by,
            "tries": settings.CALL_TRIES,
            "hospital_name": settings.HOSPITAL_NAME,
            "made_at": clock.now(),
            "trail_mark": str(audit.mark()),
            "why_none": "" if rows else why_none(by),
            "back_by": min((row.back_by for row in rows), default=None),
            **context,
        }
        return render_to_string("notifications/calls/call_sheet.html", values)
