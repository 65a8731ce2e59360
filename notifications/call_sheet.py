"""The call list as a page for paper: for the browser, or as one file that needs no other."""

import base64
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation

from notifications.queries.call_sheet import Row
from staff import clock
from staff.models import User

STYLESHEET = "continuity/call-sheet.css"


def for_browser(rows: Sequence[Row], *, by: User) -> str:
    """Return the sheet as a page of this server, with a button that prints it."""
    return _page(rows, by=by, stylesheet=static(STYLESHEET), on_screen=True)


def self_contained(rows: Sequence[Row], *, by: User) -> str:
    """Return the sheet as one file, to carry to another printer."""
    found = finders.find(STYLESHEET)
    if not found:
        raise FileNotFoundError(STYLESHEET)
    encoded = base64.b64encode(Path(found).read_bytes()).decode("ascii")
    address = f"data:text/css;charset=utf-8;base64,{encoded}"
    return _page(rows, by=by, stylesheet=address, on_screen=False)


def _page(rows: Sequence[Row], **context: object) -> str:
    # Colleagues share it: it speaks the hospital's language, whoever prints it.
    with translation.override(settings.LANGUAGE_CODE):
        values = {
            "rows": rows,
            "tries": settings.CALL_TRIES,
            "hospital_name": settings.HOSPITAL_NAME,
            "made_at": clock.now(),
            "back_by": min((row.back_by for row in rows), default=None),
            **context,
        }
        return render_to_string("notifications/call_sheet.html", values)
