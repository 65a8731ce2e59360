"""Reads HTML and names what the content security policy or a screen reader would stumble over."""

from html.parser import HTMLParser

DATA = {"application/json"}  # never run, so the policy lets it stand


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        where = f"line {self.getpos()[0]}: <{tag}>"
        self.tags.append(tag)
        if tag == "html":
            self.language = given.get("lang") or ""
        if "id" in given:
            self.ids.append(given["id"] or "")
        if "style" in given:
            self.faults.append(f"{where} has a style attribute")
        self.faults += [f"{where} has {name}" for name in given if name.startswith("on")]
        if tag == "style":
            self.faults.append(f"{where} holds styles")
        if tag == "script" and "src" not in given and given.get("type") not in DATA:
            self.faults.append(f"{where} holds a script")
        address = given.get("src") or (given.get("href") if tag == "link" else None) or ""
        if address.startswith(("http:", "https:", "//")):
            self.faults.append(f"{where} loads {address}")
        if (given.get("href") or "").startswith("javascript:"):
            self.faults.append(f"{where} runs a script")


def faults_of(page: str, *, whole: bool = True) -> list[str]:
    """Return one sentence per fault of a page, or of a fragment when not ``whole``."""
    reader = _Reader()
    reader.feed(page)
    faults = reader.faults
    faults += [f"id {name!r} occurs twice" for name in sorted(set(_repeated(reader.ids)))]
    if whole:
        if not reader.language:
            faults.append("the page does not say its language")
        for tag in ("h1", "main", "title"):
            if reader.tags.count(tag) != 1:
                faults.append(f"<{tag}> occurs {reader.tags.count(tag)} times")
    return faults


def _repeated(names: list[str]) -> list[str]:
    return [name for name in names if names.count(name) > 1]
