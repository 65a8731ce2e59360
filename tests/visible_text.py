"""Reads a page as it looks, and names words that run into each other and signs that are doubled."""

import re
from html.parser import HTMLParser

# What stands within a line of text; every other element begins a line of its own.
INLINE = {
    *("a", "abbr", "b", "bdi", "cite", "code", "data", "del", "dfn", "em", "i", "ins", "kbd"),
    *("label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "time", "u", "var"),
}
UNSEEN = {"script", "style", "title", "template", "svg"}
AS_WRITTEN = {"pre", "textarea"}  # here spaces count
# Grids, sent without spaces: what is directly inside stands in columns. By class, and by the class
# around a summary.
COLUMNS = {"grid-head", "service-line"}
COLUMNS_OF_SUMMARY = {"service"}
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
_JOINED = "\0"  # where a tag stands between two texts of one line
_WORD = r"[^\W_]"
FAULTS = {
    "words joined across a tag": re.compile(f"{_WORD}\0+{_WORD}"),
    "a number joined to a word": re.compile(  # a digest is no word
        r"(?<![\w/.:-])(?![0-9a-f]{12})\d+[a-zà-ÿ]{3,}"
    ),
    "an apostrophe after a whole word": re.compile(r"\b(?!(?i:aujourd))\w{3,}[dlnsjmtc]'(?=\w)"),
    "a bracket joined to a word": re.compile(r"[a-zà-ÿ]\((?!e\))|\)[a-zà-ÿ]"),
    "no space after a sign": re.compile(r"[a-zà-ÿ)][,;!?][A-Za-zÀ-ÿ]|[a-zà-ÿ] ?:[a-zà-ÿ]"),
    "no space between sentences": re.compile(r"[a-zà-ÿ]\.[A-ZÀ-Ý][a-zà-ÿ]"),
    "a space before a sign": re.compile(r"\s[,.)](?!\w)|\(\s"),
    "doubled signs": re.compile(r"([,;:])\s*[,;:.]|(?<!\.)\.\s?\.(?!\.)|[–·]\s*[–·]"),
    "an apostrophe before a space": re.compile(r"\b[dlnsjmtc]'\s", re.IGNORECASE),
    "words joined to each other": re.compile(r"[a-zà-ÿ]{2}[A-ZÀ-Ý][a-zà-ÿ]{2}"),
}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.written: list[str] = []
        self._open: list[tuple[str, set[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(self._edge_of(tag))
        if tag not in VOID:
            self._open.append((tag, set((dict(attrs).get("class") or "").split())))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass  # a tag that HTML lets one leave out
        self.parts.append(self._edge_of(tag))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append("\n")

    def _edge_of(self, tag: str) -> str:
        """Return what stands before and after an element, by what is open around it."""
        (_, around), (holder, classes) = ([("", set()), ("", set())] + self._open)[-2:]
        is_column = classes & COLUMNS or (holder == "summary" and around & COLUMNS_OF_SUMMARY)
        return _JOINED if tag in INLINE and not is_column else "\n"

    def _is_in(self, tags: set[str]) -> bool:
        return any(tag in tags for tag, _classes in self._open)

    def handle_data(self, data: str) -> None:
        if self._is_in(UNSEEN):
            return
        if self._is_in(AS_WRITTEN):
            self.written.append(data)
        self.parts.append(re.sub(r"\s+", " ", data))


def lines_of(page: str) -> list[str]:
    """Return the lines of a page, spaces evened out; ``\\0`` where a tag joins two texts."""
    reader = _Reader()
    reader.feed(page)
    lines = "".join(reader.parts).split("\n")
    evened = (re.sub(f"{_JOINED}* (?:[ {_JOINED}]*)", " ", line).strip() for line in lines)
    return [line for line in evened if line.strip(_JOINED)]


def text_faults_of(page: str) -> list[str]:
    """Return one sentence per place of a page in which words or signs run into each other."""
    found = []
    for line in lines_of(page):
        plain = line.replace(_JOINED, "")
        for fault, pattern in FAULTS.items():
            where = line if _JOINED in pattern.pattern else plain
            found += [
                f"{fault}: …{where[max(0, one.start() - 30) : one.end() + 30]}…"
                for one in pattern.finditer(where)
            ]
    reader = _Reader()
    reader.feed(page)
    written = (text.strip() for text in reader.written)
    return found + [f"two spaces: {text[:60]}" for text in written if "  " in text]
