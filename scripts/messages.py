"""Keep the catalogues of ``locale/`` in step with the French sentences of the code.

``python scripts/messages.py``: adds new sentences to each catalogue, drops those that are gone,
and lists what has no translation yet (exit 1). Needs neither gettext nor a database.
"""

import datetime as dt
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "nl", "de")
SOURCE = "fr"
SOURCES = (
    *("staff", "patients", "notifications", "appointments", "vivalia_continuity"),
    "templates",
)
KEYWORDS = {
    name: positions
    for base, positions in {
        "gettext": None,
        "ngettext": (1, 2),
        "pgettext": ((1, "c"), 2),
        "npgettext": ((1, "c"), 2, 3),
    }.items()
    for name in (base, f"{base}_lazy", f"{base}_stored")
} | {"_": None, "gettext_noop": None, "_noop": None, "in_sentence": ((1, "c"), 2)}
BORN = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
# Sentences that are their own key without being marked: the rules know nothing of Django.
UNMARKED = ("appointments/rules.py",)


def sentences() -> Catalog:
    """Return every sentence that a person may read, from Python code and templates."""
    found = Catalog(locale="fr", charset="utf-8", fuzzy=False)
    for path in _sources():
        for line, message, _comments, context in _messages(path):
            found.add(message, locations=[(str(path), line)], context=context)
    return found


def merged(language: str, found: Catalog) -> Catalog:
    """Return the catalogue of a language with exactly the sentences found."""
    path = _path(language)
    catalog = Catalog(locale=language, charset="utf-8", fuzzy=False)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
    catalog.update(found, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.project, catalog.version = "Vivalia Continuity", ""
    catalog.header_comment = f"# French is the source; this is {language}. See scripts/messages.py."
    catalog.creation_date = BORN  # a moving date would change the file each time
    return catalog


def plurals(found: Catalog) -> Catalog:
    """Return the catalogue of French itself: only what has a plural, so that zero is singular.

    Without a catalogue gettext takes English's rule for the source: "0 patients".
    """
    catalog = Catalog(locale=SOURCE, charset="utf-8", fuzzy=False)
    for message in found:
        if isinstance(message.id, tuple):
            catalog.add(message.id, message.id, flags=message.flags, context=message.context)
    catalog.project, catalog.version = "Vivalia Continuity", ""
    catalog.header_comment = "# French is the source: made by scripts/messages.py, for zero."
    catalog.creation_date = BORN
    return catalog


def untranslated(catalog: Catalog) -> list[str]:
    """Return the sentences of a catalogue that have no translation."""
    missing = []
    for message in catalog:
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(texts)):
            missing.append(message.id if isinstance(message.id, str) else message.id[0])
    return missing


def _sources() -> Iterator[Path]:
    # Not by git: the tests also run from an unpacked archive.
    found = [path for folder in SOURCES for path in (ROOT / folder).rglob("*")]
    for path in sorted(found):
        if path.suffix in {".py", ".html"}:
            yield path.relative_to(ROOT)


def _messages(path: Path) -> Iterator[tuple[Any, ...]]:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.suffix == ".html":
        from django.utils.translation.template import templatize

        # What templatize leaves is no Python; Babel's JavaScript lexer reads over the rest.
        file = io.BytesIO(templatize(text, origin=str(path)).encode())
        yield from extract("javascript", file, keywords=KEYWORDS, options={"encoding": "utf-8"})
    else:
        yield from extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS)
    if str(path) in UNMARKED:
        yield from _constants(text)


def _constants(text: str) -> Iterator[tuple[Any, ...]]:
    """Yield the sentences assigned to names in capitals."""
    import ast

    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield node.lineno, node.value.value, [], None


def _path(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def _write(path: Path, catalog: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, no_location=True, sort_output=True, omit_header=False, width=98)


def main() -> int:
    """Rewrite the catalogues and say what is missing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vivalia_continuity.settings")
    sys.path.insert(0, str(ROOT))
    found = sentences()
    missing = 0
    _write(_path(SOURCE), plurals(found))
    for language in LANGUAGES:
        catalog = merged(language, found)
        path = _path(language)
        _write(path, catalog)
        for sentence in untranslated(catalog):
            missing += 1
            print(f"{language}: {sentence!r}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
