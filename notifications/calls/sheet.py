"""The call list as a page for paper: for the browser, or as one file that needs no other."""

from collections.abc import Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation

from notifications.calls.queries import why_none
from notifications.calls.sheet_queries import Row
from notifications.models import Delivery
from staff import clock
from staff.models import User
from staff.paper.styles import stylesheet_as_data
from staff.services import audit

STYLESHEET = "continuity/call-sheet.css"


def for_browser(rows: Sequence[Row], *, by: User, withdrawn: Sequence[Delivery] = ()) -> str:
    """Return the sheet as a page of this server, with a button that prints it.

    Args:
        rows: the patients on it.
        by: who has them on paper.
        withdrawn: calls of theirs that were withdrawn since.
    """
    stylesheet = static(STYLESHEET)
    return _page(rows, by=by, stylesheet=stylesheet, on_screen=True, withdrawn=withdrawn)


def self_contained(rows: Sequence[Row], *, by: User) -> str:
    """Return the sheet as one file: for WeasyPrint, or to carry to another printer."""
    return _page(rows, by=by, stylesheet=stylesheet_as_data(STYLESHEET), on_screen=False)


def _page(rows: Sequence[Row], *, by: User, **context: object) -> str:
    # Colleagues share it: it speaks the hospital's language, whoever prints it.
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
        return render_to_string("notifications/call_sheet.html", values)
