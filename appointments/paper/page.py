"""The sheet as a page: the same template and style sheet for the browser, the PDF and a file."""

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation

from appointments.paper.content import RosterContent
from appointments.paper.words import running_line, sections_of
from patients.phones import display
from staff.paper.styles import stylesheet_as_data

STYLESHEET = "continuity/roster.css"


def self_contained(content: RosterContent) -> str:
    """Return the sheet as one file that needs no other: for WeasyPrint, or to carry away."""
    return _page(content, stylesheet=stylesheet_as_data(STYLESHEET))


def for_browser(content: RosterContent, *, records_arrivals: bool = False) -> str:
    """Return the sheet as a page of this server, with a button that prints it.

    Args:
        records_arrivals: the reader may enter what was written on it.
    """
    return _page(
        content,
        stylesheet=static(STYLESHEET),
        on_screen=True,
        records_arrivals=records_arrivals,
    )


def _page(content: RosterContent, **context: object) -> str:
    # Paper hangs on the ward: it speaks the hospital's language, whoever prints it.
    with translation.override(settings.LANGUAGE_CODE):
        values = {
            "roster": content,
            "running_line": running_line(content),
            "sections": sections_of(content),
            "callback_number": display(content.callback_number),
            "hospital_name": settings.HOSPITAL_NAME,
            **context,
        }
        return render_to_string("rosters/sheet.html", values)
