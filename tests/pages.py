"""Browsers: with somebody signed in, as htmx asks, and what one without JavaScript sends back."""

from html.parser import HTMLParser

from django.test import Client

from staff.models import User

HTMX = {"HX-Request": "true"}  # headers of what htmx asks for


def signed_in(user: User) -> Client:
    """Return a browser in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client


class _Fields(HTMLParser):
    """Collects the successful controls of a form, as the HTML standard calls them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.forms: list[dict[str, list[str]]] = []
        self._select = ""
        self._option_values: list[tuple[str, bool]] = []
        self._is_multiple = False
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        name, value = values.get("name", ""), values.get("value", "")
        if tag == "form":
            self.found = {}
        elif tag == "select":
            self._select, self._option_values = name, []
            self._is_multiple = "multiple" in values
        elif tag == "option" and self._select:
            self._option_values.append((value, "selected" in values))
        elif tag == "textarea":
            self._textarea = name
            self.found[name] = [""]
        elif tag == "input" and name and _is_sent(values):
            ticked = "on" if values.get("type") in {"checkbox", "radio"} else ""
            self.found.setdefault(name, []).append(value or ticked)

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.found[self._textarea][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.found[self._textarea] = [self.found[self._textarea][0].removeprefix("\n")]
            self._textarea = ""
        elif tag == "select" and self._select:
            chosen = [value for value, is_selected in self._option_values if is_selected]
            if not chosen and not self._is_multiple and self._option_values:
                chosen = [self._option_values[0][0]]
            if chosen:
                self.found[self._select] = chosen
            self._select = ""
        elif tag == "form":
            self.forms.append(self.found)


def _is_sent(attributes: dict[str, str]) -> bool:
    kind = attributes.get("type", "text")
    if kind in {"checkbox", "radio"}:
        return "checked" in attributes
    return kind not in {"submit", "button", "file"}


def fields_of(html: str, *, having: str) -> dict[str, list[str]]:
    """Return what the form that has a field called ``having`` sends, by name."""
    parser = _Fields()
    parser.feed(html)
    return next(form for form in parser.forms if having in form)
