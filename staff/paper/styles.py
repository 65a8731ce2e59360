"""The style sheet of a page without other files: for a PDF, or to store elsewhere."""

import base64
from pathlib import Path

from django.contrib.staticfiles import finders

STYLESHEET = "continuity/paper.css"
"""Of every printed sheet."""


def stylesheet_as_data(name: str) -> str:
    """Return one of our static style sheets as a ``data:`` address.

    Raises:
        FileNotFoundError: there is no such file.
    """
    found = finders.find(name)
    if not found:
        raise FileNotFoundError(name)
    encoded = base64.b64encode(Path(found).read_bytes()).decode("ascii")
    return f"data:text/css;charset=utf-8;base64,{encoded}"
