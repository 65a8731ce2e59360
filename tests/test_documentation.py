"""Every path in the documentation exists, and a name that the architecture gives is in its file."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
FOLDERS = {
    *("appointments", "notifications", "patients", "staff", "vivalia_continuity"),
    *("docs", "docker", "locale", "scripts", "static", "templates", "tests", ".ci"),
}
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def is_path(span: str) -> bool:
    """Whether a code span names a place in the repository, perhaps with a pattern for several."""
    return re.fullmatch(r"[\w./*-]+", span) is not None and span.partition("/")[0] in FOLDERS


def names_in(place: Path) -> set[str]:
    """Return what a module defines at its top; of a package, what any of its modules does."""
    names = set()
    for file in [place] if place.is_file() else place.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def rows_with_names(text: str) -> Iterator[tuple[str, str]]:
    """Yield each path of a table with each name that follows it: ``path`: `name`, `name```."""
    for line in text.splitlines():
        place = ""
        for span in SPAN.findall(line) if line.startswith("|") else ():
            if is_path(span):
                place = span
            elif place and span.isidentifier():
                yield place, span


def test_the_pages_are_read():
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"} <= names
    assert len(list(rows_with_names((ROOT / "docs/architecture.md").read_text()))) > 50


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_and_link_exists(page):
    text = page.read_text(encoding="utf-8")
    paths = {span for span in SPAN.findall(text) if is_path(span)}
    links = {link for link in LINK.findall(text) if "://" not in link}
    lost = {path for path in paths if not any(ROOT.glob(path.rstrip("/")))}
    lost |= {link for link in links if not (page.parent / link).exists()}
    assert lost == set()


def test_every_name_of_the_architecture_is_in_its_file():
    rows = rows_with_names((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    assert [(path, name) for path, name in rows if name not in names_in(ROOT / path)] == []
