"""Finds words that a person would read and that no catalogue knows."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

_TEMPLATE_CODE = re.compile(
    r"\{%\s*(blocktranslate|comment)\b.*?\{%\s*end\1\s*%\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S
)
_WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
_READ_OUT = {"title", "aria-label", "aria-description", "placeholder", "alt"}
_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`(?:[^`\\]|\\.)*`')
# An accent, or a capital and more words: no selector and no event looks like that.
_SENTENCE = re.compile(r"[À-ÿ]|^.[A-Z][a-z]+ [a-z]")
_REFUSALS = {"Refusal", "AccessRefused", "ValidationError"}
_MESSAGES = {"error", "success", "warning", "info"}  # of django.contrib.messages, not of a logger


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_code = tag in {"script", "style"}
        self.found += [value for name, value in attrs if name in _READ_OUT and value]

    def handle_endtag(self, tag: str) -> None:
        self._is_code = False

    def handle_data(self, data: str) -> None:
        if not self._is_code:
            self.found.append(data.strip())


def in_template(text: str) -> list[str]:
    """Return the words of a template outside of translation tags."""
    page = _Page()
    page.feed(_TEMPLATE_CODE.sub("", text))
    return [words for words in page.found if _WORD.search(words)]


def in_script(text: str) -> list[str]:
    """Return the string literals of a script that read like a sentence."""
    code = "\n".join(line for line in text.splitlines() if not line.strip().startswith("//"))
    return [literal for literal in _LITERAL.findall(code) if _SENTENCE.search(literal)]


def in_code(path: Path) -> list[str]:
    """Return plain strings of a module that are said to people without being marked."""
    calls = [one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.Call)]
    return [
        argument.value
        for call in calls
        if _is_said(call.func)
        for argument in call.args
        if isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and " " in argument.value
    ]


def _is_said(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        of_messages = isinstance(function.value, ast.Name) and function.value.id == "messages"
        return of_messages and function.attr in _MESSAGES
    return isinstance(function, ast.Name) and function.id in _REFUSALS
